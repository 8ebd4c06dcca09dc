"""Settlement instructions: what they say, the states they go through, and who goes first.

One instruction is one obligation of two accounts: the deliverer gives a quantity of an instrument,
the receiver an amount of money; either may be nothing (a free delivery, a payment), not both. In a
payment the receiver pays the deliverer.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Final

from ledger.domain.reasons import Reason


class State(Enum):
    """Where an instruction stands. The table of moves between them is ``can_become``."""

    UNMATCHED = "unmatched"
    """One side has entered it; it is alleged to the other."""
    QUEUED = "queued"
    """Both sides are bound; it settles as soon as it can, by the rules."""
    HELD = "held"
    """A side has put it on hold: it is not tried and blocks nobody."""
    PARTIALLY_SETTLED = "partially_settled"
    """A part has settled; the rest is queued."""
    SETTLED = "settled"
    """Final: it can neither settle again nor be undone."""
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def is_live(self) -> bool:
        """Whether it may still settle."""
        return self in LIVE

    def can_become(self, other: "State") -> bool:
        """Whether an instruction may go from this state to another."""
        return other in _NEXT[self]


LIVE: Final = frozenset({State.QUEUED, State.HELD, State.PARTIALLY_SETTLED})

_ENDS: Final = frozenset({State.SETTLED, State.CANCELLED, State.FAILED})
_NEXT: Final[dict[State, frozenset[State]]] = {
    State.UNMATCHED: frozenset({State.QUEUED, State.HELD, State.CANCELLED, State.FAILED}),
    State.QUEUED: _ENDS | {State.HELD, State.PARTIALLY_SETTLED},
    State.HELD: frozenset({State.QUEUED, State.PARTIALLY_SETTLED, State.CANCELLED, State.FAILED}),
    State.PARTIALLY_SETTLED: _ENDS | {State.HELD},
    State.SETTLED: frozenset(),
    State.CANCELLED: frozenset(),
    State.FAILED: frozenset(),
}


class Priority(IntEnum):
    """Who goes first among the queued instructions of an account: the lower number."""

    URGENT = 0
    HIGH = 1
    NORMAL = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """An instruction of the clearing house. Accounts and assets are their numbers on the chain.

    Attributes:
        id: 32 bytes, under which it settles on the chain.
        label: the name that people use; never used again.
        arrival: its place among all instructions, from 0.
        quantity: units delivered in all; 0 in a payment.
        amount: minor units paid in all; 0 in a free delivery.
        settled_quantity: units of it that have settled in parts.
        settled_amount: minor units of it that have settled in parts.
        parts: how often something of it has settled; the rest, or the whole at once, counts too.
        held_by: the participants that hold it.
        cancelled_by: the participants that have asked for its cancellation.
        may_be_partial: both sides take parts for lack of securities.
        expires_at: last second of business time (since 1970) at which it may settle; None: the
            rules decide.
        linked_to: labels of those that settle together with it, or not at all.
        rule_version: the version of the rulebook that it came in under.
        position: its trade's place in the intake; None when it is not of a trade.
        block: the last block in which something of it settled.
    """

    id: bytes
    label: str
    arrival: int
    deliverer: int
    receiver: int
    instrument: int
    quantity: int
    currency: int
    amount: int
    settled_quantity: int = 0
    settled_amount: int = 0
    parts: int = 0
    priority: Priority = Priority.NORMAL
    held_by: frozenset[int] = frozenset()
    cancelled_by: frozenset[int] = frozenset()
    may_be_partial: bool = False
    expires_at: int | None = None
    linked_to: tuple[str, ...] = ()
    state: State = State.QUEUED
    reason: Reason | None = None
    rule_version: int = 1
    position: int | None = None
    block: int | None = None

    @property
    def open_quantity(self) -> int:
        """Units still to deliver."""
        return self.quantity - self.settled_quantity

    @property
    def open_amount(self) -> int:
        """Minor units still to pay."""
        return self.amount - self.settled_amount

    @property
    def place(self) -> tuple[int, int]:
        """Its place in every queue it stands in: by priority, then arrival."""
        return (self.priority, self.arrival)
