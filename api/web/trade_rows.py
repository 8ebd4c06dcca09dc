"""Trades in words, by their places in the capture, for the tables of pages: those that one sees."""

from dataclasses import dataclass

from api.own_trades import own_rows
from ledger.clearing.columns import Column, TradeColumns
from ledger.domain.amounts import format_amount, format_price, grouped
from ledger.domain.key_holders import KeyHolder
from nodes.consortium import Consortium
from nodes.trade_words import trade_id_of


@dataclass(frozen=True, slots=True)
class TradeRow:
    """A trade in words; of one that left its cycle, ``state`` and ``reason`` say what it is now."""

    id: str
    number: str
    symbol: str
    seller: str
    buyer: str
    quantity: str
    price: str
    amount: str
    state: str = ""
    reason: str = ""


def seen_positions(consortium: Consortium, holder: KeyHolder, positions: Column) -> Column:
    """Those of some positions whose trades the holder of a key sees."""
    if holder.sees_every_trade or not len(positions):
        return positions
    trades = consortium.clearing_house.intake.stream.trades_at(positions)
    return positions[own_rows(consortium.network, holder, trades)]


def trade_rows(
    consortium: Consortium, positions: Column, *, with_standing: bool = False
) -> list[TradeRow]:
    """The trades at some positions, in their order; with what they are now, if that is asked."""
    if not len(positions):
        return []
    trades = consortium.clearing_house.intake.stream.trades_at(positions)
    return [
        _row(consortium, trades, row, int(position), with_standing=with_standing)
        for row, position in enumerate(positions)
    ]


def _row(
    consortium: Consortium, trades: TradeColumns, row: int, position: int, *, with_standing: bool
) -> TradeRow:
    network, identity = consortium.network, trade_id_of(consortium.network, trades, row)
    instrument = network.instrument(int(trades.instruments[row]))
    amount = format_amount(int(trades.amounts[row]), instrument.currency)
    standing = consortium.clearing_house.standing_of(position) if with_standing else None
    return TradeRow(
        id=str(identity),
        number=identity.number,
        symbol=instrument.symbol,
        seller=network.account_id(int(trades.sellers[row])),
        buyer=network.account_id(int(trades.buyers[row])),
        quantity=grouped(str(trades.quantities[row])),
        price=format_price(int(trades.prices[row])),
        amount=f"{instrument.currency} {grouped(amount)}",
        state=standing.state if standing else "",
        reason=standing.reason.name if standing and standing.reason else "",
    )
