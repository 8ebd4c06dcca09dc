"""Gridlock resolution that keeps queue order (Bech and Soramaki), over several assets.

Each key has a queue of the rows that it owes. At first everything is selected; while a key would
be short, the last selected row of its queue is deselected, and with it its link and all that stands
behind it in any queue. The sets that keep order and are covered are closed under union, so that one
of them contains all others, and every order of work ends there.

A queue is always a selected head: one number says where it ends. Each row is deselected once, and
each leg booked back once: the work grows with the legs, however long the cascade. So the worklist
is plain Python over lists. What falls in large numbers has fallen before, in rounds over whole
columns; rounds alone would not do, since a chain of rows that fall one after another takes
a round for each.
"""

import numpy as np

from ledger.settlement.gridlock.queue_columns import NONE, Flags, Numbers, QueueColumns
from ledger.settlement.gridlock.rounds import after_rounds


def fifo(queue: QueueColumns) -> Flags:
    """The largest set that can settle with every queue's order kept: a flag for each row."""
    selected = after_rounds(queue)
    return _Selection(queue, selected).reduce()


class _Selection:
    """The rows still selected: as flags, as the ends of queues, and as what keys would have."""

    def __init__(self, queue: QueueColumns, selected: Flags) -> None:
        # Python's numbers from here on: they cannot overflow.
        self._balance_by_key: list[int] = queue.balances_after(selected).tolist()
        self._selected = bytearray(selected.tobytes())
        legs = np.flatnonzero(selected[queue.leg_row])
        self._debtors: list[int] = queue.leg_debtor[legs].tolist()
        self._creditors: list[int] = queue.leg_creditor[legs].tolist()
        self._amounts: list[int] = queue.leg_amount[legs].tolist()
        self._first_leg: list[int] = np.searchsorted(
            queue.leg_row[legs], np.arange(queue.rows + 1)
        ).tolist()
        self._queued, self._end_by_key = _queues(queue, legs)
        self._linked_by_row = _linked(queue)
        self._to_deselect = _behind(queue, selected)

    def reduce(self) -> Flags:
        """Deselects until no key is short."""
        short = [key for key, balance in enumerate(self._balance_by_key) if balance < 0]
        self._deselect(self._to_deselect, short)
        while short:
            key = short.pop()
            while self._balance_by_key[key] < 0:
                self._deselect([self._queued[self._end_by_key[key] - 1]], short)
        return np.frombuffer(self._selected, dtype=np.bool_).copy()

    def _deselect(self, rows: list[int], short: list[int]) -> None:
        """Takes rows out with all that must go with them; notes the keys that this leaves short."""
        selected, balance_by_key, linked_by_row = (
            self._selected,
            self._balance_by_key,
            self._linked_by_row,
        )
        queued, end_by_key, first_leg = self._queued, self._end_by_key, self._first_leg
        debtors, creditors, amounts = self._debtors, self._creditors, self._amounts
        while rows:
            row = rows.pop()
            if not selected[row]:
                continue
            selected[row] = 0
            if row in linked_by_row:
                rows += linked_by_row[row]
            for leg in range(first_leg[row], first_leg[row + 1]):
                amount, debtor, creditor = amounts[leg], debtors[leg], creditors[leg]
                if debtor != NONE:
                    balance_by_key[debtor] += amount
                    end = end_by_key[debtor]
                    if queued[end - 1] >= row:
                        end -= 1
                        while queued[end - 1] >= row:
                            rows.append(queued[end])
                            end -= 1
                        end_by_key[debtor] = end
                if creditor != NONE:
                    balance = balance_by_key[creditor] - amount
                    balance_by_key[creditor] = balance
                    if balance < 0:
                        short.append(creditor)


def _queues(queue: QueueColumns, legs: Numbers) -> tuple[list[int], list[int]]:
    """All queues in one list, each behind a mark that is no row, and where each one ends."""
    owed = legs[queue.leg_debtor[legs] != NONE]
    debtors = queue.leg_debtor[owed]
    order = owed[np.argsort(debtors, kind="stable")]
    ends = np.cumsum(np.bincount(debtors, minlength=queue.keys) + 1)
    queued = np.full(len(owed) + queue.keys, NONE, dtype=np.int64)
    queued[np.arange(len(owed)) + queue.leg_debtor[order] + 1] = queue.leg_row[order]
    return queued.tolist(), ends.tolist()


def _behind(queue: QueueColumns, selected: Flags) -> list[int]:
    """Selected rows that have to fall: behind one that is not selected, or linked to one."""
    if selected.all():
        return []
    legs = np.flatnonzero(queue.leg_debtor != NONE)
    rows, debtors = queue.leg_row[legs], queue.leg_debtor[legs]
    out = ~selected[rows]
    first_out = np.full(queue.keys, queue.rows)
    np.minimum.at(first_out, debtors[out], rows[out])
    behind = rows[~out & (rows > first_out[debtors])]
    linked = queue.link != NONE
    broken = np.unique(queue.link[linked & ~selected])
    return [*behind.tolist(), *np.flatnonzero(selected & np.isin(queue.link, broken)).tolist()]


def _linked(queue: QueueColumns) -> dict[int, list[int]]:
    """For each linked row all rows of its link."""
    rows_by_link: dict[int, list[int]] = {}
    rows = np.flatnonzero(queue.link != NONE)
    for row, link in zip(rows.tolist(), queue.link[rows].tolist(), strict=True):
        rows_by_link.setdefault(link, []).append(row)
    return {row: linked for linked in rows_by_link.values() for row in linked}
