"""The trades that one transaction settled, page by page, from the clearing house's books."""

from dataclasses import dataclass

import numpy as np

from api.own_trades import own_rows
from ledger.books.tables import CycleRow
from ledger.clearing.columns import TradeColumns
from ledger.domain.amounts import (
    format_amount,
    format_basis_points,
    format_price,
    grouped,
    netting_efficiency_bp,
)
from ledger.domain.key_holders import KeyHolder
from nodes.consortium import Consortium
from nodes.trade_words import describe_trade_id


@dataclass(frozen=True, slots=True)
class SettledTrade:
    """A trade in words."""

    id: str
    symbol: str
    seller: str
    buyer: str
    quantity: str
    price: str
    amount: str


@dataclass(frozen=True, slots=True)
class SettledTrades:
    """A page of trades. ``cycle`` is the books' record of the cycle, None for an instruction."""

    cycle: CycleRow | None
    gross_value: str
    net_value: str
    efficiency: str
    total: int
    trades: list[SettledTrade]


def settled_trades(
    consortium: Consortium, holder: KeyHolder, reference: bytes, first: int, count: int
) -> SettledTrades | None:
    """What settled under the id of a cycle or instruction; None when the books do not know it.

    Of the trades, those that the holder of a key sees.
    """
    house = consortium.clearing_house
    cycle = next((row for row in house.cycles.all() if row.id == reference), None)
    if cycle is not None:
        exceptions = house.intake.exceptions()
        everything = range(cycle.first_position, cycle.end_position)
        positions = [position for position in everything if position not in exceptions]
    else:
        row = house.desk.book.by_id(reference)
        if row is None:
            return None
        positions = [] if row.position is None else [row.position]
    if positions and not holder.sees_every_trade:
        start = positions[0]
        window = house.intake.stream.trades(start, positions[-1] + 1)
        own = {start + row for row in own_rows(consortium.network, holder, window)}
        positions = [position for position in positions if position in own]
    shown = np.array(positions[first : first + count], dtype=np.int64)
    trades = house.intake.stream.trades_at(shown) if len(shown) else None
    currency = consortium.network.currencies[0]
    gross, net = (cycle.gross_value, cycle.net_value) if cycle else (0, 0)
    return SettledTrades(
        cycle=cycle,
        gross_value=f"{currency} {grouped(format_amount(gross, currency))}",
        net_value=f"{currency} {grouped(format_amount(net, currency))}",
        efficiency=format_basis_points(netting_efficiency_bp(gross, net)),
        total=len(positions),
        trades=_in_words(consortium, trades) if trades is not None else [],
    )


def _in_words(consortium: Consortium, trades: TradeColumns) -> list[SettledTrade]:
    network = consortium.network
    shown = []
    for row in range(len(trades)):
        instrument = network.instrument(int(trades.instruments[row]))
        amount = format_amount(int(trades.amounts[row]), instrument.currency)
        shown.append(
            SettledTrade(
                id=describe_trade_id(network, trades, row),
                symbol=instrument.symbol,
                seller=network.account_id(int(trades.sellers[row])),
                buyer=network.account_id(int(trades.buyers[row])),
                quantity=grouped(str(trades.quantities[row])),
                price=format_price(int(trades.prices[row])),
                amount=f"{instrument.currency} {grouped(amount)}",
            )
        )
    return shown
