"""A scenario as data: who takes part, what they hold, what happens, what must then be true."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypeAlias

from ledger.domain.rules import Rules
from nodes.network import Network


@dataclass(frozen=True, slots=True)
class TradeEvent:
    """A locked-in exchange trade. ``price`` is in millionths."""

    id: str
    isin: str
    quantity: int
    price: int
    seller: str
    buyer: str


@dataclass(frozen=True, slots=True)
class InstructEvent:
    """A settlement instruction that both sides have agreed to.

    The deliverer gives ``quantity`` and gets ``amount``; either may be zero.
    """

    id: str
    deliverer: str
    receiver: str
    isin: str
    quantity: int
    currency: str
    amount: int


@dataclass(frozen=True, slots=True)
class CycleEvent:
    """Strike the netting cycle over all trades captured so far."""


@dataclass(frozen=True, slots=True)
class MoveEvent:
    """Cash or securities in (positive) or out (negative). ``asset`` is a currency or an ISIN."""

    id: str
    account: str
    asset: str
    is_cash: bool
    amount: int


@dataclass(frozen=True, slots=True)
class SilentEvent:
    """From now on a participant's node answers nothing."""

    participant: str


@dataclass(frozen=True, slots=True)
class RepeatEvent:
    """The same message delivered again."""

    event: "Event"


Event: TypeAlias = "TradeEvent | InstructEvent | CycleEvent | MoveEvent | SilentEvent | RepeatEvent"


@dataclass(frozen=True, slots=True)
class TimedEvent:
    """An event, and the second of the day to which the clock moves before it (None: it stands)."""

    event: Event
    second: int | None


@dataclass(frozen=True, slots=True)
class ExpectedState:
    """What an instruction's state must be; the reason is checked when it is given."""

    state: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Expectations:
    """What must hold after the last event. What is None is not checked.

    Keys are (account, asset); amounts are minor units or units.
    """

    cash: Mapping[tuple[str, str], int] = field(default_factory=dict)
    securities: Mapping[tuple[str, str], int] = field(default_factory=dict)
    available: Mapping[tuple[str, str], int] = field(default_factory=dict)
    instructions: Mapping[str, ExpectedState] = field(default_factory=dict)
    net: Mapping[tuple[str, str], int] = field(default_factory=dict)
    movements: Mapping[str, int] = field(default_factory=dict)
    settled_value: int | None = None
    refusals: tuple[tuple[str, str], ...] | None = None
    breaks: int | None = None

    @property
    def are_any(self) -> bool:
        """Whether anything is expected at all, beside the invariants."""
        return self != Expectations()


@dataclass(frozen=True, slots=True)
class Story:
    """One scenario. ``name_by_isin`` gives instruments the names that the file uses."""

    name: str
    title: str
    business_date: date
    rules: Rules
    network: Network
    name_by_isin: Mapping[str, str]
    opening_cash: Mapping[tuple[str, str], int]
    opening_securities: Mapping[tuple[str, str], int]
    events: tuple[TimedEvent, ...]
    expectations: Expectations
