"""Sums by two numbers, in a table: many times faster than sorting, and exact.

Assets and accounts are few beside trades. Those that occur are interned, so that a holding is a
cell of a small table; only when the table would be far larger than the trades are holdings interned
themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ledger.clearing.columns import Column, holding_keys

TABLE_MIN: Final = 1 << 16
TABLE_PER_ROW: Final = 8
_ROWS_AT_ONCE: Final = 65_536


@dataclass(frozen=True, slots=True)
class Interned:
    """Numbers by their rank among those that occur.

    Attributes:
        values: the different numbers, ascending.
        ranks: for each column given, the place of each number in ``values``.
    """

    values: Column
    ranks: Sequence[Column]


def occurring(*columns: Column) -> Column:
    """The different numbers of some columns, ascending. None is below zero."""
    top = max(int(column.max(initial=0)) for column in columns)
    if top >= _table_max(len(columns[0])):
        return np.unique(np.concatenate(columns))
    occurs = np.zeros(top + 1, dtype=bool)
    for column in columns:
        occurs[column] = True
    return np.flatnonzero(occurs)


def interned(*columns: Column) -> Interned:
    """The different numbers of some columns, and each one's rank. None is below zero."""
    top = max(int(column.max(initial=0)) for column in columns)
    if top < _table_max(len(columns[0])):
        values = occurring(*columns)
        rank = np.zeros(top + 1, dtype=np.int64)
        rank[values] = np.arange(len(values))
        return Interned(values, [rank[column] for column in columns])
    values, places = np.unique(np.concatenate(columns), return_inverse=True)
    ends = np.cumsum([len(column) for column in columns])
    return Interned(values, np.split(places, ends[:-1]))


@dataclass(frozen=True, slots=True)
class Cells:
    """Holdings as cells: of each row the cell of its one side, and the cell of its other.

    Attributes:
        keys: the holding key of every cell, ascending.
    """

    keys: Column
    one: Column
    other: Column

    @staticmethod
    def of(assets: Column, one: Column, other: Column) -> "Cells":
        """The holdings of an asset a row, in two accounts."""
        asset, account = interned(assets), interned(one, other)
        width, (rank,) = len(account.values), asset.ranks
        if len(asset.values) * width <= _table_max(len(assets)):
            keys = holding_keys(asset.values[:, None], account.values[None, :]).ravel()
            ones, others = account.ranks
            return Cells(keys, rank * width + ones, rank * width + others)
        found = interned(holding_keys(assets, one), holding_keys(assets, other))
        return Cells(found.values, *found.ranks)


def _table_max(rows: int) -> int:
    """How large a table pays for so many rows."""
    return max(TABLE_MIN, TABLE_PER_ROW * rows)


def rows_within(assets: Column, one: Column, other: Column, holdings_max: int) -> int:
    """How many rows from the first on have at most so many different holdings."""
    if len(occurring(assets)) * len(occurring(one, other)) <= holdings_max:
        return len(assets)
    cells = Cells.of(assets, one, other)
    seen, used = np.zeros(len(cells.keys), dtype=bool), 0
    for first in range(0, len(assets), _ROWS_AT_ONCE):
        rows = slice(first, first + _ROWS_AT_ONCE)
        both = np.stack([cells.one[rows], cells.other[rows]], axis=1).ravel()
        new = np.flatnonzero(~seen[both])
        fresh, places = np.unique(both[new], return_index=True)
        if used + len(fresh) > holdings_max:
            # The row in which the first holding too many is used for the first time.
            return first + int(np.sort(new[places])[holdings_max - used]) // 2
        seen[fresh] = True
        used += len(fresh)
    return len(assets)
