"""The journal of events: numbered from 1 without a gap, kept with how far each source was followed.

Events and cursors are one commit, so that a crash neither loses an event nor repeats one. The
latest are kept in memory too, for the many who read along.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, LargeBinary
from sqlmodel import Field, SQLModel, col, delete, func, select
from sqlmodel.sql.expression import SelectOfScalar

from ledger.books.database import Database, UnitOfWork
from ledger.books.rows import upsert

EVENTS_KEPT_MAX: Final = 1_000_000
RECENT_EVENTS_MAX: Final = 20_000
"""Kept in memory."""
_TRIMMED_EVERY: Final = 1_000


class EventRow(SQLModel, table=True):
    """An event as it is told: a JSON object. ``participants`` have a space on each side."""

    __tablename__ = "events"
    sequence: int = Field(primary_key=True)
    type: str = Field(index=True)
    subject: str = Field(index=True)
    participants: str
    payload: bytes = Field(sa_type=LargeBinary)


class EventCursorRow(SQLModel, table=True):
    """How far a source of events was followed: JSON that only its follower reads."""

    __tablename__ = "event_cursors"
    source: str = Field(primary_key=True)
    cursor: str


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """An event on record.

    Attributes:
        participants: whom it concerns; nobody: it is for all to know.
        payload: the event as JSON.
    """

    sequence: int
    type: str
    subject: str
    participants: frozenset[str]
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events are wanted; what is None leaves all."""

    type: str | None = None
    """The whole type, or its beginning and a star."""
    subject: str | None = None
    participant: str | None = None

    def takes(self, event: KeptEvent) -> bool:
        """Whether an event is wanted."""
        return (
            (self.type is None or is_of_type(event.type, self.type))
            and self.subject in (None, event.subject)
            and (self.participant is None or self.participant in event.participants)
        )


EVERYTHING: Final = EventFilter()


