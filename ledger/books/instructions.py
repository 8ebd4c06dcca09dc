"""The clearing house's instructions on disk, in order of arrival."""

from collections.abc import Sequence
from typing import Final

from sqlmodel import col, func, select

from ledger.books.database import Database, UnitOfWork
from ledger.books.tables import InstructionRow

QUEUED: Final = "queued"
SETTLED: Final = "settled"
CANCELLED: Final = "cancelled"
AT_ONCE: Final = 10_000
"""Positions in one statement; the database takes three times as many."""


class InstructionQueue:
    """The instructions of the clearing house, by order of arrival.

    The rows handed out are copies for reading; an instruction changes through ``change`` alone.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, session: UnitOfWork, rows: Sequence[InstructionRow]) -> None:
        """Appends instructions to the queue."""
        count = session.exec(select(func.count()).select_from(InstructionRow)).one()
        for arrival, row in enumerate(rows, start=count):
            row.arrival = arrival
            session.add(row)

    def change(self, session: UnitOfWork, id: bytes, **values: object) -> None:
        """Puts changes of an instruction into a transaction."""
        row = session.get_one(InstructionRow, id)
        for name, value in values.items():
            setattr(row, name, value)

    def cancel(self, session: UnitOfWork, positions: Sequence[int]) -> None:
        """Cancels the queued instructions of some trades."""
        for first in range(0, len(positions), AT_ONCE):
            rows = select(InstructionRow).where(
                col(InstructionRow.position).in_(positions[first : first + AT_ONCE]),
                InstructionRow.state == QUEUED,
            )
            for row in session.exec(rows):
                row.state = CANCELLED

    def waiting(self) -> list[InstructionRow]:
        """The queued instructions, in order of arrival."""
        with self._database.reading() as session:
            rows = select(InstructionRow).where(InstructionRow.state == QUEUED)
            return list(session.exec(rows.order_by(col(InstructionRow.arrival))))

    def all(self) -> list[InstructionRow]:
        """Every instruction, in order of arrival."""
        with self._database.reading() as session:
            return list(session.exec(select(InstructionRow).order_by(col(InstructionRow.arrival))))

    def get(self, id: bytes) -> InstructionRow | None:
        """An instruction by its id."""
        with self._database.reading() as session:
            return session.get(InstructionRow, id)
