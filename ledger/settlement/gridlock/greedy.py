"""A good set quickly, of any size of queue: fifo and bypass by turns, until neither adds a row."""

from collections.abc import Callable
from itertools import cycle
from typing import Final

import numpy as np

from ledger.settlement.gridlock.bypass import bypass
from ledger.settlement.gridlock.fifo import fifo
from ledger.settlement.gridlock.queue_columns import Flags, QueueColumns

_AVAILABLE_MAX: Final = 1 << 62


def best_of_greedy(queue: QueueColumns) -> Flags:
    """The better of what begins with fifo and what begins with bypass."""
    nothing = np.zeros(queue.rows, dtype=np.bool_)
    first = _extended(queue, nothing, (fifo, _bypass))
    second = _extended(queue, nothing, (_bypass, fifo))
    return max(first, second, key=lambda selected: (queue.settled_value(selected), selected.sum()))


def extended(queue: QueueColumns, selected: Flags) -> Flags:
    """A set that can settle, with more rows where there are any to add."""
    return _extended(queue, selected, (_bypass, fifo))


def _extended(
    queue: QueueColumns, given: Flags, algorithms: tuple[Callable[[QueueColumns], Flags], ...]
) -> Flags:
    selected, idle = given.copy(), 0
    for algorithm in cycle(algorithms):
        added = np.flatnonzero(~selected)[algorithm(_rest(queue, selected))]
        selected[added] = True
        idle = 0 if len(added) else idle + 1
        if idle == len(algorithms):
            break
    return selected


def _bypass(queue: QueueColumns) -> Flags:
    selected = np.zeros(queue.rows, dtype=np.bool_)
    selected[bypass(queue)] = True
    return selected


def _rest(queue: QueueColumns, settled: Flags) -> QueueColumns:
    """The queue once these rows have settled."""
    stays = ~settled
    legs = stays[queue.leg_row]
    number = np.cumsum(stays) - 1
    # A balance that leaves 63 bits is taken for less than it is: nothing uncovered is chosen.
    after = np.minimum(queue.balances_after(settled), _AVAILABLE_MAX)
    return QueueColumns(
        leg_row=number[queue.leg_row[legs]],
        leg_debtor=queue.leg_debtor[legs],
        leg_creditor=queue.leg_creditor[legs],
        leg_amount=queue.leg_amount[legs],
        available=after.astype(np.int64),
        link=queue.link[stays],
        can_settle=queue.can_settle[stays],
        value=queue.value[stays],
    )
