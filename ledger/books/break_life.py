"""The life of a break: entries of its history, and the break that they lead to.

A break is nothing but its history: ``applied`` makes the next state of it from the one before, and
folding all its entries gives the break as it stands.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Final, assert_never

from ledger.domain.break_meanings import LikelyCause
from ledger.domain.breaks import AgeBucket, BreakAct, BreakKind, BreakState

KEY_DIGITS: Final = 16
"""Hexadecimal digits of the short name of a break."""
BY_ITSELF: Final = ""
"""The actor where reconciliation found it, and nobody did anything."""


@dataclass(frozen=True, slots=True)
class Seen:
    """When a comparison was made, or something done: as of which block, at what business time."""

    block: int
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakVersion:
    """What two records say, when somebody looked.

    Attributes:
        asset: ISIN or currency; empty where it is about neither.
        at_risk: what was in doubt when it came to differ so, in minor units of ``currency``.
    """

    kind: BreakKind
    subject: str
    ours: str
    theirs: str
    cause: LikelyCause
    asset: str = ""
    at_risk: int = 0
    currency: str = ""

    def says_the_same(self, other: "BreakVersion") -> bool:
        """Whether nothing has come to differ otherwise; prices that have moved are no change."""
        return replace(self, at_risk=other.at_risk, currency=other.currency) == other


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEntry:
    """Something that happened to a break.

    Attributes:
        sequence: its place in the node's history of breaks; 0 before it is written.
        actor: who did it; empty when it came from reconciliation.
        text: the assignee, the comment, or the reason.
        before: the versions, where it changed them.
        after: the versions from then on, where it changed them.
    """

    act: BreakAct
    seen: Seen
    actor: str = BY_ITSELF
    text: str = ""
    before: BreakVersion | None = None
    after: BreakVersion | None = None
    sequence: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A difference between two records, as it stands.

    Attributes:
        id: the same as long as it is the same difference; it comes again under the same id.
        owner: the node that found it in its own records.
        assignee: who looks after it; empty: nobody yet.
        resolution: why it was resolved, while it is.
        occurrences: how often the difference has come.
        first_seen: since when it is there, this time; earlier times are in its history.
        closed: when the difference was seen to be gone.
        age: business days since it was first seen, until now or until it closed; as of reading.
    """

    id: str
    owner: str
    version: BreakVersion
    first_seen: Seen
    state: BreakState = BreakState.OPEN
    assignee: str = ""
    resolution: str = ""
    occurrences: int = 1
    closed: Seen | None = None
    age: int = 0

    @property
    def key(self) -> str:
        """Its short name, for addresses: unique among the breaks of its owner."""
        return key_of(self.id)

    @property
    def kind(self) -> BreakKind:
        """How the records differ."""
        return self.version.kind

    @property
    def subject(self) -> str:
        """What they differ on."""
        return self.version.subject

    @property
    def ours(self) -> str:
        """What the owner has."""
        return self.version.ours

    @property
    def theirs(self) -> str:
        """What the others have."""
        return self.version.theirs

    @property
    def is_standing(self) -> bool:
        """Whether the difference is there, resolved or not."""
        return self.state is not BreakState.CLOSED

    @property
    def bucket(self) -> AgeBucket:
        """How old it is."""
        return AgeBucket.of(self.age)

    @property
    def first_seen_block(self) -> int:
        """The block as of which it was first seen, this time."""
        return self.first_seen.block

    @property
    def first_seen_at(self) -> str:
        """The business time at which it was first seen, this time."""
        return self.first_seen.at

    @property
    def first_seen_on(self) -> datetime:
        """The same as a moment."""
        return datetime.fromisoformat(self.first_seen.at)

    @property
    def closed_on(self) -> datetime | None:
        """When it closed, as a moment; None while it stands."""
        return datetime.fromisoformat(self.closed.at) if self.closed else None


def key_of(id: str) -> str:
    """The short name of a break."""
    return sha256(id.encode()).hexdigest()[:KEY_DIGITS]


def opened(id: str, owner: str, entry: BreakEntry) -> Break:
    """The break that an entry opens."""
    assert entry.act is BreakAct.OPENED
    assert entry.after is not None, "what is opened has versions"
    return Break(id=id, owner=owner, version=entry.after, first_seen=entry.seen)


def applied(before: Break, entry: BreakEntry) -> Break:
    """A break after something has happened to it."""
    match entry.act:
        case BreakAct.OPENED:
            raise AssertionError("a break is opened once")
        case BreakAct.CHANGED:
            after = replace(before, version=entry.after or before.version)
        case BreakAct.ASSIGNED:
            after = replace(before, assignee=entry.text)
        case BreakAct.COMMENTED:
            after = before
        case BreakAct.RESOLVED:
            after = replace(before, state=BreakState.RESOLVED, resolution=entry.text)
        case BreakAct.CLOSED:
            after = replace(before, state=BreakState.CLOSED, closed=entry.seen)
        case BreakAct.REOPENED:
            after = _reopened(before, entry)
        case _:
            assert_never(entry.act)
    return after


def _reopened(before: Break, entry: BreakEntry) -> Break:
    """Open again: as the same difference, or as one that has come again."""
    version = entry.after or before.version
    again = replace(before, state=BreakState.OPEN, resolution="", version=version)
    if before.is_standing:
        return again
    count = before.occurrences + 1
    return replace(again, first_seen=entry.seen, closed=None, occurrences=count)


def folded(id: str, owner: str, entries: Iterable[BreakEntry]) -> Break:
    """The break that a history leads to."""
    first, *others = entries
    found = opened(id, owner, first)
    for entry in others:
        found = applied(found, entry)
    return found
