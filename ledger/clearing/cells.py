"""Sums by two numbers, in a table: many times faster than sorting, and exact.

Assets and accounts are few beside trades. Those that occur are interned, so that a holding is a
cell of a small table; only when the table would be far larger than the trades are holdings interned
themselves.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from ledger.clearing.columns import Column, holding_keys

TABLE_MIN: Final = 1 << 16
TABLE_PER_ROW: Final = 8
ROWS_AT_ONCE: Final = 32_768
"""So many rows, and all that is computed of them, stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Interned:
    """Numbers by their rank among those that occur.

    Attributes:
        values: the different numbers, ascending.
        table: the rank of each number, by the number; None where that would be too large.
    """

    values: Column
    table: Column | None

    def ranks(self, numbers: Column) -> Column:
        """The place of each number in ``values``; all of them occur there."""
        if self.table is None:
            return np.searchsorted(self.values, numbers)
        ranks: Column = self.table[numbers]
        return ranks


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
    """The different numbers of some columns. None is below zero."""
    values = occurring(*columns)
    top = int(values[-1]) if len(values) else 0
    if top >= _table_max(len(columns[0])):
        return Interned(values, None)
    table = np.zeros(top + 1, dtype=np.int64)
    table[values] = np.arange(len(values))
    return Interned(values, table)


class Cells:
    """The holdings of an asset a row, in two accounts, as cells of a table.

    Attributes:
        keys: the holding key of every cell, ascending.
    """

    def __init__(self, assets: Column, one: Column, other: Column) -> None:
        self._assets, self._one, self._other = assets, one, other
        self._asset, self._account = interned(assets), interned(one, other)
        self._holding: Interned | None = None
        values, width = self._asset.values, len(self._account.values)
        if len(values) * width <= _table_max(len(assets)):
            self.keys = holding_keys(values[:, None], self._account.values[None, :]).ravel()
        else:
            self._holding = interned(holding_keys(assets, one), holding_keys(assets, other))
            self.keys = self._holding.values

    def parts(self) -> Iterator[tuple[slice, Column, Column]]:
        """Consecutive rows, and of each the cell of its one side and the cell of its other."""
        width = len(self._account.values)
        for first in range(0, len(self._assets), ROWS_AT_ONCE):
            rows = slice(first, first + ROWS_AT_ONCE)
            assets, one, other = self._assets[rows], self._one[rows], self._other[rows]
            if self._holding is None:
                base = self._asset.ranks(assets) * width
                yield rows, base + self._account.ranks(one), base + self._account.ranks(other)
            else:
                ranks = self._holding.ranks
                yield rows, ranks(holding_keys(assets, one)), ranks(holding_keys(assets, other))


def _table_max(rows: int) -> int:
    """How large a table pays for so many rows."""
    return max(TABLE_MIN, TABLE_PER_ROW * rows)


def rows_within(assets: Column, one: Column, other: Column, holdings_max: int) -> int:
    """How many rows from the first on have at most so many different holdings."""
    if len(occurring(assets)) * len(occurring(one, other)) <= holdings_max:
        return len(assets)
    cells = Cells(assets, one, other)
    seen, used = np.zeros(len(cells.keys), dtype=bool), 0
    for rows, ones, others in cells.parts():
        both = np.stack([ones, others], axis=1).ravel()
        new = np.flatnonzero(~seen[both])
        fresh, places = np.unique(both[new], return_index=True)
        if used + len(fresh) > holdings_max:
            # The row in which the first holding too many is used for the first time.
            return int(rows.start) + int(np.sort(new[places])[holdings_max - used]) // 2
        seen[fresh] = True
        used += len(fresh)
    return len(assets)
