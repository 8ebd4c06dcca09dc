"""Checks of what a gridlock run chose, row by row and leg by leg, sharing no code with the runs."""

from collections.abc import Collection

from ledger.settlement.gridlock.queue_columns import QueueColumns


def faults_of_set(queue: QueueColumns, chosen: Collection[int]) -> list[str]:
    """What keeps these rows from settling together; nothing, when all is well."""
    selected = set(chosen)
    balance_by_key: list[int] = queue.available.tolist()
    for row, debtor, creditor, amount in _legs(queue):
        if row in selected and debtor >= 0:
            balance_by_key[debtor] -= amount
        if row in selected and creditor >= 0:
            balance_by_key[creditor] += amount
    links, can_settle = list(enumerate(queue.link.tolist())), queue.can_settle.tolist()
    inside = {link for row, link in links if link >= 0 and row in selected}
    outside = {link for row, link in links if link >= 0 and row not in selected}
    return [
        *(["a row is named twice"] if len(selected) < len(chosen) else []),
        *(["a key is left below zero"] if min(balance_by_key) < 0 else []),
        *(["a link is broken"] if inside & outside else []),
        *(["a barred row is chosen"] if not all(can_settle[row] for row in selected) else []),
    ]


def faults_of_order(queue: QueueColumns, chosen: Collection[int]) -> list[str]:
    """Whether somebody in the set stands behind somebody outside it, in any queue."""
    selected, stopped = set(chosen), set()
    # Legs come in queue order, so that one pass sees each queue from its head.
    for row, debtor, _, _ in _legs(queue):
        if row not in selected:
            stopped.add(debtor)
        elif debtor >= 0 and debtor in stopped:
            return [f"row {row} overtakes in the queue of key {debtor}"]
    return []


def _legs(queue: QueueColumns) -> list[tuple[int, int, int, int]]:
    columns = (queue.leg_row, queue.leg_debtor, queue.leg_creditor, queue.leg_amount)
    return list(zip(*(column.tolist() for column in columns), strict=True))
