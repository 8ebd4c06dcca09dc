"""A scenario as data: who takes part, what they hold, what happens, what must then be true."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypeAlias

from ledger.domain.instructions import Priority
from ledger.domain.rules import Gridlock, Rules
from ledger.settlement.matching import Entitlement
from nodes.network import Network
from nodes.scenario.faults import ScenarioFault


@dataclass(frozen=True, slots=True)
class TradeEvent:
    """A locked-in exchange trade. ``price`` is in millionths."""

    id: str
    isin: str
    quantity: int
    price: int
    seller: str
    buyer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructEvent:
    """A settlement instruction that both sides have agreed to.

    The deliverer gives ``quantity`` and gets ``amount``; either may be zero. ``expires`` is the
    last second of the business day at which it may settle; ``linked_to`` are ids of the story.
    """

    id: str
    deliverer: str
    receiver: str
    isin: str = ""
    quantity: int = 0
    currency: str = ""
    amount: int = 0
    priority: Priority = Priority.NORMAL
    is_held: bool = False
    may_be_partial: bool = False
    expires: int | None = None
    linked_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SideEvent:
    """One side of an instruction, entered by its own participant; two that match become one.

    ``terms`` has the side's id. The account of the other side is left open when it is a
    participant's house account. Without a settlement date, that of the story is meant.
    """

    by: str
    terms: InstructEvent
    settlement_date: date | None = None
    common_reference: str = ""
    entitlement: Entitlement | None = None

    @property
    def id(self) -> str:
        """The id of the side, which is its reference too."""
        return self.terms.id


@dataclass(frozen=True, slots=True)
class HoldEvent:
    """Both sides put an instruction on hold."""

    instruction: str


@dataclass(frozen=True, slots=True)
class ReleaseEvent:
    """Both sides release an instruction from hold."""

    instruction: str


@dataclass(frozen=True, slots=True)
class SettleEvent:
    """One instruction is tried now."""

    instruction: str


@dataclass(frozen=True, slots=True)
class CancelEvent:
    """A participant asks for the cancellation of an instruction."""

    instruction: str
    by: str


@dataclass(frozen=True, slots=True)
class PrioritiseEvent:
    """A participant gives its instruction another priority."""

    instruction: str
    priority: Priority
    by: str


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
class ReserveEvent:
    """An amount of a balance is set aside (positive) or made available again (negative)."""

    id: str
    account: str
    asset: str
    is_cash: bool
    amount: int


@dataclass(frozen=True, slots=True)
class ResolveEvent:
    """One gridlock-resolution run over the queue."""

    algorithm: Gridlock


@dataclass(frozen=True, slots=True)
class ClockEvent:
    """The business clock moves to a second of the day; at the end of the day the rest fails."""

    second: int
    is_end_of_day: bool


@dataclass(frozen=True, slots=True)
class SuspendEvent:
    """The clearing house suspends a participant."""

    participant: str


@dataclass(frozen=True, slots=True)
class ReinstateEvent:
    """The clearing house reinstates a participant."""

    participant: str


@dataclass(frozen=True, slots=True)
class SilentEvent:
    """From now on a participant's node answers nothing."""

    participant: str


@dataclass(frozen=True, slots=True)
class FaultEvent:
    """Something goes wrong from now on."""

    fault: ScenarioFault


@dataclass(frozen=True, slots=True)
class RepeatEvent:
    """The same message delivered again."""

    event: "Event"


MessageEvent: TypeAlias = HoldEvent | ReleaseEvent | SettleEvent | CancelEvent | PrioritiseEvent
"""What is said about an instruction that has been entered."""

Event: TypeAlias = (
    "TradeEvent | InstructEvent | SideEvent | MessageEvent | CycleEvent | MoveEvent"
    " | ReserveEvent | ResolveEvent | ClockEvent | SuspendEvent | ReinstateEvent"
    " | SilentEvent | FaultEvent | RepeatEvent"
)


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
