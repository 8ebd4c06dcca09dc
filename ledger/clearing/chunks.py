"""How a cycle's trades are cut into chunks, and how a trade is written down to be hashed.

Chunks stand in ascending order of their pairs of participants; within one, trades stand in order of
capture.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ledger.clearing.columns import (
    COLUMN_NAMES,
    Column,
    TradeColumns,
    participants_of,
    stable_order,
)

TRADES_PER_CHUNK_MAX: Final = 64
SALT_BYTES: Final = 32
RECORD_BYTES: Final = 8 * len(COLUMN_NAMES)
_ROWS_AT_ONCE: Final = 8_192
"""So many rows of records stay in the cache while their columns are written."""

Records = np.ndarray[tuple[int, int], np.dtype[np.int64]]
"""Trades as they are hashed: a row of big-endian numbers each."""


@dataclass(frozen=True, slots=True)
class Chunks:
    """The chunks of some trades.

    Attributes:
        order: rows of the trades, chunk by chunk.
        bounds: where each chunk begins in that order, and where the last one ends.
        low, high: the two participants of each chunk, the lower number first.
    """

    order: Column
    bounds: Column
    low: Column
    high: Column

    def __len__(self) -> int:
        return len(self.low)

    def counts(self, indices: Column) -> Column:
        """How many trades some chunks have."""
        counts: Column = self.bounds[indices + 1] - self.bounds[indices]
        return counts

    def rows(self, indices: Column) -> Column:
        """The rows of some chunks, one chunk after another."""
        counts = self.counts(indices)
        ends = np.cumsum(counts)
        # In each chunk the places run on from its bound.
        places = np.repeat(self.bounds[indices] - ends + counts, counts) + np.arange(counts.sum())
        rows: Column = self.order[places]
        return rows

    def indices_of(self, party: int) -> Column:
        """The chunks of one participant, ascending."""
        return np.flatnonzero((self.low == party) | (self.high == party))

    def find(self, row: int) -> tuple[int, int]:
        """The chunk that one of the trades is in, and its place there."""
        places = np.flatnonzero(self.order == row)
        if not len(places):
            raise IndexError(f"there is no trade {row}")
        index = int(np.searchsorted(self.bounds, places[0], side="right")) - 1
        return index, int(places[0] - self.bounds[index])


def chunks_of(trades: TradeColumns) -> Chunks:
    """Trades in chunks of one pair of participants, at most 64 in each."""
    sellers, buyers = participants_of(trades.sellers), participants_of(trades.buyers)
    low, high = np.minimum(sellers, buyers), np.maximum(sellers, buyers)
    width = int(high.max(initial=0)) + 1
    pairs = low * width + high
    order = stable_order(pairs, width * width)
    pairs = pairs[order]
    begins = np.append(0, np.flatnonzero(pairs[1:] != pairs[:-1]) + 1)[: len(pairs)]
    sizes = np.diff(begins, append=len(pairs))
    chunks_each = -(-sizes // TRADES_PER_CHUNK_MAX)
    last = np.cumsum(chunks_each)
    place_in_pair = np.arange(last[-1] if len(last) else 0) - np.repeat(
        last - chunks_each, chunks_each
    )
    firsts = np.repeat(begins, chunks_each) + place_in_pair * TRADES_PER_CHUNK_MAX
    return Chunks(
        order=order,
        bounds=np.append(firsts, len(pairs)),
        low=pairs[firsts] // width,
        high=pairs[firsts] % width,
    )


def trades_of(records: Records) -> TradeColumns:
    """The trades that were written down."""
    columns = np.empty((len(COLUMN_NAMES), len(records)), dtype=np.int64)
    for first in range(0, len(records), _ROWS_AT_ONCE):
        rows = slice(first, first + _ROWS_AT_ONCE)
        columns[:, rows] = records[rows].T
    return TradeColumns(*columns)


def records_of(trades: TradeColumns) -> Records:
    """The trades as they are hashed."""
    records = np.empty((len(trades), len(COLUMN_NAMES)), dtype=">i8")
    columns = list(trades.columns().values())
    for first in range(0, len(trades), _ROWS_AT_ONCE):
        rows = slice(first, first + _ROWS_AT_ONCE)
        for place, column in enumerate(columns):
            records[rows, place] = column[rows]
    return records
