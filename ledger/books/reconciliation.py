"""Reconciliation: records that should agree, compared; every difference is a break with an owner.

Positions are compared three ways: the node's own book, the ledger as projected from final blocks,
and the statement of whoever keeps the account (settlement bank or registrar). Without a statement
the other two are compared all the same, but no break closes. A break closes by itself when the
difference has gone; it is never deleted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from ledger.books.tables import BreakRow
from ledger.domain.breaks import BreakKind


@dataclass(frozen=True, slots=True)
class Difference:
    """Two versions of one thing. ``id`` is the same as long as it is the same difference."""

    id: str
    kind: BreakKind
    subject: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Seen:
    """When a comparison was made: as of which block, and at what business time."""

    block: int
    at: str


@dataclass(frozen=True, slots=True)
class Versions:
    """What three records say of one position; None where a record does not speak of it."""

    ours: int | None
    ledger: int | None
    statement: int | None

    def agree(self) -> bool:
        """Whether nobody contradicts; a position nobody has anything in need not be listed."""
        return len({self.ours or 0, self.ledger or 0, self.statement or 0}) == 1

    def kind(self, unit: BreakKind) -> BreakKind:
        """How they differ: somebody has nothing of it, or the amounts differ."""
        if not self.ours and self.ledger:
            return BreakKind.MISSING_OURS
        if self.ours and (not self.ledger or not self.statement):
            return BreakKind.MISSING_THEIRS
        return unit


@dataclass(frozen=True, slots=True)
class Comparison:
    """What comparing one set of records found.

    Attributes:
        scope: with which the ids of its differences begin.
        is_complete: whether all records were there; only then does a break close.
    """

    scope: str
    found: Sequence[Difference]
    is_complete: bool

    def record(self, session: Session, owner: str, seen: Seen) -> None:
        """Opens breaks for new differences, and closes those that are gone."""
        if self.is_complete:
            record_breaks(session, owner, self.scope, self.found, seen)
        else:
            add_breaks(session, owner, self.found, seen)


def record_breaks(
    session: Session, owner: str, prefix: str, found: Iterable[Difference], seen: Seen
) -> None:
    """Opens breaks for new differences and closes those of this prefix that are gone."""
    current = {difference.id: difference for difference in found}
    open_rows = session.exec(
        select(BreakRow).where(
            col(BreakRow.id).startswith(prefix), col(BreakRow.closed_block).is_(None)
        )
    ).all()
    for row in open_rows:
        if row.id not in current:
            row.closed_block = seen.block
    for difference in current.values():
        _open(session, owner, difference, seen)


def add_breaks(session: Session, owner: str, found: Iterable[Difference], seen: Seen) -> None:
    """Opens breaks for differences; the same difference again changes nothing."""
    for difference in found:
        _open(session, owner, difference, seen)


def _open(session: Session, owner: str, difference: Difference, seen: Seen) -> None:
    row = session.get(BreakRow, difference.id)
    if row is None:
        row = BreakRow(
            id=difference.id,
            kind=difference.kind.value,
            owner=owner,
            subject=difference.subject,
            ours=difference.ours,
            theirs=difference.theirs,
            first_seen_block=seen.block,
            first_seen_at=seen.at,
        )
        session.add(row)
    row.kind, row.ours, row.theirs = difference.kind.value, difference.ours, difference.theirs
    row.closed_block = None


def compare_positions(
    ours: Mapping[int, int], ledger: Mapping[int, int], statement: Mapping[int, int] | None
) -> dict[int, Versions]:
    """The positions on which the records do not agree, by holding key.

    Without a statement the other two are compared.
    """
    differing = {}
    for key in sorted({*ours, *ledger, *(statement or {})}):
        stated = ours.get(key) if statement is None else statement.get(key)
        versions = Versions(ours.get(key), ledger.get(key), stated)
        if not versions.agree():
            differing[key] = versions
    return differing


def open_breaks(session: Session) -> Sequence[BreakRow]:
    """The breaks that are open, oldest first."""
    rows = select(BreakRow).where(col(BreakRow.closed_block).is_(None))
    return session.exec(rows.order_by(col(BreakRow.first_seen_block), col(BreakRow.id))).all()
