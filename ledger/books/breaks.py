"""The breaks of a node: opened, changed and closed by comparisons, worked on by people.

Those that stand are in memory too, as the disk has them: a comparison that finds what it found
before reads nothing and writes nothing. Nothing is ever deleted.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import insert
from sqlmodel import Session, col, select

from ledger.books.break_history import breaks_at, entry_of, entry_row
from ledger.books.break_life import (
    Break,
    BreakEntry,
    BreakVersion,
    Seen,
    applied,
    key_of,
    opened,
)
from ledger.books.break_rows import BreakEntryRow, BreakRow
from ledger.books.database import Database, UnitOfWork
from ledger.books.reconciliation import Comparison, Difference
from ledger.books.rows import upsert
from ledger.books.tables import table_of
from ledger.domain.amounts import SUPPLY_MAX
from ledger.domain.break_meanings import LikelyCause, likely_cause
from ledger.domain.breaks import STANDING, BreakAct, BreakKind, BreakState
from ledger.domain.reasons import Reason, Rejected

TIMING_BLOCKS_MAX: Final = 3
"""For so many blocks what is in flight may be on its way; then it is a difference like others."""
TEXT_MAX: Final = 500
"""Characters of a comment or a reason."""
AT_ONCE: Final = 500
"""Breaks in one statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakFilter:
    """Which breaks somebody asks for; None, or empty: whatever it is.

    ``as_of_block`` asks for those that stood then, as they were; None: for those there are now.
    """

    states: tuple[BreakState, ...] = ()
    kind: BreakKind | None = None
    assignee: str | None = None
    contains: str = ""
    asset: str | None = None
    as_of_block: int | None = None

    def takes(self, found: Break) -> bool:
        """Whether a break is one of them. ``contains`` is looked for in what it is about."""
        return (
            (not self.states or found.state in self.states)
            and self.kind in (None, found.kind)
            and self.assignee in (None, found.assignee)
            and self.asset in (None, found.version.asset)
            and self.contains.casefold() in found.subject.casefold()
        )


ONLY_OPEN: Final = BreakFilter(states=(BreakState.OPEN,))
EVERY: Final = BreakFilter()


