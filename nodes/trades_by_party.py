"""Trades as their parties see them: each party's own, in the order in which they were captured."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ledger.books.trade_records import PackedTrades
from ledger.clearing.columns import Column, TradeColumns, participants_of


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
        parties = np.empty((len(trades), 2), dtype=np.uint16)
        parties[:, 0], parties[:, 1] = sellers, buyers
        order = np.argsort(parties.ravel(), kind="stable")
        rows, parties = order >> 1, parties.ravel()[order]
        begins = np.ones(len(rows), dtype=bool)
        begins[1:] = parties[1:] != parties[:-1]
        # Who sells to itself, from one account to another, has the trade once.
        is_once = np.ones(len(rows), dtype=bool)
        is_once[1:] = begins[1:] | (rows[1:] != rows[:-1])
        self._rows, parties, begins = rows[is_once], parties[is_once], begins[is_once]
        self._starts = np.flatnonzero(begins)
        self._parties = parties[self._starts]
        self._trades = PackedTrades.of(trades).take(self._rows)

    def __iter__(self) -> Iterator[OwnTrades]:
        ends = np.append(self._starts[1:], len(self._rows))
        for party, first, end in zip(
            self._parties.tolist(), self._starts.tolist(), ends.tolist(), strict=True
        ):
            here = slice(first, end)
            yield OwnTrades(party, self._rows[here], self._trades.take(here).unpacked())
