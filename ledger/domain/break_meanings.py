"""What a break means to a person: its likely cause, and what would close it, in two languages.

Three closed tables: causes, actions, and the kinds with the cause and the actions of each. A node
that knows better names another cause than that of the kind.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from ledger.domain.breaks import BreakKind


class LikelyCause(Enum):
    """Why two records probably differ. The value is its name on the wire."""

    NOT_REPORTED = "not_reported"
    FEED_BEHIND = "feed_behind"
    NOT_HEARD_OF = "not_heard_of"
    REPORTED_TWICE = "reported_twice"
    OTHER_TERMS = "other_terms"
    UNBOOKED = "unbooked"
    KEEPER_AWAY = "keeper_away"
    KEEPER_DIFFERS = "keeper_differs"
    STATEMENT_OF_OTHER_BLOCK = "statement_of_other_block"
    SIGNED_NOT_FINAL = "signed_not_final"
    STATUS_NOT_HEARD = "status_not_heard"
    ISSUED_OUTSIDE_BOOKS = "issued_outside_books"
    REDEEMED_OUTSIDE_BOOKS = "redeemed_outside_books"

    @property
    def text(self) -> str:
        """The cause in English."""
        return _CAUSES[self][0]

    @property
    def text_zh(self) -> str:
        """The cause in Chinese."""
        return _CAUSES[self][1]


class BreakAction(Enum):
    """What would close a break. The value is its name on the wire."""

    REPORT_TRADE = "report_trade"
    ASK_EXCHANGE = "ask_exchange"
    CORRECT_TRADE = "correct_trade"
    REMOVE_DUPLICATE = "remove_duplicate"
    BOOK_MISSING = "book_missing"
    CORRECTING_INSTRUCTION = "correcting_instruction"
    IMPORT_STATEMENT = "import_statement"
    ASK_KEEPER = "ask_keeper"
    ASK_HOUSE = "ask_house"
    WAIT = "wait"
    REDEEM_UNDUE = "redeem_undue"
    REISSUE = "reissue"

    @property
    def text(self) -> str:
        """The action in English."""
        return _ACTIONS[self][0]

    @property
    def text_zh(self) -> str:
        """The action in Chinese."""
        return _ACTIONS[self][1]


@dataclass(frozen=True, slots=True)
class BreakMeaning:
    """What a kind of break most often comes from, and what would close it, first things first."""

    cause: LikelyCause
    actions: tuple[BreakAction, ...]


def meaning_of(kind: BreakKind) -> BreakMeaning:
    """What a kind of break means."""
    return _MEANINGS[kind]


_CAUSES: Final = {
    LikelyCause.NOT_REPORTED: (
        "The own desk has not reported it, or its record was lost.",
        "本方交易台未上报，或记录已丢失。",
    ),
    LikelyCause.FEED_BEHIND: (
        "It was captured a moment ago, and the own desk's report has not come so far yet.",
        "该成交刚被受理，本方交易台的上报尚未到达此处。",
    ),
    LikelyCause.NOT_HEARD_OF: (
        "The other side never had it, or has not passed it on.",
        "对方从未收到，或尚未转发。",
    ),
    LikelyCause.REPORTED_TWICE: (
        "The own desk has reported it twice.",
        "本方交易台重复上报。",
    ),
    LikelyCause.OTHER_TERMS: (
        "One of the two was entered with another value.",
        "其中一方录入的数值有误。",
    ),
    LikelyCause.UNBOOKED: (
        "Something is final on the ledger that one of the books has not booked, or the reverse.",
        "账本上已最终的事项未在某一账簿入账，或相反。",
    ),
    LikelyCause.KEEPER_AWAY: (
        "Whoever keeps the account does not answer: there is no statement to compare with.",
        "账户保管方无应答：没有可供比对的对账单。",
    ),
    LikelyCause.KEEPER_DIFFERS: (
        "Own book and ledger agree; whoever keeps the account has something else.",
        "自有账簿与账本一致，账户保管方的记录不同。",
    ),
    LikelyCause.STATEMENT_OF_OTHER_BLOCK: (
        "The statement is as of another block than the own books.",
        "对账单所截至的区块与自有账簿不同。",
    ),
    LikelyCause.SIGNED_NOT_FINAL: (
        "It is what has been signed and is not in all records as final yet.",
        "差额等于已签署但尚未在各方记录中最终完成的金额。",
    ),
    LikelyCause.STATUS_NOT_HEARD: (
        "A message about what became of it was lost, or the record was changed by hand.",
        "其结果的通知已丢失，或记录被手工改动。",
    ),
    LikelyCause.ISSUED_OUTSIDE_BOOKS: (
        "The issuing key made an issue that the keeper's own records do not know.",
        "发行密钥作出了登记保管方自身记录中没有的发行。",
    ),
    LikelyCause.REDEEMED_OUTSIDE_BOOKS: (
        "The issuing key made a redemption that the keeper's own records do not know.",
        "发行密钥作出了登记保管方自身记录中没有的注销。",
    ),
}

_ACTIONS: Final = {
    BreakAction.REPORT_TRADE: (
        "Have the own desk report the trade.",
        "请本方交易台上报该成交。",
    ),
    BreakAction.ASK_EXCHANGE: (
        "Ask the exchange for the trade again.",
        "请交易所重新发送该成交。",
    ),
    BreakAction.CORRECT_TRADE: (
        "Cancel the wrong version of the trade, and report the right one.",
        "撤销有误的一方记录，重新上报正确的成交。",
    ),
    BreakAction.REMOVE_DUPLICATE: (
        "Take the second record out of the own desk's books.",
        "将重复的记录从本方交易台账目中剔除。",
    ),
    BreakAction.BOOK_MISSING: (
        "Book what is missing from its evidence: the signed message or the receipt.",
        "依据签署报文或回单补记缺失的事项。",
    ),
    BreakAction.CORRECTING_INSTRUCTION: (
        "Book a correcting instruction with the other side.",
        "与对方另行录入更正指令。",
    ),
    BreakAction.IMPORT_STATEMENT: (
        "Import the statement of whoever keeps the account.",
        "导入账户保管方的对账单。",
    ),
    BreakAction.ASK_KEEPER: (
        "Ask the bank or the registrar to look at its own book.",
        "请银行或登记机构核查其自身账簿。",
    ),
    BreakAction.ASK_HOUSE: (
        "Ask the clearing house what became of it; the ledger decides.",
        "向清算所核实其结果；以账本为准。",
    ),
    BreakAction.WAIT: (
        "Wait for the next blocks: it closes by itself.",
        "等待后续区块：将自动消除。",
    ),
    BreakAction.REDEEM_UNDUE: (
        "Redeem the undue issue, with the owner's signature.",
        "经持有人签名，注销无据增发的部分。",
    ),
    BreakAction.REISSUE: (
        "Issue again what was redeemed unduly.",
        "重新发行被无据注销的部分。",
    ),
}

_CORRECT: Final = (BreakAction.CORRECT_TRADE, BreakAction.ASK_EXCHANGE)
_REBOOK: Final = (
    BreakAction.IMPORT_STATEMENT,
    BreakAction.ASK_KEEPER,
    BreakAction.BOOK_MISSING,
    BreakAction.CORRECTING_INSTRUCTION,
)
_MEANINGS: Final = {
    BreakKind.MISSING_OURS: BreakMeaning(
        LikelyCause.NOT_REPORTED,
        (BreakAction.REPORT_TRADE, BreakAction.BOOK_MISSING, BreakAction.IMPORT_STATEMENT),
    ),
    BreakKind.MISSING_THEIRS: BreakMeaning(
        LikelyCause.NOT_HEARD_OF,
        (BreakAction.ASK_EXCHANGE, BreakAction.ASK_KEEPER, BreakAction.IMPORT_STATEMENT),
    ),
    BreakKind.DUPLICATE: BreakMeaning(
        LikelyCause.REPORTED_TWICE, (BreakAction.REMOVE_DUPLICATE, BreakAction.ASK_EXCHANGE)
    ),
    BreakKind.QUANTITY: BreakMeaning(LikelyCause.OTHER_TERMS, (*_CORRECT, *_REBOOK)),
    BreakKind.AMOUNT: BreakMeaning(LikelyCause.OTHER_TERMS, (*_CORRECT, *_REBOOK)),
    BreakKind.DATE: BreakMeaning(LikelyCause.OTHER_TERMS, _CORRECT),
    BreakKind.INSTRUMENT: BreakMeaning(LikelyCause.OTHER_TERMS, _CORRECT),
    BreakKind.ACCOUNT: BreakMeaning(LikelyCause.OTHER_TERMS, _CORRECT),
    BreakKind.STATUS: BreakMeaning(
        LikelyCause.STATUS_NOT_HEARD, (BreakAction.ASK_HOUSE, BreakAction.CORRECTING_INSTRUCTION)
    ),
    BreakKind.TIMING: BreakMeaning(
        LikelyCause.SIGNED_NOT_FINAL, (BreakAction.WAIT, BreakAction.IMPORT_STATEMENT)
    ),
    BreakKind.UNDUE_ISSUE: BreakMeaning(
        LikelyCause.ISSUED_OUTSIDE_BOOKS, (BreakAction.REDEEM_UNDUE, BreakAction.BOOK_MISSING)
    ),
    BreakKind.UNDUE_REDEMPTION: BreakMeaning(
        LikelyCause.REDEEMED_OUTSIDE_BOOKS, (BreakAction.REISSUE, BreakAction.BOOK_MISSING)
    ),
}
