"""A good set quickly, of any size of queue: fifo and bypass by turns, until neither adds a row."""

from collections.abc import Callable
from itertools import cycle

import numpy as np

from ledger.settlement.gridlock.bypass import bypass
from ledger.settlement.gridlock.fifo import fifo
from ledger.settlement.gridlock.queue_columns import Flags, QueueColumns
from ledger.settlement.gridlock.rest import rest_of


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
        added = np.flatnonzero(~selected)[algorithm(rest_of(queue, selected))]
        selected[added] = True
        idle = 0 if len(added) else idle + 1
        if idle == len(algorithms):
            break
    return selected


def _bypass(queue: QueueColumns) -> Flags:
    selected = np.zeros(queue.rows, dtype=np.bool_)
    selected[bypass(queue)] = True
    return selected
