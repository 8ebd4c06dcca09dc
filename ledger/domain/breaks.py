"""Breaks: differences between records that should agree, each with a kind and an owner."""

from dataclasses import dataclass
from enum import Enum


class BreakKind(Enum):
    """How two records differ, seen from the owner of the break."""

    MISSING_OURS = "missing_ours"
    MISSING_THEIRS = "missing_theirs"
    DUPLICATE = "duplicate"
    QUANTITY = "quantity"
    AMOUNT = "amount"
    DATE = "date"
    INSTRUMENT = "instrument"
    ACCOUNT = "account"
    STATUS = "status"
    TIMING = "timing"
    UNDUE_ISSUE = "undue_issue"
    UNDUE_REDEMPTION = "undue_redemption"

    @property
    def label_zh(self) -> str:
        """The kind in Chinese."""
        return _LABELS_ZH[self]


_LABELS_ZH = {
    BreakKind.MISSING_OURS: "我方缺失",
    BreakKind.MISSING_THEIRS: "对方缺失",
    BreakKind.DUPLICATE: "重复",
    BreakKind.QUANTITY: "数量不符",
    BreakKind.AMOUNT: "金额不符",
    BreakKind.DATE: "日期不符",
    BreakKind.INSTRUMENT: "证券不符",
    BreakKind.ACCOUNT: "账户不符",
    BreakKind.STATUS: "状态不符",
    BreakKind.TIMING: "在途（时间差）",
    BreakKind.UNDUE_ISSUE: "无据增发",
    BreakKind.UNDUE_REDEMPTION: "无据注销",
}


@dataclass(frozen=True, slots=True)
class TradeDifference:
    """Why a trade was not affirmed: both versions, in words."""

    kind: BreakKind
    subject: str
    ours: str
    theirs: str
