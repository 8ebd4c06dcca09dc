"""The sides of instructions that participants have entered, on disk, in order of entry.

The clearing house keeps everybody's; a trader keeps its own, so that it knows what it has entered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import msgspec
from sqlmodel import col, select

from ledger.books.changes import SideChange, note_changes
from ledger.books.database import Database, UnitOfWork
from ledger.books.side_rows import EnteredSideRow
from ledger.domain.errors import MalformedError
from ledger.settlement.matching import Side, Wishes


class SideState(Enum):
    """How far a side has come."""

    UNMATCHED = "unmatched"
    MATCHED = "matched"
    """It has found the other side; the instruction is not in the queue yet."""
    ENTERED = "entered"
    """The instruction is in the queue, or has ended there."""
    CANCELLED = "cancelled"
    FAILED = "failed"
    """Its time passed before the instruction was in the queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """A side on record.

    Attributes:
        participant: who entered it.
        reference: what that participant calls it; never used again.
        place: its place in the order of entry, from 0.
        label: of the instruction that it was matched into; empty before.
        has_asked_out: it was matched, and its participant has asked for cancellation.
    """

    participant: str
    reference: str
    place: int
    side: Side
    wishes: Wishes
    state: SideState = SideState.UNMATCHED
    label: str = ""
    has_asked_out: bool = False


class EnteredSides:
    """Sides by participant and reference."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.reading() as session:
            places = select(EnteredSideRow.place).order_by(col(EnteredSideRow.place).desc())
            self._last_place = session.exec(places.limit(1)).first()

    @property
    def next_place(self) -> int:
        """The place of the next one."""
        return 0 if self._last_place is None else self._last_place + 1

    def get(self, participant: str, reference: str) -> Entered | None:
        """A side by its participant and reference."""
        with self._database.reading() as session:
            row = session.get(EnteredSideRow, (participant, reference))
            return _entered(row) if row else None

    def in_state(self, state: SideState) -> list[Entered]:
        """All sides in a state, in order of entry."""
        with self._database.reading() as session:
            rows = select(EnteredSideRow).where(EnteredSideRow.state == state.value)
            return [_entered(row) for row in session.exec(rows.order_by(col(EnteredSideRow.place)))]

    def since(self, place: int, count: int, participant: str | None = None) -> list[Entered]:
        """The first so many from a place on, in order of entry, of all or of one participant."""
        wanted = select(EnteredSideRow).where(EnteredSideRow.place >= place)
        if participant is not None:
            wanted = wanted.where(EnteredSideRow.participant == participant)
        with self._database.reading() as session:
            rows = session.exec(wanted.order_by(col(EnteredSideRow.place)).limit(count))
            return [_entered(row) for row in rows]

    def of_instruction(self, label: str) -> tuple[Entered, Entered]:
        """The deliverer's side and the receiver's of what was matched under a label."""
        with self._database.reading() as session:
            rows = session.exec(select(EnteredSideRow).where(EnteredSideRow.label == label))
            one, other = (_entered(row) for row in rows)
        return (one, other) if one.side.is_deliverer else (other, one)

    def add(self, session: UnitOfWork, entered: Entered) -> None:
        """Puts a new side into a transaction; its place is ``next_place``."""
        assert entered.place == self.next_place
        session.add(_row(entered))
        note_changes(session, [_change("", entered)])
        session.on_commit(lambda: setattr(self, "_last_place", entered.place))

    def change(self, session: UnitOfWork, sides: Sequence[Entered]) -> None:
        """Puts what has become of sides into a transaction."""
        for entered in sides:
            row = session.get_one(EnteredSideRow, (entered.participant, entered.reference))
            note_changes(session, [_change(row.state, entered)])
            row.state, row.label = entered.state.value, entered.label
            row.has_asked_out = entered.has_asked_out

    def forget(self, session: UnitOfWork, entered: Entered) -> None:
        """Puts into a transaction that a side was never entered: whoever was asked refused it."""
        session.delete(session.get_one(EnteredSideRow, (entered.participant, entered.reference)))


def packed(side: Side, wishes: Wishes) -> bytes:
    """A side and its wishes as they are kept.

    Raises MalformedError when they come from somebody who put anything else into their fields.
    """
    try:
        payload = msgspec.msgpack.encode((side, wishes))
        is_same = _unpacked(payload) == (side, wishes)
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError) as error:
        raise MalformedError(f"a side of an instruction ({error})", "something else") from error
    if not is_same:
        raise MalformedError("a side of an instruction", "something else")
    return payload


def _unpacked(payload: bytes) -> tuple[Side, Wishes]:
    return msgspec.msgpack.decode(payload, type=tuple[Side, Wishes])


def _entered(row: EnteredSideRow) -> Entered:
    side, wishes = _unpacked(row.payload)
    return Entered(
        participant=row.participant,
        reference=row.reference,
        place=row.place,
        side=side,
        wishes=wishes,
        state=SideState(row.state),
        label=row.label,
        has_asked_out=row.has_asked_out,
    )


def _change(before: str, entered: Entered) -> SideChange:
    return SideChange(
        entered.participant,
        entered.reference,
        before,
        entered.state.value,
        entered.label,
        entered.has_asked_out,
    )


def _row(entered: Entered) -> EnteredSideRow:
    return EnteredSideRow(
        participant=entered.participant,
        reference=entered.reference,
        place=entered.place,
        payload=packed(entered.side, entered.wishes),
        state=entered.state.value,
        label=entered.label,
        has_asked_out=entered.has_asked_out,
    )