class BreakBook:
    """Every break that a node has ever had, and the history of each."""

    def __init__(self, database: Database, owner: str) -> None:
        self._database = database
        self._owner = owner
        with database.reading() as session:
            states = [state.value for state in STANDING]
            rows = select(BreakRow).where(col(BreakRow.state).in_(states))
            self._standing = {row.id: _break_of(row) for row in session.exec(rows)}

    def standing(self) -> Mapping[str, Break]:
        """The differences that are there, by id: open, or resolved by somebody."""
        return self._standing

    def record(self, session: UnitOfWork, comparisons: Iterable[Comparison], seen: Seen) -> int:
        """Opens breaks for new differences, closes those that are gone; how many are open then.

        What is as it was when last compared is not written again.
        """
        gone: set[str] = set()
        found: dict[str, Difference] = {}
        for comparison in comparisons:
            found |= {difference.id: difference for difference in comparison.found}
            if comparison.is_complete:
                gone.update(id for id in self._standing if id.startswith(comparison.scope))
        closed = BreakEntry(act=BreakAct.CLOSED, seen=seen)
        changes = [(id, closed) for id in sorted(gone - found.keys())]
        changes += self._found(session, found.values(), seen)
        after = self._put(session, changes)
        merged = {**self._standing, **after} if after else self._standing
        return sum(each.state is BreakState.OPEN for each in merged.values())

    def add(self, session: UnitOfWork, found: Iterable[Difference], seen: Seen) -> None:
        """Opens breaks for differences; the same difference again changes nothing."""
        self.record(session, [Comparison("", list(found), is_complete=False)], seen)

    def close(self, session: UnitOfWork, ids: Iterable[str], seen: Seen) -> None:
        """The causes of some breaks have gone; those that do not stand stay as they are."""
        entry = BreakEntry(act=BreakAct.CLOSED, seen=seen)
        self._put(session, [(id, entry) for id in ids if id in self._standing])

    def select(self, wanted: BreakFilter) -> list[Break]:
        """The breaks that somebody asks for, oldest first."""
        breaks: Iterable[Break]
        if wanted.as_of_block is not None:
            with self._database.reading() as session:
                breaks = breaks_at(session, self._owner, wanted.as_of_block)
        elif wanted.states and set(wanted.states) <= set(STANDING):
            breaks = self._standing.values()
        else:
            with self._database.reading() as session:
                breaks = [_break_of(row) for row in session.exec(select(BreakRow))]
        return sorted(
            filter(wanted.takes, breaks), key=lambda each: (each.first_seen.block, each.id)
        )

    def find(self, key: str) -> Break | None:
        """A break by its short name."""
        with self._database.reading() as session:
            row = session.exec(select(BreakRow).where(BreakRow.key == key)).one_or_none()
            return _break_of(row) if row else None

    def history(self, id: str) -> list[BreakEntry]:
        """Everything that has happened to a break, in order."""
        rows = select(BreakEntryRow).where(BreakEntryRow.break_id == id)
        with self._database.reading() as session:
            return [
                entry_of(row) for row in session.exec(rows.order_by(col(BreakEntryRow.sequence)))
            ]

    def entries_after(self, sequence: int, count: int) -> list[tuple[str, BreakEntry]]:
        """What has happened to breaks since an entry: the id of the break, and the entry."""
        rows = select(BreakEntryRow).where(col(BreakEntryRow.sequence) > sequence)
        with self._database.reading() as session:
            found = session.exec(rows.order_by(col(BreakEntryRow.sequence)).limit(count))
            return [(row.break_id, entry_of(row)) for row in found]

    # What people do about a break, by its short name.

    def assign(self, key: str, to: str, by: str, seen: Seen) -> Break | Rejected:
        """Somebody looks after it from now on; empty: nobody does."""
        entry = BreakEntry(act=BreakAct.ASSIGNED, seen=seen, actor=by, text=to)
        return self._act(key, entry, is_done=lambda found: found.assignee == to)

    def comment(self, key: str, text: str, by: str, seen: Seen) -> Break | Rejected:
        """Something is to be remembered about it."""
        if not 0 < len(text) <= TEXT_MAX:
            return _wrong_length("text", text)
        entry = BreakEntry(act=BreakAct.COMMENTED, seen=seen, actor=by, text=text)
        return self._act(key, entry)

    def resolve(self, key: str, reason: str, by: str, seen: Seen) -> Break | Rejected:
        """It is understood and dealt with; it closes once the difference has gone."""
        if not 0 < len(reason) <= TEXT_MAX:
            return _wrong_length("reason", reason)
        entry = BreakEntry(act=BreakAct.RESOLVED, seen=seen, actor=by, text=reason)
        return self._act(
            key,
            entry,
            is_done=lambda found: (found.state, found.resolution) == (BreakState.RESOLVED, reason),
        )

    def reopen(self, key: str, by: str, seen: Seen) -> Break | Rejected:
        """What was resolved is open again."""
        entry = BreakEntry(act=BreakAct.REOPENED, seen=seen, actor=by)
        return self._act(key, entry, is_done=lambda found: found.state is BreakState.OPEN)

    def _act(
        self, key: str, entry: BreakEntry, is_done: Callable[[Break], bool] | None = None
    ) -> Break | Rejected:
        found = self.find(key)
        if found is None:
            return Rejected(Reason.UNKNOWN, f"{self._owner} has no break {key}")
        if not found.is_standing and entry.act is not BreakAct.COMMENTED:
            return Rejected(Reason.FINAL, f"break {key} has closed: the difference is gone")
        if is_done is not None and is_done(found):
            return found
        with self._database.transaction() as session:
            return self._put(session, [(found.id, entry)], {found.id: found})[found.id]

    def _found(
        self, session: Session, found: Iterable[Difference], seen: Seen
    ) -> Iterator[tuple[str, BreakEntry]]:
        """What differences mean for the breaks of their ids."""
        news = []
        for difference in found:
            before = self._standing.get(difference.id)
            if before is None:
                news.append(difference)
                continue
            is_overdue = seen.block - before.first_seen.block > TIMING_BLOCKS_MAX
            after = _version_of(difference, is_overdue=is_overdue)
            if before.version.says_the_same(after):
                continue
            was_open = before.state is BreakState.OPEN
            act = BreakAct.CHANGED if was_open else BreakAct.REOPENED
            entry = BreakEntry(act=act, seen=seen, before=before.version, after=after)
            yield difference.id, entry
        earlier = self._read(session, [difference.id for difference in news])
        for difference in news:
            after = _version_of(difference, is_overdue=False)
            before = earlier.get(difference.id)
            act = BreakAct.REOPENED if before else BreakAct.OPENED
            version = before.version if before else None
            yield difference.id, BreakEntry(act=act, seen=seen, before=version, after=after)

    def _put(
        self,
        session: UnitOfWork,
        changes: Sequence[tuple[str, BreakEntry]],
        known: Mapping[str, Break] | None = None,
    ) -> dict[str, Break]:
        """Writes what has happened; the breaks concerned as they are then."""
        if not changes:
            return {}
        before = known or self._read(session, [id for id, _ in changes])
        after: dict[str, Break] = {}
        for id, entry in changes:
            last = after.get(id) or before.get(id)
            after[id] = applied(last, entry) if last else opened(id, self._owner, entry)
        upsert(session, BreakRow, [_row_of(each) for each in after.values()])
        entries = [entry_row(id, entry) for id, entry in changes]
        session.connection().execute(insert(table_of(BreakEntryRow)), entries)
        session.on_commit(lambda: self._publish(after))
        return after

    def _publish(self, changed: Mapping[str, Break]) -> None:
        # A new mapping: whoever looks at the one from before goes on seeing it whole.
        everything = {**self._standing, **changed}
        self._standing = {id: each for id, each in everything.items() if each.is_standing}

    def _read(self, session: Session, ids: Sequence[str]) -> dict[str, Break]:
        """Those of some breaks that there have ever been."""
        found = {id: self._standing[id] for id in ids if id in self._standing}
        unknown = [id for id in ids if id not in found]
        for first in range(0, len(unknown), AT_ONCE):
            part = unknown[first : first + AT_ONCE]
            rows = session.exec(select(BreakRow).where(col(BreakRow.id).in_(part)))
            found |= {row.id: _break_of(row) for row in rows}
        return found


