"""Rounds of fifo over whole columns: what falls in large numbers falls here, the rest by worklist.

A round looks at every queue at once: from the first row that is not selected any more, or that what
the key has and receives does not cover, everything falls. What falls would fall in any order of
work, so rounds may stop wherever they do not pay, and leave the rest.
"""

from typing import Final

import numpy as np

from ledger.settlement.gridlock.queue_columns import NONE, Exact, Flags, Numbers, QueueColumns

ROWS_MIN: Final = 2_000
"""Shorter queues are faster row by row."""
_SHARE_MIN: Final = 20
"""A round that takes less than a twentieth of the rows is the last: row by row is as fast."""


def after_rounds(queue: QueueColumns) -> Flags:
    """A set that holds all that fifo selects, and often little more."""
    selected = queue.can_settle.copy()
    # Python's integers, which sums beyond 63 bits need, gain nothing from columns.
    if queue.rows < ROWS_MIN or queue.amounts.dtype == object:
        return selected
    rounds = _Rounds(queue)
    before = queue.rows
    while True:
        rounds.cut(selected)
        left = int(selected.sum())
        if before - left < queue.rows // _SHARE_MIN:
            return selected
        before = left


class _Rounds:
    """The legs in the order of debtors' queues, and in the order of creditors."""

    def __init__(self, queue: QueueColumns) -> None:
        self._available = queue.available
        self._debtors, self._owing_rows, self._owed = _by_key(queue, queue.leg_debtor)
        self._creditors, self._earning_rows, self._earned = _by_key(queue, queue.leg_creditor)
        self._first_owed = np.flatnonzero(np.diff(self._debtors, prepend=NONE))
        self._queue_of_owed = np.cumsum(np.diff(self._debtors, prepend=NONE) != 0) - 1
        self._first_earned = np.flatnonzero(np.diff(self._creditors, prepend=NONE))
        self._linked = np.flatnonzero(queue.link != NONE)
        _, self._link = np.unique(queue.link[self._linked], return_inverse=True)

    def cut(self, selected: Flags) -> None:
        """One round; deselects."""
        if not len(self._owed):
            return
        stays = selected[self._owing_rows]
        owed = np.cumsum(np.where(stays, self._owed, 0))
        before_queue = (owed - np.where(stays, self._owed, 0))[self._first_owed]
        falls = ~stays | (owed - before_queue[self._queue_of_owed] > self._covers(selected))
        fallen = np.flatnonzero(falls)
        first_fallen = np.full(len(self._first_owed), len(falls))
        np.minimum.at(first_fallen, self._queue_of_owed[fallen], fallen)
        behind = np.arange(len(falls)) >= first_fallen[self._queue_of_owed]
        selected[self._owing_rows[behind]] = False
        broken = np.bincount(self._link[~selected[self._linked]], minlength=1) > 0
        selected[self._linked[broken[self._link]]] = False

    def _covers(self, selected: Flags) -> Exact:
        """What the debtor of each leg has and receives."""
        inflow = self._available.copy()
        if len(self._earned):
            earned = np.where(selected[self._earning_rows], self._earned, 0)
            keys = self._creditors[self._first_earned]
            inflow[keys] += np.add.reduceat(earned, self._first_earned)
        return inflow[self._debtors]


def _by_key(queue: QueueColumns, keys: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    legs = np.flatnonzero(keys != NONE)
    legs = legs[np.argsort(keys[legs], kind="stable")]
    return keys[legs], queue.leg_row[legs], queue.leg_amount[legs]
