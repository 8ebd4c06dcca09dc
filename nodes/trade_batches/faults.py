"""What is wrong with a batch: the first faults by row and field, and how many there are."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NoReturn

from ledger.clearing.columns import Column

FAULTS_MAX: Final = 20
FOUND_CHARS_MAX: Final = 80


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. ``row`` counts from 0; None when the body as a whole is at fault."""

    row: int | None
    field: str
    detail: str


class MalformedBatchError(Exception):
    """A batch that is refused whole: nothing of it is captured.

    Attributes:
        faults: the first ones, by row.
        total: how many were found.
    """

    def __init__(self, faults: tuple[Fault, ...], total: int) -> None:
        super().__init__(f"{total} faults, the first: {faults[0]}")
        self.faults = faults
        self.total = total


def refuse_body(detail: str, field: str = "body") -> NoReturn:
    """Refuses a batch that cannot be read at all. Raises MalformedBatchError."""
    raise MalformedBatchError((Fault(None, field, detail),), 1)


class FaultList:
    """Collects the faults of a batch, field by field."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._total = 0

    def note(
        self,
        rows: Column,
        field: str,
        expected: str | Callable[[int], str],
        found: Callable[[int], object],
    ) -> None:
        """Some rows have something else in a field than was expected; ``found`` says what."""
        self._total += len(rows)
        for row in rows[:FAULTS_MAX].tolist():
            form = expected if isinstance(expected, str) else expected(row)
            shown = repr(found(row))[:FOUND_CHARS_MAX]
            self._faults.append(Fault(row, field, f"expected {form}, found {shown}"))

    def add(self, fault: Fault) -> None:
        """One more fault."""
        self._total += 1
        self._faults.append(fault)

    def check(self) -> None:
        """Raises MalformedBatchError when there is any fault."""
        if self._total:
            first = sorted(self._faults, key=lambda fault: (fault.row or 0, fault.field))
            raise MalformedBatchError(tuple(first[:FAULTS_MAX]), self._total)
