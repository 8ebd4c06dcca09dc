"""The optimum as a problem of whole numbers: yes or no for each unit, a bound for each key."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ledger.settlement.gridlock.queue_columns import Exact, Flags, Numbers, QueueColumns
from ledger.settlement.gridlock.units import Units

SUM_MAX: Final = 1 << 60
"""Up to this sum of a key's needs and gains, and of all values, the solver can count."""
_PASSES_MAX: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Units in queue order; what they need of the keys that may be short.

    Attributes:
        live: the units that might settle. All others do not.
        values: minor units that each unit settles.
        sizes: instructions that each unit is of.
        unit: of each need (below zero: gain).
        key: what is needed; only keys that cannot cover every need are named.
        need: how much of it.
        available: what each key has.
    """

    live: Flags
    values: Exact
    sizes: Numbers
    unit: Numbers
    key: Numbers
    need: Exact
    available: Exact

    @property
    def instructions(self) -> int:
        """How many instructions might settle."""
        return int(self.sizes[self.live].sum())

    @property
    def can_be_counted(self) -> bool:
        """Whether the solver's numbers are wide enough."""
        totals = np.zeros(len(self.available), dtype=object)
        np.add.at(totals, self.key, np.abs(self.need))
        largest = max(totals.max(initial=0), self.values.sum(initial=0))
        return bool(largest + self.available[self.key].max(initial=0) < SUM_MAX)


def problem_of(queue: QueueColumns, units: Units) -> Problem:
    """States the problem, without what can be left out of it."""
    live = _ever_covered(queue, units)
    counts = live[units.unit]
    owed = np.zeros(queue.keys, dtype=object)
    np.add.at(owed, units.key[counts], np.maximum(units.need[counts], 0))
    counts &= (owed > queue.available)[units.key].astype(np.bool_)
    values = np.zeros(units.count, dtype=object)
    np.add.at(values, units.of_row, queue.value)
    return Problem(
        live=live,
        values=np.where(live, values, 0),
        sizes=np.bincount(units.of_row, minlength=units.count),
        unit=units.unit[counts],
        key=units.key[counts],
        need=units.need[counts],
        available=queue.balances,
    )


def _ever_covered(queue: QueueColumns, units: Units) -> Flags:
    """Units whose needs would be covered if everybody else who might settle did.

    Stopping before nothing changes leaves out less, and is not wrong.
    """
    live = units.can_settle.copy()
    needs = units.need > 0
    for _ in range(_PASSES_MAX):
        gains = live[units.unit] & ~needs
        most = queue.balances.copy()
        np.subtract.at(most, units.key[gains], units.need[gains])
        short = live[units.unit] & needs & (units.need > most[units.key]).astype(np.bool_)
        if not short.any():
            break
        live[units.unit[short]] = False
    return live
