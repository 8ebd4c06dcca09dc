"""What the clearing house keeps of its cycles, on disk and in memory."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select, update

from ledger.books.database import Database, UnitOfWork
from ledger.books.tables import CycleRow, table_of

SUBMITTED = "submitted"
SETTLED = "settled"
EMPTY = "empty"
ABANDONED = "abandoned"


class CycleRecords:
    """The cycles so far, by number. Those in force cover the intake without gap or overlap.

    The rows handed out are copies for reading; a cycle changes through ``change`` alone. What was
    signed is in them only until it is decided: it is large, and then ``signed`` has it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.reading() as session:
            self._rows = list(_read(session))

    def all(self) -> Sequence[CycleRow]:
        """Every cycle, oldest first."""
        return self._rows

    def in_force(self, first: int, end: int) -> list[CycleRow]:
        """The cycles that were not abandoned and cover some of the positions [first, end)."""
        began, stop = (
            bisect(self._rows, position, key=lambda row: row.first_position)
            for bisect, position in ((bisect_right, first), (bisect_left, end))
        )
        earlier = self._last_in_force(began)
        rows = [earlier] if earlier and earlier.end_position > first else []
        return rows + [row for row in self._rows[began:stop] if row.state != ABANDONED]

    def next_number(self) -> int:
        """The number of the next cycle, from 1."""
        return self._rows[-1].number + 1 if self._rows else 1

    def watermark(self) -> int:
        """The position up to which the intake has been cut into cycles."""
        last = self._last_in_force(len(self._rows))
        return last.end_position if last else 0

    def get(self, number: int) -> CycleRow | None:
        """A cycle by its number."""
        # Numbers are dense from 1.
        return self._rows[number - 1] if 0 < number <= len(self._rows) else None

    def states_of(self, row: CycleRow) -> set[str]:
        """The states of a cycle and of all its versions: those beside it that have its id."""
        states = {row.state}
        for numbers in (range(row.number - 1, 0, -1), range(row.number + 1, self.next_number())):
            for number in numbers:
                other = self._rows[number - 1]
                if other.id != row.id:
                    break
                states.add(other.state)
        return states

    def signed(self, number: int) -> bytes:
        """A cycle as it was signed; empty when it never was."""
        with self._database.reading() as session:
            return session.exec(select(CycleRow.signed).where(CycleRow.number == number)).one()

    def covering(self, position: int) -> CycleRow | None:
        """The cycle in whose window a position is; None when it has not been cut yet."""
        # An abandoned cycle begins where the one after it does: places never go back.
        began = bisect_right(self._rows, position, key=lambda row: row.first_position)
        found = self._last_in_force(began)
        return found if found and position < found.end_position else None

    def add(self, session: UnitOfWork, row: CycleRow) -> None:
        """Puts a new cycle into a transaction. It counts once that is committed."""
        session.add(CycleRow(**row.model_dump()))
        session.on_commit(lambda: self._rows.append(row))

    def change(self, session: UnitOfWork, number: int, **values: object) -> None:
        """Puts changes of a cycle into a transaction. They count once that is committed."""
        rows = update(CycleRow).where(col(CycleRow.number) == number)
        session.exec(rows.values(**values))
        session.on_commit(lambda: self._change(number, values))

    def _last_in_force(self, end: int) -> CycleRow | None:
        """The last one that was not abandoned among the first so many."""
        rows = (self._rows[place] for place in range(end - 1, -1, -1))
        return next((row for row in rows if row.state != ABANDONED), None)

    def _change(self, number: int, values: dict[str, object]) -> None:
        changed = CycleRow(**self._rows[number - 1].model_dump() | values)
        if changed.state != SUBMITTED:
            changed.signed = b""
        self._rows[number - 1] = changed


def _read(session: Session) -> Iterator[CycleRow]:
    """All cycles by number, those that are decided without what was signed."""
    columns = [column for column in table_of(CycleRow).c if column.name != "signed"]
    undecided = select(CycleRow.number, CycleRow.signed).where(CycleRow.state == SUBMITTED)
    signed_by_number = dict(session.exec(undecided).all())
    rows = session.connection().execute(select_columns(*columns).order_by("number"))
    for row in rows.mappings():
        yield CycleRow(**row, signed=signed_by_number.get(row["number"], b""))
