"""Trading desks: where a trader's own record of its trades comes from.

A desk reports to its own node; the exchange has no part in it. That is what makes the comparison of
the two mean something.
"""

from collections.abc import Callable

import numpy as np

from ledger.clearing.columns import Column, TradeColumns, participants_of
from nodes.consortium import Consortium

Feed = tuple[Column, TradeColumns]
"""Trades, and the place of each in the desk's feed."""

Version = Callable[[str, Feed], Feed]
"""A participant's feed as its desk has it."""


def tell_desks(
    consortium: Consortium,
    sequence: Column,
    trades: TradeColumns,
    version: Version | None = None,
) -> None:
    """Execution reports: every desk passes its own trades to its own node."""
    sellers, buyers = participants_of(trades.sellers), participants_of(trades.buyers)
    for number in np.unique(np.concatenate([sellers, buyers])).tolist():
        participant = consortium.network.participant_id(number)
        mine = (sellers == number) | (buyers == number)
        feed = (sequence[mine], trades.take(mine))
        if version is not None:
            feed = version(participant, feed)
        consortium.trader(participant).record_trades(*feed)
