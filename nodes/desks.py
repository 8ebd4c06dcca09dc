"""Trading desks: where a trader's own record of its trades comes from.

A desk reports to its own node; the exchange has no part in it. That is what makes the comparison of
the two mean something. A desk numbers what it reports by the order in which the trades were made,
which is the order of capture, whether they came from a file or over REST; so a report that is heard
twice is known for what it is.
"""

from collections.abc import Callable

import numpy as np

from ledger.clearing.columns import Column, TradeColumns, participants_of
from nodes.consortium import Consortium
from nodes.exchange import PASSED_ON_MAX

Feed = tuple[Column, TradeColumns]
"""Trades, and the place of each in the order of capture."""

DeskVersion = Callable[[str, Feed], Feed]
"""What a participant's desk makes of its feed."""


def take_in(consortium: Consortium, version: DeskVersion | None = None) -> None:
    """Has what was captured reported by the desks, affirmed, and handed to the clearing house.

    Begins where the clearing house has got to, so it also does what a crash left undone. What is
    captured meanwhile is left for the next time.
    """
    taken = consortium.clearing_house.intake.stream.end_position
    captured = consortium.exchange.captured
    end = captured.end_position
    for first in range(taken, end, PASSED_ON_MAX):
        last = min(first + PASSED_ON_MAX, end)
        tell_desks(consortium, np.arange(first, last), captured.trades(first, last), version)
        consortium.exchange.pass_on(first, last)


def tell_desks(
    consortium: Consortium,
    positions: Column,
    trades: TradeColumns,
    version: DeskVersion | None = None,
) -> None:
    """Execution reports: every desk passes its own trades to its own node."""
    sellers, buyers = participants_of(trades.sellers), participants_of(trades.buyers)
    for number in np.unique(np.concatenate([sellers, buyers])).tolist():
        participant = consortium.network.participant_id(number)
        mine = (sellers == number) | (buyers == number)
        feed = (positions[mine], trades.take(mine))
        if version is not None:
            feed = version(participant, feed)
        consortium.trader(participant).record_trades(*feed)
