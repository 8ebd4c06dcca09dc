"""Trades as their parties see them: each party's own, in the order in which they were captured."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from ledger.books.trade_records import PackedTrades
from ledger.clearing.columns import Column, TradeColumns, participants_of

_NOBODY: Final = 2**16 - 1


@dataclass(frozen=True, slots=True)
class OwnTrades:
    """The trades that a participant sells or buys, and their rows among all. By its number."""

    party: int
    rows: Column
    trades: TradeColumns


class TradesByParty:
    """Trades, sorted by party once: with many parties, looking for each one's costs far more."""

    def __init__(self, trades: TradeColumns) -> None:
        sellers, buyers = participants_of(trades.sellers), participants_of(trades.buyers)
        # Participants' numbers fit: in sixteen bits a stable sort counts instead of comparing.
        sides = np.stack([sellers, buyers], axis=1, dtype=np.uint16, casting="unsafe").ravel()
        # Who sells to itself, from one account to another, has the trade once.
        sides[1::2][sellers == buyers] = _NOBODY
        counts = np.bincount(sides, minlength=_NOBODY + 1)[:_NOBODY]
        self._parties = np.flatnonzero(counts)
        self._ends = np.cumsum(counts[self._parties])
        self._rows = np.argsort(sides, kind="stable")[: counts.sum()] >> 1
        self._trades = PackedTrades.of(trades).take(self._rows)

    def __iter__(self) -> Iterator[OwnTrades]:
        first = 0
        for party, end in zip(self._parties.tolist(), self._ends.tolist(), strict=True):
            here = slice(first, end)
            yield OwnTrades(party, self._rows[here], self._trades.take(here).unpacked())
            first = end
