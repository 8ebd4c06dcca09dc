"""Which trades somebody sees: those it is a party to, unless it sees every trade."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from api.errors import refuse
from api.views import known_position
from ledger.clearing.columns import TradeColumns
from ledger.domain.accounts import SUB_ACCOUNT_BITS
from ledger.domain.key_holders import KeyHolder
from ledger.domain.reasons import Reason
from nodes.consortium import Consortium
from nodes.network import Network

READ_AT_ONCE: Final = 20_000
READ_MAX: Final = 1_000_000
"""Trades that are looked through for one page."""

Row = tuple[TradeColumns, int, int]
"""Trades, the row of one among them, and its position."""


@dataclass(frozen=True, slots=True)
class OwnPage:
    """Some trades, and where to go on; None at the end."""

    rows: list[Row]
    next_position: int | None


def own_page(consortium: Consortium, holder: KeyHolder, first: int, count: int) -> OwnPage:
    """The first so many trades from a position on that the holder of a key sees."""
    exchange = consortium.exchange
    end, rows, start = exchange.captured_end(), list[Row](), first
    step = count if holder.sees_every_trade else READ_AT_ONCE
    while start < min(end, first + READ_MAX):
        trades = exchange.trades(start, min(start + step, end))
        for row in own_rows(consortium.network, holder, trades):
            if len(rows) == count:
                return OwnPage(rows, start + row)
            rows.append((trades, row, start + row))
        start += len(trades)
        if len(rows) == count and holder.sees_every_trade:
            break
    return OwnPage(rows, start if first <= start < end else None)


def own_rows(network: Network, holder: KeyHolder, trades: TradeColumns) -> list[int]:
    """The rows that the holder of a key sees."""
    if holder.sees_every_trade:
        return list(range(len(trades)))
    if holder.participant is None:
        return []
    number = network.participant_number(holder.participant)
    sells, buys = (side >> SUB_ACCOUNT_BITS == number for side in (trades.sellers, trades.buyers))
    rows: list[int] = np.flatnonzero(sells | buys).tolist()
    return rows


def visible_position(consortium: Consortium, holder: KeyHolder, trade_id: str) -> int:
    """Where a trade stands in the capture; others' are refused as if they had never been."""
    position = known_position(consortium, trade_id)
    if not sees_trade(consortium, holder, position):
        raise refuse(Reason.UNKNOWN, f"no trade {trade_id} was captured")
    return position


def sees_trade(consortium: Consortium, holder: KeyHolder, position: int) -> bool:
    """Whether the trade at a position is one that the holder of a key sees."""
    trades = consortium.exchange.trades(position, position + 1)
    return bool(own_rows(consortium.network, holder, trades))