class EventStore:
    """Events by sequence. One thread writes; any may read."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._recent: dict[int, KeptEvent] = {}
        with database.reading() as session:
            ends = select(func.min(EventRow.sequence), func.max(EventRow.sequence))
            first, last = session.exec(ends).one()
            self._cursors: dict[str, Any] = {
                row.source: msgspec.json.decode(row.cursor)
                for row in session.exec(select(EventCursorRow))
            }
        self.first_sequence: int = first or 1
        self.last_sequence: int = last or 0

    def cursor(self, source: str) -> Any:  # noqa: ANN401 # JSON, as the follower of the source has it
        """How far a source was followed; None when it never was."""
        return self._cursors.get(source)

    def append(self, events: Sequence[KeptEvent], cursors: Mapping[str, Any]) -> None:
        """Keeps the next events and how far their sources were followed, in one commit.

        Raises StorageError.
        """
        sequences = [event.sequence for event in events]
        assert sequences == [*range(self.last_sequence + 1, self.last_sequence + 1 + len(events))]
        changed = [
            {"source": source, "cursor": msgspec.json.encode(cursor).decode()}
            for source, cursor in cursors.items()
        ]
        with self._database.transaction() as session:
            upsert(session, EventRow, [_values(event) for event in events])
            upsert(session, EventCursorRow, changed)
            self._trim(session, self.last_sequence + len(events))
            session.on_commit(lambda: self._publish(events, cursors))

    def after(self, sequence: int, count: int) -> list[KeptEvent]:
        """The first so many after a sequence, oldest first."""
        first = max(sequence + 1, self.first_sequence)
        end = min(first + count, self.last_sequence + 1)
        try:
            return [self._recent[each] for each in range(first, end)]
        except KeyError:
            return self.wanted(EVERYTHING, sequence, count)

    def wanted(
        self,
        wanted: EventFilter,
        after: int,
        count: int,
        reader: str | None = None,
    ) -> list[KeptEvent]:
        """The first so many after a sequence that are wanted, and that a reader may see.

        ``reader`` is a participant; None sees all.
        """
        rows = _rows(wanted, reader).where(col(EventRow.sequence) > after)
        in_order = rows.order_by(col(EventRow.sequence))
        with self._database.reading() as session:
            return [_kept(row) for row in session.exec(in_order.limit(count))]

    def latest(
        self,
        wanted: EventFilter,
        count: int,
        reader: str | None = None,
        *,
        since: int = 0,
        below: int | None = None,
    ) -> list[KeptEvent]:
        """The last so many that are wanted, newest first: after a sequence, and before another."""
        rows = _rows(wanted, reader).where(col(EventRow.sequence) > since)
        if below is not None:
            rows = rows.where(col(EventRow.sequence) < below)
        newest_first = rows.order_by(col(EventRow.sequence).desc())
        with self._database.reading() as session:
            return [_kept(row) for row in session.exec(newest_first.limit(count))]

    def get(self, sequence: int) -> KeptEvent | None:
        """An event by its sequence; None when there is none, or none any more."""
        with self._database.reading() as session:
            row = session.get(EventRow, sequence)
            return _kept(row) if row else None

    def _trim(self, session: UnitOfWork, last: int) -> None:
        """Now and then removes what is too old."""
        first = last - EVENTS_KEPT_MAX + 1
        if first - self.first_sequence < _TRIMMED_EVERY:
            return
        session.exec(delete(EventRow).where(col(EventRow.sequence) < first))
        session.on_commit(lambda: setattr(self, "first_sequence", first))

    def _publish(self, events: Sequence[KeptEvent], cursors: Mapping[str, Any]) -> None:
        self._cursors.update(cursors)
        for event in events:
            self._recent[event.sequence] = event
            self._recent.pop(event.sequence - RECENT_EVENTS_MAX, None)
        # Last: whoever reads along finds what it says.
        self.last_sequence += len(events)


def is_of_type(type: str, wanted: str) -> bool:
    """Whether a type is the wanted one, or begins with what stands before the star.

    ``trade.*`` is short for the types of this project: the prefix and version may be left out.
    """
    if wanted.endswith("*"):
        return type.startswith(_whole(wanted[:-1]))
    return type in (wanted, f"{_whole(wanted)}.v1")


TYPE_PREFIX: Final = "org.novate."


def _rows(wanted: EventFilter, reader: str | None) -> SelectOfScalar[EventRow]:
    """Those that are wanted, and that a reader may see."""
    rows = select(EventRow)
    if wanted.type is not None:
        rows = rows.where(_of_type(wanted.type))
    if wanted.subject is not None:
        rows = rows.where(EventRow.subject == wanted.subject)
    if wanted.participant is not None:
        rows = rows.where(_concerns(wanted.participant))
    if reader is not None:
        rows = rows.where(_concerns(reader) | (col(EventRow.participants) == ""))
    return rows


def _whole(wanted: str) -> str:
    return wanted if wanted.startswith("org.") else TYPE_PREFIX + wanted


def _of_type(wanted: str) -> ColumnElement[bool]:
    if wanted.endswith("*"):
        return col(EventRow.type).startswith(_whole(wanted[:-1]), autoescape=True)
    return col(EventRow.type).in_([wanted, f"{_whole(wanted)}.v1"])


def _concerns(participant: str) -> ColumnElement[bool]:
    return col(EventRow.participants).contains(f" {participant} ", autoescape=True)


def _values(event: KeptEvent) -> dict[str, Any]:
    names = " ".join(sorted(event.participants))
    return {
        "sequence": event.sequence,
        "type": event.type,
        "subject": event.subject,
        "participants": f" {names} " if names else "",
        "payload": event.payload,
    }


def _kept(row: EventRow) -> KeptEvent:
    participants = frozenset(row.participants.split())
    return KeptEvent(row.sequence, row.type, row.subject, participants, row.payload)
