"""What is left of a queue once a set of its rows has settled."""

from typing import Final

import numpy as np

from ledger.settlement.gridlock.queue_columns import Flags, QueueColumns

_AVAILABLE_MAX: Final = 1 << 62


def rest_of(queue: QueueColumns, settled: Flags) -> QueueColumns:
    """The other rows, in their order, with what the keys have now.

    A balance that leaves 63 bits is taken for less than it is, so that nothing uncovered is chosen.
    """
    stays = ~settled
    legs = stays[queue.leg_row]
    number = np.cumsum(stays) - 1
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
