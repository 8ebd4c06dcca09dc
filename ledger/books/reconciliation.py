"""Reconciliation: records that should agree, compared; every difference is a break with an owner.

Positions are compared three ways: the node's own book, the ledger as projected from final blocks,
and the statement of whoever keeps the account (settlement bank or registrar). Without a statement
the other two are compared all the same, but no break closes. A break closes by itself when the
difference has gone; it is never deleted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from sqlalchemy import Select
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from ledger.books.keyed import Keyed
from ledger.books.tables import BreakRow, table_of
from ledger.clearing.columns import Column
from ledger.domain.breaks import BreakKind


@dataclass(frozen=True, slots=True)
class Difference:
    """Two versions of one thing.

    Attributes:
        id: the same as long as it is the same difference.
        asset: ISIN or currency; empty where it is about neither.
        at_risk: what is in doubt, in minor units of ``currency``; 0 when nothing of value is.
    """

    id: str
    kind: BreakKind
    subject: str
    ours: str
    theirs: str
    asset: str = ""
    at_risk: int = 0
    currency: str = ""


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


def record(session: Session, owner: str, comparisons: Iterable[Comparison], seen: Seen) -> int:
    """Opens breaks for new differences and closes those that are gone; returns how many are open.

    What is as it was when last compared is not written again.
    """
    standing: set[str] = set(session.connection().scalars(_open_ids()))
    for comparison in comparisons:
        found = {difference.id: difference for difference in comparison.found}
        if comparison.is_complete:
            gone = {id for id in standing if id.startswith(comparison.scope)} - found.keys()
            for id in sorted(gone):
                session.get_one(BreakRow, id).closed_block = seen.block
            standing -= gone
        for difference in found.values():
            _open(session, owner, difference, seen)
        standing |= found.keys()
    return len(standing)


def record_breaks(
    session: Session, owner: str, prefix: str, found: Iterable[Difference], seen: Seen
) -> None:
    """Opens breaks for new differences and closes those of this prefix that are gone."""
    record(session, owner, [Comparison(prefix, list(found), is_complete=True)], seen)


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


def compare_positions(ours: Keyed, ledger: Keyed, statement: Keyed | None) -> dict[int, Versions]:
    """The positions on which the records do not agree, by holding key.

    Each record has one amount by key. Without a statement the other two are compared.
    """
    records = [ours, ledger, ours if statement is None else statement]
    keys = _all_keys(records)
    first, *others = (record.of(keys)[0] for record in records)
    differ = np.any([first != other for other in others], axis=0)
    return {
        key: Versions(*(record.get(key) for record in records)) for key in keys[differ].tolist()
    }


def _all_keys(records: Sequence[Keyed]) -> Column:
    """Every key of some records, ascending."""
    first, *others = [record.keys.column for record in records]
    if all(np.array_equal(first, other) for other in others):
        return first
    return np.unique(np.concatenate([first, *others]))


@cache
def _open_ids() -> Select[tuple[str]]:
    breaks = table_of(BreakRow)
    return select_columns(breaks.c.id).where(breaks.c.closed_block.is_(None))


def open_breaks(session: Session) -> Sequence[BreakRow]:
    """The breaks that are open, oldest first."""
    rows = select(BreakRow).where(col(BreakRow.closed_block).is_(None))
    return session.exec(rows.order_by(col(BreakRow.first_seen_block), col(BreakRow.id))).all()
