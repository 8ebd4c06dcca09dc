"""Words that several pages share, in English and Chinese; each page has a table of its own.

Tests hold that no key lacks a language, and that every word is used.
"""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from ledger.domain.breaks import BreakKind
from ledger.domain.instructions import State
from ledger.domain.states import meaning_of

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")
Words: TypeAlias = Mapping[str, tuple[str, str]]
"""English and Chinese, by key."""

BREAK_KINDS: Final[Words] = {kind.value: (kind.label, kind.label_zh) for kind in BreakKind}

TRADE_STATES: Final[Words] = {
    **{each.value: (each.value.replace("_", " "), meaning_of(each).name_zh) for each in State},
    "captured": ("captured", "已受理"),
    "unaffirmed": ("not affirmed", "未确认"),
}
"""Of a trade: one that has left its cycle has the states of its instruction."""

STATES: Final[Words] = {
    **TRADE_STATES,
    "submitted": ("submitted", "已提交"),
    "empty": ("empty", "空批次"),
    "abandoned": ("abandoned", "已放弃"),
}

KEY_ROLES: Final[Words] = {
    "exchange": ("exchange", "交易所"),
    "broker": ("broker", "经纪商"),
    "bank": ("settlement bank", "结算银行"),
    "clearing_house": ("clearing house", "清算所"),
    "registrar": ("registrar", "登记机构"),
    "regulator": ("regulator", "监管机构"),
    "operator": ("operator of the sandbox", "沙箱运营方"),
}


def word(table: Words, key: str, language: Language) -> str:
    """A word in a language; the key itself when the table does not have it."""
    pair = table.get(key)
    return pair[LANGUAGES.index(language)] if pair else key
