"""Trades in words: their identity and terms, as people and interfaces read them."""

from datetime import date
from typing import Final

from ledger.clearing.columns import TradeColumns
from ledger.domain.amounts import format_price
from ledger.domain.errors import MalformedError
from ledger.domain.identifiers import TradeId, decode_trade_number
from nodes.network import Network

CANCEL_MARK: Final = ".cancel"


def trade_id_of(network: Network, trades: TradeColumns, row: int) -> TradeId:
    """The identity of a trade."""
    return TradeId(
        venue=network.venue,
        trade_date=date.fromordinal(int(trades.dates[row])),
        isin=network.instrument(int(trades.instruments[row])).isin,
        number=decode_trade_number(int(trades.numbers[row])),
    )


def describe_trade_id(network: Network, trades: TradeColumns, row: int) -> str:
    """The identity of a trade as text; a cancellation is told from the trade that it cancels."""
    mark = CANCEL_MARK if trades.cancels[row] > 0 else ""
    return f"{trade_id_of(network, trades, row)}{mark}"


def is_trade_name(text: str) -> bool:
    """Whether a text reads as the identity of a trade, or of its cancellation."""
    try:
        TradeId.parse(text.removesuffix(CANCEL_MARK))
    except MalformedError:
        return False
    return True


def describe_terms(network: Network, trades: TradeColumns, row: int) -> str:
    """Who sold what to whom, at which price."""
    seller = network.account_id(int(trades.sellers[row]))
    buyer = network.account_id(int(trades.buyers[row]))
    price = format_price(int(trades.prices[row]))
    return f"{seller} to {buyer}: {trades.quantities[row]} at {price}"
