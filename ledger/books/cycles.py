"""What the clearing house keeps of its cycles, on disk and in memory."""

from bisect import bisect_right
from collections.abc import Sequence

from sqlmodel import col, select

from ledger.books.database import Database, UnitOfWork
from ledger.books.tables import CycleRow

SUBMITTED = "submitted"
SETTLED = "settled"
EMPTY = "empty"
ABANDONED = "abandoned"


class CycleRecords:
    """The cycles so far, by number. Those in force cover the intake without gap or overlap.

    The rows handed out are copies for reading; a cycle changes through ``change`` alone.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.reading() as session:
            self._rows = list(session.exec(select(CycleRow).order_by(col(CycleRow.number))))

    def all(self) -> Sequence[CycleRow]:
        """Every cycle, oldest first."""
        return self._rows

    def in_force(self) -> list[CycleRow]:
        """The cycles that were not abandoned, oldest first."""
        return [row for row in self._rows if row.state != ABANDONED]

    def next_number(self) -> int:
        """The number of the next cycle, from 1."""
        return self._rows[-1].number + 1 if self._rows else 1

    def watermark(self) -> int:
        """The position up to which the intake has been cut into cycles."""
        covered = self.in_force()
        return covered[-1].end_position if covered else 0

    def get(self, number: int) -> CycleRow | None:
        """A cycle by its number."""
        # Numbers are dense from 1.
        return self._rows[number - 1] if 0 < number <= len(self._rows) else None

    def covering(self, position: int) -> CycleRow | None:
        """The cycle in whose window a position is; None when it has not been cut yet."""
        covered = self.in_force()
        place = bisect_right(covered, position, key=lambda row: row.first_position) - 1
        if place < 0 or position >= covered[place].end_position:
            return None
        return covered[place]

    def add(self, session: UnitOfWork, row: CycleRow) -> None:
        """Puts a new cycle into a transaction. It counts once that is committed."""
        session.add(CycleRow(**row.model_dump()))
        session.on_commit(lambda: self._rows.append(row))

    def change(self, session: UnitOfWork, number: int, **values: object) -> None:
        """Puts changes of a cycle into a transaction. They count once that is committed."""
        row = session.get_one(CycleRow, number)
        for name, value in values.items():
            setattr(row, name, value)
        changed = CycleRow(**row.model_dump())
        session.on_commit(lambda: self._rows.__setitem__(number - 1, changed))
