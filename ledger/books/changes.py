"""What has changed in a node's books, written down in the commit that changes it.

Most events can be read off the books; a change of state cannot, once the next one has taken its
place. So it is noted, for whoever tells others of it. Nothing is noted before somebody follows.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

import msgspec
from sqlalchemy import LargeBinary, bindparam, exists, insert
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, delete, func, select

from ledger.books.database import Database
from ledger.books.rows import insert_new
from ledger.books.tables import ChangeRow, table_of

_MARK: Final = 0
"""The row that says that somebody follows."""
_changes: Final = table_of(ChangeRow)
# Put together once: what these say takes less time than making them.
_NOTE: Final = insert(_changes).from_select(
    ["number", "payload"],
    select_columns(
        select_columns(func.max(_changes.c.number) + 1).scalar_subquery(),
        bindparam("payload", type_=LargeBinary),
    ).where(exists().select_from(_changes)),
    include_defaults=False,
)
_AFTER: Final = (
    select_columns(_changes.c.number, _changes.c.payload)
    .where(_changes.c.number > bindparam("after"))
    .order_by(_changes.c.number)
    .limit(bindparam("count"))
)


class Standing(msgspec.Struct, frozen=True, array_like=True):
    """What may change of an instruction. Participants are numbers."""

    state: str
    reason: str
    held_by: tuple[int, ...]
    cancelled_by: tuple[int, ...]
    priority: int
    parts: int
    settled_quantity: int
    settled_amount: int
    block: int | None


class InstructionChange(msgspec.Struct, frozen=True, array_like=True, tag="instruction"):
    """An instruction came in (``before`` is None) or changed. ``sides``: deliverer, receiver."""

    label: str
    sides: tuple[int, int]
    before: Standing | None
    after: Standing


class TradesChange(msgspec.Struct, frozen=True, array_like=True, tag="trades"):
    """What became of single trades, as pairs: the first position and how many follow each other."""

    ranges: tuple[tuple[int, int], ...]
    state: str
    reason: str
    block: int | None = None


class SideChange(msgspec.Struct, frozen=True, array_like=True, tag="side"):
    """One side of an instruction came in (``before`` is empty) or changed."""

    participant: str
    reference: str
    before: str
    state: str
    label: str
    has_asked_out: bool


Change: TypeAlias = InstructionChange | TradesChange | SideChange


def note_changes(session: Session, changes: Sequence[Change]) -> None:
    """Puts changes into the commit that makes them, if somebody follows."""
    if changes:
        payload = msgspec.msgpack.encode(changes)
        session.connection().execute(_NOTE, {"payload": payload})


class ChangeLog:
    """The changes that were noted in a database, one number a commit, from 1."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def follow(self) -> None:
        """From now on changes are noted, for the life of the database."""
        with self._database.transaction() as session:
            insert_new(session, ChangeRow, {"number": _MARK, "payload": b""})

    def last(self) -> int:
        """The number of the last commit with changes; 0 when there is none."""
        with self._database.reading() as session:
            return session.exec(select(func.max(ChangeRow.number))).one() or 0

    def after(self, number: int, count: int) -> list[tuple[int, list[Change]]]:
        """The changes of the first so many commits after one, oldest first."""
        wanted = {"after": number, "count": count}
        with self._database.reading() as session:
            found = session.connection().execute(_AFTER, wanted).all()
        return [
            (place, msgspec.msgpack.decode(payload, type=list[Change])) for place, payload in found
        ]

    def forget(self, number: int) -> None:
        """Removes those up to a number, which nobody needs any more; the last one stays."""
        last = self.last()
        with self._database.transaction(is_from_chain=True) as session:
            is_old = col(ChangeRow.number).between(_MARK + 1, min(number, last - 1))
            session.exec(delete(ChangeRow).where(is_old))


def ranges_of(positions: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Ascending positions as pairs: the first, and how many follow each other."""
    ranges: list[tuple[int, int]] = []
    for position in positions:
        if ranges and position == sum(ranges[-1]):
            ranges[-1] = (ranges[-1][0], ranges[-1][1] + 1)
        else:
            ranges.append((position, 1))
    return tuple(ranges)
