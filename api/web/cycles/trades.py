"""The trades of a cycle, page by page, and those that left it: of one's own."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from api.own_trades import own_rows
from ledger.books import cycles as records
from ledger.books.tables import CycleRow
from ledger.clearing.columns import Column, TradeColumns
from ledger.domain.amounts import format_amount, format_price, grouped
from ledger.domain.key_holders import KeyHolder
from nodes.consortium import Consortium
from nodes.trade_words import trade_id_of

TRADES_A_PAGE: Final = 20
LEAVERS_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class TradeRow:
    """A trade in words; of one that left, ``state`` and ``reason`` say what it is now."""

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


@dataclass(frozen=True, slots=True)
class TradesPage:
    """Some of the trades of a cycle that one sees, from one on."""

    rows: list[TradeRow]
    first: int
    total: int
    a_page: int = TRADES_A_PAGE


@dataclass(frozen=True, slots=True)
class Leavers:
    """Trades of the window that did not settle in the cycle: the first ones, and how many."""

    rows: list[TradeRow]
    total: int


def trades_page(consortium: Consortium, holder: KeyHolder, row: CycleRow, first: int) -> TradesPage:
    """A page of the trades that settled, or will, in a cycle."""
    intake = consortium.clearing_house.intake
    staying = intake.staying(row.first_position, row.end_position) if row.trade_count else _none()
    seen = _seen(consortium, holder, staying)
    shown = seen[first : first + TRADES_A_PAGE]
    return TradesPage(_rows(consortium, shown), first, len(seen))


def leavers_of(consortium: Consortium, holder: KeyHolder, row: CycleRow) -> Leavers:
    """The trades that left a cycle; of one that was abandoned, all wait for the next."""
    if row.state == records.ABANDONED:
        return Leavers([], 0)
    intake = consortium.clearing_house.intake
    window = np.arange(row.first_position, row.end_position)
    left = np.setdiff1d(window, intake.staying(row.first_position, row.end_position))
    seen = _seen(consortium, holder, left)
    return Leavers(_rows(consortium, seen[:LEAVERS_SHOWN], with_standing=True), len(seen))


def _seen(consortium: Consortium, holder: KeyHolder, positions: Column) -> Column:
    if holder.sees_every_trade or not len(positions):
        return positions
    trades = consortium.clearing_house.intake.stream.trades_at(positions)
    return positions[own_rows(consortium.network, holder, trades)]


def _none() -> Column:
    return np.zeros(0, dtype=np.int64)


def _rows(
    consortium: Consortium, positions: Column, *, with_standing: bool = False
) -> list[TradeRow]:
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
    network = consortium.network
    instrument = network.instrument(int(trades.instruments[row]))
    amount = format_amount(int(trades.amounts[row]), instrument.currency)
    standing = consortium.clearing_house.standing_of(position) if with_standing else None
    return TradeRow(
        id=str(trade_id_of(network, trades, row)),
        number=trade_id_of(network, trades, row).number,
        symbol=instrument.symbol,
        seller=network.account_id(int(trades.sellers[row])),
        buyer=network.account_id(int(trades.buyers[row])),
        quantity=grouped(str(trades.quantities[row])),
        price=format_price(int(trades.prices[row])),
        amount=f"{instrument.currency} {grouped(amount)}",
        state=standing.state if standing else "",
        reason=standing.reason.name if standing and standing.reason else "",
    )
