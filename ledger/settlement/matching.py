"""Matching: two sides enter the same instruction, each for itself, and a pair is found.

Fields are of four kinds. Mandatory ones are equal on both sides. Additional ones are equal too, or
blank on both. Optional ones are equal when both sides give them. The amount alone has a tolerance,
by the table of the rulebook; what settles is the deliverer's. Of several candidates the one with
the same amount goes first, then the smallest difference, then the earliest.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Final, TypeAlias

from ledger.domain.instructions import Priority
from ledger.domain.tolerances import Tolerance, tolerance_of


class Kind(Enum):
    """Which legs an instruction has."""

    DVP = "dvp"
    FREE = "fop"
    PAYMENT = "pay"


class Entitlement(Enum):
    """Whether the security is delivered with what it is entitled to, or without."""

    CUM = "cum"
    EX = "ex"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side of an instruction, as its participant enters it.

    In a payment the receiver pays the deliverer.

    Attributes:
        is_deliverer: it is entered by the deliverer; else by the receiver.
        deliverer: the participant.
        deliverer_account: its account; empty: the side that enters does not name it (optional).
        isin: empty in a payment.
        quantity: units; 0 in a payment.
        amount: minor units; 0 in a free delivery.
        settlement_date: the business date on which it settles.
        common_reference: agreed upon between both (optional).
        entitlement: cum or ex (additional).
        opts_out: the two agree to claim nothing from corporate actions (additional).
    """

    is_deliverer: bool
    deliverer: str
    receiver: str
    settlement_date: date
    isin: str = ""
    quantity: int = 0
    currency: str = ""
    amount: int = 0
    deliverer_account: str = ""
    receiver_account: str = ""
    common_reference: str = ""
    entitlement: Entitlement | None = None
    opts_out: bool | None = None

    @property
    def kind(self) -> Kind:
        """Which legs it has."""
        if not self.amount:
            return Kind.FREE
        return Kind.DVP if self.quantity else Kind.PAYMENT

    @property
    def owner(self) -> str:
        """The participant that enters it."""
        return self.deliverer if self.is_deliverer else self.receiver

    @property
    def counterparty(self) -> str:
        """The participant that it is alleged to."""
        return self.receiver if self.is_deliverer else self.deliverer

    @property
    def own_account(self) -> str:
        """The account of its owner."""
        return self.deliverer_account if self.is_deliverer else self.receiver_account


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How a side wants the instruction settled. These are no fields to match.

    Attributes:
        expires_at: last second of business time (since 1970) at which it may settle.
        linked_to: labels of instructions that settle together with it, or not at all.
    """

    priority: Priority = Priority.NORMAL
    is_held: bool = False
    may_be_partial: bool = False
    expires_at: int | None = None
    linked_to: tuple[str, ...] = ()

    def with_those_of(self, other: "Wishes") -> "Wishes":
        """What both wish: the higher priority, the earlier expiry; parts only if both take them."""
        expiries = [w.expires_at for w in (self, other) if w.expires_at is not None]
        return Wishes(
            priority=min(self.priority, other.priority),
            is_held=self.is_held or other.is_held,
            may_be_partial=self.may_be_partial and other.may_be_partial,
            expires_at=min(expiries, default=None),
            linked_to=tuple(dict.fromkeys(self.linked_to + other.linked_to)),
        )


_Value: TypeAlias = "str | int | date | Enum | None"

_EQUAL: Final[tuple[tuple[str, Callable[[Side], _Value]], ...]] = (
    ("kind", lambda side: side.kind),
    ("isin", lambda side: side.isin),
    ("quantity", lambda side: side.quantity),
    ("currency", lambda side: side.currency),
    ("deliverer", lambda side: side.deliverer),
    ("receiver", lambda side: side.receiver),
    ("settlement_date", lambda side: side.settlement_date),
    ("entitlement", lambda side: side.entitlement),
    ("opts_out", lambda side: side.opts_out),
)
"""Mandatory and additional fields: a blank one equals a blank one only."""

_EQUAL_IF_BOTH: Final[tuple[tuple[str, Callable[[Side], str]], ...]] = (
    ("deliverer_account", lambda side: side.deliverer_account),
    ("receiver_account", lambda side: side.receiver_account),
    ("common_reference", lambda side: side.common_reference),
)


def differences(one: Side, other: Side, table: Sequence[Tolerance]) -> tuple[str, ...]:
    """The fields that keep two sides from matching; none when they match."""
    if one.is_deliverer == other.is_deliverer:
        return ("is_deliverer",)
    found = [name for name, of in _EQUAL if of(one) != of(other)]
    for name, of in _EQUAL_IF_BOTH:
        mine, theirs = of(one), of(other)
        if mine and theirs and mine != theirs:
            found.append(name)
    if not _within_tolerance(one, other, table):
        found.append("amount")
    return tuple(found)


def _within_tolerance(one: Side, other: Side, table: Sequence[Tolerance]) -> bool:
    difference = abs(one.amount - other.amount)
    if not difference:
        return True
    deliverer = one if one.is_deliverer else other
    day, amount = deliverer.settlement_date, deliverer.amount
    return difference <= tolerance_of(table, deliverer.currency, day, amount)


def best_of(side: Side, candidates: Iterable[tuple[int, Side]], table: Sequence[Tolerance]) -> int:
    """The place of the best match among candidates; -1 when none matches."""
    matching = [
        (abs(other.amount - side.amount), place)
        for place, other in candidates
        if not differences(side, other, table)
    ]
    return min(matching, default=(0, -1))[1]


class Unmatched:
    """The sides that wait for their other one, each by its place in the order of entry."""

    def __init__(self, table: Sequence[Tolerance]) -> None:
        self._table = table
        self._side_by_place: dict[int, Side] = {}
        self._places_by_key: dict[tuple[object, ...], dict[int, None]] = {}

    def partner_of(self, side: Side) -> int:
        """The place of the side that matches best; -1 when none does."""
        places = self._places_by_key.get(_key(side, is_deliverer=not side.is_deliverer), ())
        return best_of(side, ((p, self._side_by_place[p]) for p in places), self._table)

    def add(self, place: int, side: Side) -> None:
        """Lets a side wait. No place is used twice."""
        assert place not in self._side_by_place
        self._side_by_place[place] = side
        key = _key(side, is_deliverer=side.is_deliverer)
        self._places_by_key.setdefault(key, {})[place] = None

    def remove(self, place: int) -> None:
        """A side waits no longer. Raises KeyError when it does not wait."""
        side = self._side_by_place.pop(place)
        key = _key(side, is_deliverer=side.is_deliverer)
        places = self._places_by_key[key]
        del places[place]
        if not places:
            del self._places_by_key[key]

    def places(self) -> list[int]:
        """Where the waiting sides stand, earliest first."""
        return sorted(self._side_by_place)


def _key(side: Side, *, is_deliverer: bool) -> tuple[object, ...]:
    """What every candidate has in common; only the fields that must be equal are in it."""
    return (is_deliverer, *(of(side) for _, of in _EQUAL))