def _version_of(difference: Difference, *, is_overdue: bool) -> BreakVersion:
    """The versions of a difference; what is in flight for too long is not in flight."""
    kind = difference.kind
    if kind is BreakKind.TIMING and is_overdue and difference.kind_if_it_stays:
        kind = difference.kind_if_it_stays
    return BreakVersion(
        kind=kind,
        subject=difference.subject,
        ours=difference.ours,
        theirs=difference.theirs,
        cause=difference.cause or likely_cause(kind),
        asset=difference.asset,
        # Somebody else's record may say anything that a column holds.
        at_risk=min(difference.at_risk, SUPPLY_MAX),
        currency=difference.currency,
    )


def _wrong_length(name: str, found: str) -> Rejected:
    expected = f"expected 1 to {TEXT_MAX} characters, found {len(found)}"
    return Rejected(Reason.INVALID, f"{name}: {expected}")


def _row_of(each: Break) -> dict[str, Any]:
    version = each.version
    return {
        "id": each.id,
        "key": key_of(each.id),
        "owner": each.owner,
        "kind": version.kind.value,
        "subject": version.subject,
        "ours": version.ours,
        "theirs": version.theirs,
        "asset": version.asset,
        "at_risk": version.at_risk,
        "currency": version.currency,
        "cause": version.cause.value,
        "state": each.state.value,
        "assignee": each.assignee,
        "resolution": each.resolution,
        "occurrences": each.occurrences,
        "first_seen_block": each.first_seen.block,
        "first_seen_at": each.first_seen.at,
        "closed_block": each.closed.block if each.closed else None,
        "closed_at": each.closed.at if each.closed else None,
    }


def _break_of(row: BreakRow) -> Break:
    closed = None
    if row.closed_block is not None and row.closed_at is not None:
        closed = Seen(row.closed_block, row.closed_at)
    return Break(
        id=row.id,
        owner=row.owner,
        version=BreakVersion(
            kind=BreakKind(row.kind),
            subject=row.subject,
            ours=row.ours,
            theirs=row.theirs,
            cause=LikelyCause(row.cause),
            asset=row.asset,
            at_risk=row.at_risk,
            currency=row.currency,
        ),
        first_seen=Seen(row.first_seen_block, row.first_seen_at),
        state=BreakState(row.state),
        assignee=row.assignee,
        resolution=row.resolution,
        occurrences=row.occurrences,
        closed=closed,
    )
