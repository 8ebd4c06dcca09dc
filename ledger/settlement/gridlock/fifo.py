"""Gridlock resolution that keeps queue order (Bech and Soramaki), over several assets.

Each key has a queue of the rows that it owes. At first everything is selected; while a key would
be short, the last selected row of its queue is deselected, and with it its link and all that stands
behind it in any queue. The sets that keep order and are covered are closed under union, so that one
of them contains all others, and every order of work ends there.

A queue is always a selected head: one number says where it ends. Each row is deselected once, and
each leg booked back once: the work grows with the legs, however long the cascade. So the worklist
is plain Python over lists. Rounds over whole columns would be fewer steps for most queues, but a
chain of rows that fall one after another would take a round each.
"""

import numpy as np

from ledger.settlement.gridlock.queue_columns import NONE, Exact, Flags, QueueColumns


def fifo(queue: QueueColumns) -> Flags:
    """The largest set that can settle with every queue's order kept: a flag for each row."""
    balance_by_key = _balances_if_all_settle(queue)
    short = np.flatnonzero(balance_by_key < 0).tolist()
    barred = np.flatnonzero(~queue.can_settle).tolist()
    if not short and not barred:
        return np.ones(queue.rows, dtype=np.bool_)
    return _Selection(queue, balance_by_key).reduce(short, barred)


def _balances_if_all_settle(queue: QueueColumns) -> Exact:
    return queue.balances_after(np.ones(queue.rows, dtype=np.bool_))


class _Selection:
    """The rows still selected: as flags, as the ends of queues, and as what keys would have."""

    def __init__(self, queue: QueueColumns, balance_by_key: Exact) -> None:
        self._selected = bytearray(b"\1" * queue.rows)
        # Python's numbers from here on: they cannot overflow.
        self._balance_by_key: list[int] = balance_by_key.tolist()
        self._debtors: list[int] = queue.leg_debtor.tolist()
        self._creditors: list[int] = queue.leg_creditor.tolist()
        self._amounts: list[int] = queue.leg_amount.tolist()
        self._first_leg: list[int] = np.searchsorted(
            queue.leg_row, np.arange(queue.rows + 1)
        ).tolist()
        self._queued, self._end_by_key = _queues(queue)
        self._linked_by_row = _linked(queue)

    def reduce(self, short: list[int], barred: list[int]) -> Flags:
        """Deselects until no key is short."""
        self._deselect(barred, short)
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


def _queues(queue: QueueColumns) -> tuple[list[int], list[int]]:
    """All queues in one list, each behind a mark that is no row, and where each one ends."""
    owed = np.flatnonzero(queue.leg_debtor != NONE)
    debtors = queue.leg_debtor[owed]
    order = owed[np.argsort(debtors, kind="stable")]
    ends = np.cumsum(np.bincount(debtors, minlength=queue.keys) + 1)
    queued = np.full(len(owed) + queue.keys, NONE, dtype=np.int64)
    queued[np.arange(len(owed)) + queue.leg_debtor[order] + 1] = queue.leg_row[order]
    return queued.tolist(), ends.tolist()


def _linked(queue: QueueColumns) -> dict[int, list[int]]:
    """For each linked row all rows of its link."""
    rows_by_link: dict[int, list[int]] = {}
    rows = np.flatnonzero(queue.link != NONE)
    for row, link in zip(rows.tolist(), queue.link[rows].tolist(), strict=True):
        rows_by_link.setdefault(link, []).append(row)
    return {row: linked for linked in rows_by_link.values() for row in linked}
