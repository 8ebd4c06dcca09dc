"""Gridlock resolution: a set that settles together, where nothing settles alone.

The algorithms see columns only. What they select is signed by everybody who owes something in it; a
party that does not sign is left out, or only what it names, with all that stands behind it, and the
rest is selected anew: nobody keeps the others from settling.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

import numpy as np

from ledger.domain.instructions import Instruction
from ledger.domain.reasons import Reason
from ledger.domain.rules import Gridlock, Rules
from ledger.settlement.columns import AvailableOfMany, columns_of
from ledger.settlement.gridlock.bypass import bypass
from ledger.settlement.gridlock.fifo import fifo
from ledger.settlement.gridlock.optimum import optimum
from ledger.settlement.gridlock.queue_columns import Flags, QueueColumns
from ledger.settlement.lifecycle import debtors_of
from ledger.settlement.live_queue import LiveQueue
from nodes.clearing_house.settling import NotSettled, Settled

SET_MAX: Final = 10_000
"""Instructions of one set: as many as one transaction takes."""

SettleTogether = Callable[[Sequence[Instruction]], Settled | NotSettled]
Note = Callable[[Mapping[str, Reason]], None]


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a run has settled: labels in queue order.

    ``is_exact`` is False where the search for the optimum stopped early: another run may find more.
    """

    settled: tuple[str, ...]
    is_exact: bool


class Resolver:
    """Runs over the queue of the clearing house."""

    def __init__(
        self,
        queue: LiveQueue,
        available: AvailableOfMany,
        settle_together: SettleTogether,
        note: Note,
        rules: Rules,
    ) -> None:
        self._queue = queue
        self._available = available
        self._settle_together = settle_together
        self._note = note
        self._rules = rules

    def resolve(self, algorithm: Gridlock) -> Resolution:
        """One run: what it selects settles as one set, or nothing does.

        Raises ValueError for no algorithm.
        """
        instructions = self._queue.standing()
        barred, objected = set[str](), set[int]()
        # Somebody who does not sign may bring another to light, who is only asked without him.
        for _ in range(self._rules.recuts_max + 1):
            selected, is_exact = self._select(instructions, algorithm, barred)
            if not selected:
                return Resolution((), is_exact)
            outcome = self._settle_together(selected)
            if isinstance(outcome, Settled):
                return Resolution(tuple(each.label for each in selected), is_exact)
            if not outcome.parties:
                break
            unsigned = _unsigned(selected, outcome, objected)
            self._note(unsigned)
            barred |= unsigned.keys()
            objected |= outcome.parties.keys()
        return Resolution((), is_exact=False)

    def preview(self, algorithm: Gridlock) -> Resolution:
        """What a run would select now, if everybody signs. Nothing is touched, nobody is asked.

        Raises ValueError for no algorithm.
        """
        selected, is_exact = self._select(self._queue.standing(), algorithm, set())
        return Resolution(tuple(each.label for each in selected), is_exact)

    def _select(
        self, instructions: Sequence[Instruction], algorithm: Gridlock, barred: set[str]
    ) -> tuple[list[Instruction], bool]:
        """What settles together, at most SET_MAX; and whether nothing better was left out."""
        columns = columns_of(self._queue, instructions, self._available, barred)
        flags, is_exact = self._run(columns, algorithm)
        rows = np.flatnonzero(flags)
        if len(rows) > SET_MAX:
            # The first ones in queue order, again as a set of their own: order is kept.
            shorter = instructions[: int(rows[SET_MAX])]
            return self._select(shorter, algorithm, barred)[0], False
        return [instructions[row] for row in rows.tolist()], is_exact

    def _run(self, columns: QueueColumns, algorithm: Gridlock) -> tuple[Flags, bool]:
        match algorithm:
            case Gridlock.FIFO:
                return fifo(columns), True
            case Gridlock.BYPASS:
                flags = np.zeros(columns.rows, dtype=np.bool_)
                flags[bypass(columns)] = True
                return flags, True
            case Gridlock.OPTIMUM:
                found = optimum(
                    columns,
                    instructions_max=self._rules.optimum_instructions_max,
                    seconds_max=self._rules.optimum_seconds_max,
                )
                return found.selected, found.is_exact
            case Gridlock.OFF:
                raise ValueError("no algorithm was named")


def _unsigned(
    selected: Sequence[Instruction], outcome: NotSettled, objected: AbstractSet[int]
) -> dict[str, Reason]:
    """What was not signed for, and why: what a party named; all that it owes if it named nothing.

    Or if it has ``objected`` before: nobody can spend a whole run on what it names one by one.
    """
    unsigned: dict[str, Reason] = {}
    for party, reason in outcome.parties.items():
        owed = [each.label for each in selected if party in debtors_of(each)]
        named = frozenset() if party in objected else outcome.named.get(party, frozenset())
        unsigned |= dict.fromkeys([label for label in owed if label in named] or owed, reason)
    return unsigned
