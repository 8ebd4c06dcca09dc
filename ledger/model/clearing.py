"""Reference model of clearing: netting and trimming, trade by trade, as the rule reads."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ledger.domain.reasons import Reason

Pair = tuple[str, int, int]
"""Register ("cash" sorts before "securities"), asset, account."""


@dataclass(frozen=True, slots=True)
class ModelTrade:
    """A trade: accounts and assets are numbers."""

    instrument: int
    seller: int
    buyer: int
    quantity: int
    currency: int
    amount: int


def net(trades: Sequence[ModelTrade]) -> dict[Pair, int]:
    """The signed sum for each account and asset; zero sums are left out."""
    sums: dict[Pair, int] = defaultdict(int)
    for trade in trades:
        sums["securities", trade.instrument, trade.seller] -= trade.quantity
        sums["securities", trade.instrument, trade.buyer] += trade.quantity
        sums["cash", trade.currency, trade.buyer] -= trade.amount
        sums["cash", trade.currency, trade.seller] += trade.amount
    return {pair: amount for pair, amount in sums.items() if amount}


def trim(trades: Sequence[ModelTrade], available: Mapping[Pair, int]) -> list[tuple[int, Reason]]:
    """The trades that leave, in order, by position and with the reason."""
    staying = dict(enumerate(trades))
    left: list[tuple[int, Reason]] = []
    while True:
        sums = net(list(staying.values()))
        short = {pair for pair, amount in sums.items() if available.get(pair, 0) + amount < 0}
        if not short:
            return left
        position = max(
            position
            for position, trade in staying.items()
            if _delivers(trade) in short or _pays(trade) in short
        )
        trade = staying.pop(position)
        left.append((position, Reason.LACK if _delivers(trade) in short else Reason.MONY))


def _delivers(trade: ModelTrade) -> Pair:
    return ("securities", trade.instrument, trade.seller)


def _pays(trade: ModelTrade) -> Pair:
    return ("cash", trade.currency, trade.buyer)
