"""Trading desks: where a trader's own record of its trades comes from.

A desk reports to its own node; the exchange has no part in it. That is what makes the comparison of
the two mean something. A desk numbers what it reports by the order in which the trades were made,
which is the order of capture, whether they came from a file or over REST; so a report that is heard
twice is known for what it is.
"""

from collections.abc import Callable
from contextlib import suppress

from ledger.clearing.columns import Column, TradeColumns
from nodes.bus import UnreachableError
from nodes.consortium import Consortium
from nodes.trades_by_party import TradesByParty

Feed = tuple[Column, TradeColumns]
"""Trades, and the place of each in the order of capture."""

DeskVersion = Callable[[str, Feed], Feed | None]
"""What a participant's desk makes of its feed; None when there is nobody at the desk."""


def take_in(consortium: Consortium, version: DeskVersion | None = None) -> None:
    """Has what was captured reported by the desks, affirmed, and handed to the clearing house.

    Begins where the clearing house has got to, so it also does what a crash left undone. What is
    captured meanwhile is left for the next time: another thread may capture.
    """
    exchange = consortium.exchange
    taken = consortium.clearing_house.intake.stream.end_position
    for first, end in exchange.parts_to_pass_on(taken, exchange.captured_end()):
        trades = TradesByParty(exchange.trades(first, end))
        tell_of(consortium, first, trades, version)
        exchange.pass_on(first, end, trades)


def tell_desks(
    consortium: Consortium,
    positions: Column,
    trades: TradeColumns,
    version: DeskVersion | None = None,
) -> None:
    """Execution reports: every desk passes its own trades to its own node.

    ``positions`` follow each other.
    """
    if len(trades):
        tell_of(consortium, int(positions[0]), TradesByParty(trades), version)


def tell_of(
    consortium: Consortium, first: int, trades: TradesByParty, version: DeskVersion | None
) -> None:
    """The same of trades that are sorted by party already; ``first`` is where they begin."""
    for own in trades:
        participant = consortium.network.participant_id(own.party)
        report = (first + own.rows, own.trades)
        feed = version(participant, report) if version else report
        if feed is not None:
            # A node that is away hears of it later.
            with suppress(UnreachableError):
                consortium.trader(participant).record_trades(*feed)
