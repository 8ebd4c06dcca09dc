"""Statuses compared: what the clearing house says became of something, and what the ledger shows.

Looked at is what is new: the causes that final blocks have settled, and what the house has noted as
settled since. After a start everything is looked at once.
"""

from collections.abc import Iterator
from typing import Final

from ledger.books import cycles as records
from ledger.books.cycles import CycleRecords
from ledger.books.database import Reading
from ledger.books.postings import Cause, FinalBlock, Origin
from ledger.books.reconciliation import Comparison, Difference
from ledger.books.statuses import (
    ENDED_UNSETTLED,
    instruction_of,
    noted_though_open,
    settled_block,
    settled_though_ended,
)
from ledger.books.tables import CycleRow
from ledger.domain.breaks import BreakKind
from ledger.domain.instructions import State
from nodes.node import Node

SCOPE: Final = "status:"
_CYCLE: Final = f"{SCOPE}cycle:"
_INSTRUCTION: Final = f"{SCOPE}instruction:"
_COMPARED: Final = (Origin.CYCLE, Origin.INSTRUCTION)


class StatusComparison:
    """What the house's own records of cycles and instructions and the ledger do not agree on."""

    def __init__(self, house: Node, cycles: CycleRecords) -> None:
        self._house = house
        self._cycles = cycles
        self._settled: list[Cause] | None = None
        self._looked_at = -1

    def confirmed(self, block: FinalBlock) -> None:
        """A final block is in the books now."""
        if self._settled is not None:
            self._settled += [cause for cause in block.settled if cause.origin in _COMPARED]

    def comparison(self) -> Comparison:
        """Where the house says settled and the ledger does not, or the reverse."""
        standing = self._house.break_book.standing()
        with self._house.database.reading() as session:
            suspects = {
                *self._suspected_instructions(session),
                *(id for id in standing if id.startswith(SCOPE)),
                *(f"{_CYCLE}{row.number}" for row in self._suspected_cycles()),
            }
            found = [self._difference(session, id) for id in sorted(suspects)]
        self._settled, self._looked_at = [], self._house.projection.height
        return Comparison(SCOPE, [each for each in found if each], is_complete=True)

    def _suspected_cycles(self) -> Iterator[CycleRow]:
        """The cycles that are new to this, or that the ledger has settled since."""
        settled = None if self._settled is None else {cause.reference for cause in self._settled}
        for row in self._cycles.all():
            is_new = row.block is not None and row.block > self._looked_at
            if settled is None or is_new or row.id in settled:
                yield row

    def _suspected_instructions(self, session: Reading) -> Iterator[str]:
        """Those that have ended unsettled and the ledger has settled, and those the other way."""
        settled = self._settled
        references = (
            None
            if settled is None
            else [each.reference for each in settled if each.origin is Origin.INSTRUCTION]
        )
        labels = settled_though_ended(session, references)
        labels += noted_though_open(session, self._looked_at)
        yield from (f"{_INSTRUCTION}{label}" for label in labels)

    def _difference(self, session: Reading, id: str) -> Difference | None:
        if id.startswith(_CYCLE):
            return self._difference_of_cycle(session, id, int(id.removeprefix(_CYCLE)))
        return self._difference_of_instruction(session, id, id.removeprefix(_INSTRUCTION))

    def _difference_of_cycle(self, session: Reading, id: str, number: int) -> Difference | None:
        row = self._cycles.get(number)
        assert row is not None, "cycles are never forgotten"
        block = settled_block(session, Origin.CYCLE, row.id)
        # Versions of a cycle share their id; one of them settles, and one may be on its way.
        states = self._cycles.states_of(row)
        if records.SUBMITTED in states or (records.SETTLED in states) == (block is not None):
            return None
        return _difference(id, f"cycle {number}", row.state, block)

    def _difference_of_instruction(
        self, session: Reading, id: str, label: str
    ) -> Difference | None:
        row = instruction_of(session, label)
        block = settled_block(session, Origin.INSTRUCTION, row.id)
        if row.state in ENDED_UNSETTLED:
            is_wrong = block is not None
        else:
            is_wrong = row.state == State.SETTLED.value and not row.may_be_partial and block is None
        return _difference(id, label, row.state, block) if is_wrong else None


def _difference(id: str, subject: str, state: str, block: int | None) -> Difference:
    theirs = "ledger not settled" if block is None else f"ledger settled in block {block}"
    return Difference(
        id=id, kind=BreakKind.STATUS, subject=subject, ours=f"house {state}", theirs=theirs
    )
