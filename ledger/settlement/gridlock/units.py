"""What settles as one: a single row, or all rows of a link, with what it takes from each key."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ledger.settlement.gridlock.queue_columns import NONE, Exact, Flags, Numbers, QueueColumns


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """The rows of a queue by unit. Units are numbered in the order of their first rows.

    Attributes:
        of_row: the unit of each row.
        count: how many units.
        can_settle: whether none of its rows is barred.
        unit: of each need and gain; ascending.
        key: what it needs or adds to; ascending within a unit, each key once.
        need: what the unit as a whole takes from the key; below zero: what it adds; never zero.
    """

    of_row: Numbers
    count: int
    can_settle: Flags
    unit: Numbers
    key: Numbers
    need: Exact

    def rows(self) -> list[list[int]]:
        """The rows of each unit, ascending."""
        order = np.argsort(self.of_row, kind="stable").tolist()
        starts = np.searchsorted(self.of_row[order], np.arange(self.count + 1)).tolist()
        return [order[start:end] for start, end in pairwise(starts)]


def units_of(queue: QueueColumns) -> Units:
    """Groups the rows of a queue by link."""
    of_row, count = _numbered(queue)
    can_settle = np.ones(count, dtype=np.bool_)
    can_settle[of_row[~queue.can_settle]] = False
    unit, key, need = _needs(queue, of_row)
    return Units(of_row=of_row, count=count, can_settle=can_settle, unit=unit, key=key, need=need)


def _numbered(queue: QueueColumns) -> tuple[Numbers, int]:
    first_row = np.arange(queue.rows)
    linked = np.flatnonzero(queue.link != NONE)
    if not len(linked):
        return first_row, queue.rows
    _, first, link = np.unique(queue.link[linked], return_index=True, return_inverse=True)
    first_row[linked] = linked[first][link]
    firsts, of_row = np.unique(first_row, return_inverse=True)
    return of_row, len(firsts)


def _needs(queue: QueueColumns, of_row: Numbers) -> tuple[Numbers, Numbers, Exact]:
    unit_of_leg = of_row[queue.leg_row]
    owed, earned = queue.leg_debtor != NONE, queue.leg_creditor != NONE
    # At most 10**6 units and 8 * 10**6 keys: the product stays far below 2**63.
    pairs = np.concatenate(
        [
            unit_of_leg[owed] * queue.keys + queue.leg_debtor[owed],
            unit_of_leg[earned] * queue.keys + queue.leg_creditor[earned],
        ]
    )
    if not len(pairs):
        return pairs, pairs, queue.amounts
    amounts = np.concatenate([queue.amounts[owed], -queue.amounts[earned]])
    order = np.argsort(pairs, kind="stable")
    pairs = pairs[order]
    starts = np.flatnonzero(np.diff(pairs, prepend=-1))
    needs = np.add.reduceat(amounts[order], starts)
    counts = needs != 0
    unit, key = np.divmod(pairs[starts][counts], queue.keys)
    return unit, key, needs[counts]
