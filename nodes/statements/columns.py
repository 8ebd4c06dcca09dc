"""The columns of statement files, in both languages, and what else both ways have in common."""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from ledger.books.postings import PostingKind, Register
from nodes.statements.model import StatementKind


class Language(Enum):
    """The language of the names and the words of a file."""

    ENGLISH = "en"
    CHINESE = "zh"


CHINESE: Final[Mapping[str, str]] = {
    "account": "账户",
    "register": "登记簿",
    "asset": "资产",
    "symbol": "代码",
    "available": "可用",
    "held": "冻结",
    "total": "合计",
    "block": "区块",
    "date": "日期",
    "cause": "原因",
    "reference": "业务编号",
    "change": "变动",
    "entry": "行别",
    "amount": "金额",
}
CHINESE_VALUES: Final[Mapping[str, Mapping[str, str]]] = {
    "entry": {"opening": "期初", "entry": "明细", "closing": "期末"},
    "register": {Register.SECURITIES.value: "证券", Register.CASH.value: "资金"},
    "cause": {
        PostingKind.ISSUED.value: "发行",
        PostingKind.REDEEMED.value: "赎回",
        PostingKind.HELD.value: "冻结",
        PostingKind.RELEASED.value: "解冻",
        PostingKind.TRANSFERRED.value: "过户",
        PostingKind.MOVED.value: "划转",
        PostingKind.BOOKED.value: "入账",
        PostingKind.STAGED.value: "暂记",
        PostingKind.STAGED_BOOKED.value: "暂记入账",
        PostingKind.STAGED_DROPPED.value: "暂记撤销",
    },
}
"""What stands in these columns of a file in Chinese."""
ENGLISH_VALUES: Final = {
    column: {chinese: english for english, chinese in words.items()}
    for column, words in CHINESE_VALUES.items()
}
ENGLISH_BY_NAME: Final = {
    **{name: name for name in CHINESE},
    **{chinese: name for name, chinese in CHINESE.items()},
}
"""What a column is, by either name."""

COLUMNS: Final[Mapping[StatementKind, tuple[str, ...]]] = {
    StatementKind.POSITIONS: (
        "account",
        "register",
        "asset",
        "symbol",
        "available",
        "held",
        "total",
    ),
    StatementKind.MOVEMENTS: (
        "account",
        "register",
        "asset",
        "symbol",
        "block",
        "date",
        "cause",
        "reference",
        "change",
    ),
    StatementKind.CASH: (
        "account",
        "asset",
        "entry",
        "block",
        "date",
        "cause",
        "reference",
        "amount",
    ),
}
NEEDED: Final[Mapping[StatementKind, tuple[str, ...]]] = {
    StatementKind.POSITIONS: ("account", "asset", "total"),
    StatementKind.MOVEMENTS: ("account", "asset", "reference", "change"),
    StatementKind.CASH: ("account", "asset", "entry", "reference", "amount"),
}
AMOUNT_BY_KIND: Final = {
    StatementKind.POSITIONS: "total",
    StatementKind.MOVEMENTS: "change",
    StatementKind.CASH: "amount",
}
OPENING: Final = "opening"
ENTRY: Final = "entry"
CLOSING: Final = "closing"
CONTROL: Final = "#control"
"""The first cell of the last line, which says how many lines there are and what they come to."""

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
"""With these a spreadsheet takes a text for a formula. An apostrophe before them makes it text."""
QUOTE: Final = "'"


def as_text(cell: str) -> str:
    """A text as it may stand in a spreadsheet."""
    return QUOTE + cell if cell.startswith((*FORMULA_STARTS, QUOTE)) else cell


def of_text(cell: str) -> str:
    """The text that was meant."""
    return cell[1:] if cell.startswith(QUOTE) else cell
