"""What a break most probably comes from, in two languages.

A node that knows better names another cause than that of the kind. What would close it is in
``ledger.domain.break_actions``.
"""

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


def likely_cause(kind: BreakKind) -> LikelyCause:
    """What a kind of break most often comes from."""
    return _CAUSE_BY_KIND[kind]


_CAUSES: Final = {
    LikelyCause.NOT_REPORTED: (
        "The own desk has not reported it, or its record was lost.",
        "本方交易台未上报，或记录已丢失。",
    ),
    LikelyCause.FEED_BEHIND: (
        "When first seen, the trade had just been captured, and the desk's report was not there.",
        "差异初现时，该成交刚被受理，本方交易台的上报尚未到达。",
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

_CAUSE_BY_KIND: Final = {
    BreakKind.MISSING_OURS: LikelyCause.NOT_REPORTED,
    BreakKind.MISSING_THEIRS: LikelyCause.NOT_HEARD_OF,
    BreakKind.DUPLICATE: LikelyCause.REPORTED_TWICE,
    BreakKind.QUANTITY: LikelyCause.OTHER_TERMS,
    BreakKind.AMOUNT: LikelyCause.OTHER_TERMS,
    BreakKind.DATE: LikelyCause.OTHER_TERMS,
    BreakKind.INSTRUMENT: LikelyCause.OTHER_TERMS,
    BreakKind.ACCOUNT: LikelyCause.OTHER_TERMS,
    BreakKind.STATUS: LikelyCause.STATUS_NOT_HEARD,
    BreakKind.TIMING: LikelyCause.SIGNED_NOT_FINAL,
    BreakKind.UNDUE_ISSUE: LikelyCause.ISSUED_OUTSIDE_BOOKS,
    BreakKind.UNDUE_REDEMPTION: LikelyCause.REDEEMED_OUTSIDE_BOOKS,
}
