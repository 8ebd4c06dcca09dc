"""Trading desks: where a trader's own record of its trades comes from.

A desk reports to its own node; the exchange has no part in it. That is what makes the comparison of
the two mean something.
"""

from collections.abc import Callable

import numpy as np

from ledger.clearing.columns import TradeColumns, participants_of
from nodes.consortium import Consortium

Version = Callable[[str, TradeColumns], TradeColumns]
"""A participant's trades as its desk has them."""


def tell_desks(
    consortium: Consortium,
    batch_id: str,
    trades: TradeColumns,
    version: Version = lambda participant, own: own,
) -> None:
    """Execution reports: every desk passes its own trades to its own node."""
    sellers, buyers = participants_of(trades.sellers), participants_of(trades.buyers)
    for number in np.unique(np.concatenate([sellers, buyers])).tolist():
        participant = consortium.network.participant_id(number)
        own = trades.take((sellers == number) | (buyers == number))
        consortium.trader(participant).record_trades(batch_id, version(participant, own))
