"""Trading desks: where a trader's own record of its trades comes from.

A desk reports to its own node; the exchange has no part in it. That is what makes the comparison of
the two mean something. A desk numbers what it reports by the order in which the trades were made,
which is the order of capture, whether they came from a file or over REST; so a report that is heard
twice is known for what it is.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress

from ledger.clearing.columns import Column, TradeColumns
from nodes.bus import NO_ANSWER
from nodes.consortium import Consortium
from nodes.trades_by_party import TradesByParty

Feed = tuple[Column, TradeColumns]
"""Trades, and the place of each in the order of capture."""

DeskVersion = Callable[[str, Feed], Feed | None]
"""What a participant's desk makes of its feed; None: it withholds it, to be reported later."""


def take_in(consortium: Consortium, version: DeskVersion | None = None) -> None:
    """Has what was captured reported by the desks, affirmed, and handed to the clearing house.

    Begins where the clearing house has got to, so it also does what a crash left undone. What is
    captured meanwhile is left for the next time: another thread may capture. A node that is away
    hears of what it has missed, in order, when it is back; then it is asked to affirm it. Raises
    UnreachableError when the exchange is away.
    """
    exchange = consortium.exchange
    taken = consortium.clearing_house.intake.stream.end_position
    tell_missed(consortium, taken, version)
    for first, end in exchange.parts_to_pass_on(taken, exchange.captured_end()):
        trades = TradesByParty(exchange.trades(first, end))
        tell_of(consortium, first, trades, version, consortium.reported_to.keys())
        behind = frozenset(_traders(consortium)) - consortium.reported_to.keys()
        exchange.pass_on(first, end, trades, behind)
        for participant in consortium.reported_to:
            consortium.reported_to[participant] = end
    exchange.ask_again(frozenset(consortium.reported_to))


def tell_missed(consortium: Consortium, end: int, version: DeskVersion | None = None) -> None:
    """Desks whose nodes were away report what these have missed of the capture up to a place."""
    known = consortium.reported_to
    for participant in _traders(consortium) - known.keys():
        with suppress(*NO_ANSWER):
            known[participant] = consortium.trader(participant).reported_to()
    behind = {participant for participant, place in known.items() if place < end}
    if not behind:
        return
    withheld = set[str]()

    def told(participant: str, report: Feed) -> Feed | None:
        feed = version(participant, report) if version else report
        if feed is None:
            withheld.add(participant)
        return feed

    begun = min(known[participant] for participant in behind)
    for first, last in consortium.exchange.parts_to_pass_on(begun, end):
        trades = TradesByParty(consortium.exchange.trades(first, last))
        # Who falls silent on the way is told nothing that comes after what it has missed.
        tell_of(consortium, first, trades, told, behind & known.keys())
    for participant in behind & known.keys():
        with _behind_if_not_taken(consortium, participant):
            # Who withholds something is asked about it as if it had told all it knows.
            if participant not in withheld:
                consortium.trader(participant).note_reported(end)
            known[participant] = end


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
    consortium: Consortium,
    first: int,
    trades: TradesByParty,
    version: DeskVersion | None,
    among: Collection[str] | None = None,
) -> None:
    """The same of trades that are sorted by party already; ``first`` is where they begin.

    ``among``: of these participants only. A node that is away is marked as behind.
    """
    among = among if among is None else set(among)
    for own in trades:
        participant = consortium.network.participant_id(own.party)
        if among is not None and participant not in among:
            continue
        report = (first + own.rows, own.trades)
        feed = version(participant, report) if version else report
        if feed is not None:
            with _behind_if_not_taken(consortium, participant):
                consortium.trader(participant).record_trades(*feed)


@contextmanager
def _behind_if_not_taken(consortium: Consortium, participant: str) -> Iterator[None]:
    """Who takes nothing is behind from now on: nothing newer comes before what it has missed."""
    try:
        yield
    except NO_ANSWER:
        consortium.reported_to.pop(participant, None)


def _traders(consortium: Consortium) -> set[str]:
    network = consortium.network
    return {each.id for each in network.participants if network.trades(each.id)}
