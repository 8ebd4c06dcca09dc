"""Trades that a desk has reported late: the exchange asks both sides again.

The trader's notice stays until the clearing house has what comes of it, so neither the exchange nor
anybody else has to remember anything: whoever is away, it is told again.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from ledger.books.blotter import Blotter
from ledger.books.changes import ranges_of
from ledger.books.database import UnitOfWork
from ledger.clearing.columns import Column, TradeColumns
from ledger.domain.participants import Role
from nodes.bus import UnreachableError
from nodes.messages import (
    Accepted,
    Affirmation,
    AffirmationRequest,
    AffirmedLate,
    ReportedLate,
)
from nodes.node import Node
from nodes.trades_by_party import TradesByParty

TOLD_AT_ONCE: Final = 10_000
_NOTICE: Final = "late"


class LateReports:
    """What one trader tells the exchange of its own records, by their places in the blotter."""

    def __init__(self, trader: Node, blotter: Blotter) -> None:
        self._trader = trader
        self._blotter = blotter
        trader.notices.serve(_NOTICE, self._message)

    def put(self, session: UnitOfWork, positions: Column) -> None:
        """Puts it into a transaction that the exchange is to be told of records, ascending."""
        exchange = self._trader.network.sole(Role.EXCHANGE)
        for first in range(0, len(positions), TOLD_AT_ONCE):
            part = ranges_of(positions[first : first + TOLD_AT_ONCE].tolist())
            reference = ",".join(f"{start}+{count}" for start, count in part)
            self._trader.notices.put(session, [exchange], _NOTICE, reference)

    def _message(self, reference: str) -> ReportedLate:
        ranges = (map(int, each.split("+")) for each in reference.split(","))
        places = np.concatenate([np.arange(start, start + count) for start, count in ranges])
        return ReportedLate(self._blotter.at(places))


def ask_again(exchange: Node, positions: Column, trades: TradeColumns) -> Accepted:
    """Asks the sides of captured trades again; the clearing house is told of what both affirm.

    Raises UnreachableError when somebody could not be asked or told: then it is for later.
    """
    affirmed = np.ones(len(trades), dtype=bool)
    away: UnreachableError | None = None
    for own in TradesByParty(trades):
        request = AffirmationRequest(positions[own.rows], own.trades)
        try:
            recipient = exchange.network.participant_id(own.party)
            answer = exchange.around.bus.request(exchange.id, recipient, request)
        except UnreachableError as error:
            affirmed[own.rows], away = False, error
            continue
        affirmed[own.rows[not_affirmed(answer, len(own.rows))]] = False
    if affirmed.any():
        house = exchange.network.sole(Role.CLEARING_HOUSE)
        message = AffirmedLate(positions[affirmed])
        taken = exchange.around.bus.request(exchange.id, house, message)
        if not isinstance(taken, Accepted):
            raise UnreachableError(f"{house} has not taken in all of these trades yet")
    if away is not None:
        raise away
    return Accepted()


def not_affirmed(answer: object, count: int) -> list[int]:
    """The rows of a request that an answer does not affirm: all, when it makes no sense."""
    if isinstance(answer, Affirmation) and isinstance(answer.differences, Mapping):
        rows = list(answer.differences)
        if all(type(row) is int and 0 <= row < count for row in rows):
            return rows
    return list(range(count))
