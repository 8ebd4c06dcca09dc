"""Breaks: differences between records that should agree, each with a kind and an owner.

A break is open until somebody resolves it, with a reason, or its cause goes, which closes it. What
it comes from is in ``ledger.domain.break_meanings``, and what would close it in ``break_actions``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Final


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
    def label(self) -> str:
        """The kind in English."""
        return _LABELS[self][0]

    @property
    def label_zh(self) -> str:
        """The kind in Chinese."""
        return _LABELS[self][1]


_LABELS: Final = {
    BreakKind.MISSING_OURS: ("missing on our side", "我方缺失"),
    BreakKind.MISSING_THEIRS: ("missing on their side", "对方缺失"),
    BreakKind.DUPLICATE: ("duplicate", "重复"),
    BreakKind.QUANTITY: ("quantity", "数量不符"),
    BreakKind.AMOUNT: ("amount", "金额不符"),
    BreakKind.DATE: ("date", "日期不符"),
    BreakKind.INSTRUMENT: ("instrument", "证券不符"),
    BreakKind.ACCOUNT: ("account", "账户不符"),
    BreakKind.STATUS: ("status", "状态不符"),
    BreakKind.TIMING: ("timing (in flight)", "在途（时间差）"),
    BreakKind.UNDUE_ISSUE: ("undue issue", "无据增发"),
    BreakKind.UNDUE_REDEMPTION: ("undue redemption", "无据注销"),
}

OF_INTEGRITY: Final = frozenset({BreakKind.UNDUE_ISSUE, BreakKind.UNDUE_REDEMPTION})
"""Those which put the integrity of an issue in doubt: unsolved, they suspend the instrument."""


class BreakState(Enum):
    """Where a break stands. One that is resolved is still a difference; a closed one is not."""

    OPEN = "open"
    RESOLVED = "resolved"
    CLOSED = "closed"

    @property
    def label(self) -> str:
        """The state in English."""
        return self.value

    @property
    def label_zh(self) -> str:
        """The state in Chinese."""
        return _STATES_ZH[self]


_STATES_ZH: Final = {
    BreakState.OPEN: "未结",
    BreakState.RESOLVED: "已处理",
    BreakState.CLOSED: "已消除",
}

STANDING: Final = (BreakState.OPEN, BreakState.RESOLVED)
"""The states of a difference that is still there."""


class BreakAct(Enum):
    """What happens to a break, as its history has it."""

    OPENED = "opened"
    CHANGED = "changed"
    ASSIGNED = "assigned"
    COMMENTED = "commented"
    RESOLVED = "resolved"
    CLOSED = "closed"
    REOPENED = "reopened"

    @property
    def label_zh(self) -> str:
        """The act in Chinese."""
        return _ACTS_ZH[self]


_ACTS_ZH: Final = {
    BreakAct.OPENED: "发现",
    BreakAct.CHANGED: "记录变动",
    BreakAct.ASSIGNED: "指派",
    BreakAct.COMMENTED: "备注",
    BreakAct.RESOLVED: "处理",
    BreakAct.CLOSED: "自动消除",
    BreakAct.REOPENED: "重新开启",
}


class AgeBucket(Enum):
    """How old a break is, in business days."""

    TODAY = "0"
    ONE = "1"
    TWO_TO_FIVE = "2-5"
    SIX_TO_TEN = "6-10"
    OVER_TEN = ">10"

    @property
    def label_zh(self) -> str:
        """The bucket in Chinese."""
        return _BUCKETS_ZH[self]

    @staticmethod
    def of(age: int) -> "AgeBucket":
        """The bucket of an age in business days."""
        return next(bucket for bucket, oldest in _OLDEST.items() if age <= oldest)


_BUCKETS_ZH: Final = {
    AgeBucket.TODAY: "当日",
    AgeBucket.ONE: "1 个营业日",
    AgeBucket.TWO_TO_FIVE: "2 至 5 个营业日",
    AgeBucket.SIX_TO_TEN: "6 至 10 个营业日",
    AgeBucket.OVER_TEN: "超过 10 个营业日",
}
AGE_MAX: Final = 9_999
"""Business days beyond which nobody counts."""
_OLDEST: Final = {
    AgeBucket.TODAY: 0,
    AgeBucket.ONE: 1,
    AgeBucket.TWO_TO_FIVE: 5,
    AgeBucket.SIX_TO_TEN: 10,
    AgeBucket.OVER_TEN: AGE_MAX,
}


def business_days_between(first: date, last: date, following: Callable[[date], date]) -> int:
    """How many business days lie after one date up to another; none when that is not later.

    ``following`` is the calendar: the business date after a date.
    """
    days, day = 0, following(first)
    while day <= last and days < AGE_MAX:
        days, day = days + 1, following(day)
    return days


@dataclass(frozen=True, slots=True)
class TradeDifference:
    """Why a trade was not affirmed: both versions, in words."""

    kind: BreakKind
    subject: str
    ours: str
    theirs: str
