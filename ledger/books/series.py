"""The series of trade numbers: one for each day, instrument, and whether trades cancel others.

A number stands in a series once. Venues number their trades upwards, so nearly every series of a
batch ascends, and then its rows are all different trades, known without a search.
"""

from dataclasses import dataclass

import numpy as np

from ledger.clearing.columns import Column, Mask, TradeColumns, stable_order


@dataclass(frozen=True, slots=True)
class SeriesOrder:
    """Trades ordered by series; those of a series as they came.

    Attributes:
        rows: the rows, series by series.
        numbers: the numbers of these rows.
        starts: where in them each series begins.
        days: by series, twice the date, and one more for cancellations.
        instruments: by series.
        ascends: by series, whether every number is above the one before.
    """

    rows: Column
    numbers: Column
    starts: Column
    days: Column
    instruments: Column
    ascends: Mask

    @staticmethod
    def of(trades: TradeColumns) -> "SeriesOrder":
        """The series of some trades."""
        days = days_of(trades)
        rows = _order(days, trades.instruments)
        numbers = trades.numbers[rows]
        instruments = trades.instruments[rows]
        differs = instruments[1:] != instruments[:-1]
        if len(days) > 1:
            ordered = days[rows]
            differs |= ordered[1:] != ordered[:-1]
        starts = np.flatnonzero(differs) + 1
        if len(rows):
            starts = np.concatenate([[0], starts])
        ascends = np.ones(len(starts), dtype=bool)
        falls = np.flatnonzero(~differs & (numbers[1:] <= numbers[:-1]))
        ascends[np.searchsorted(starts, falls, side="right") - 1] = False
        days = days[rows[starts]] if len(days) > 1 else np.repeat(days, len(starts))
        return SeriesOrder(rows, numbers, starts, days, instruments[starts], ascends)

    @property
    def counts(self) -> Column:
        """How many rows each series has."""
        return np.diff(np.append(self.starts, len(self.rows)))

    def highest(self) -> Column:
        """The highest number of each series."""
        if self.ascends.all():
            last: Column = self.numbers[self.starts + self.counts - 1]
            return last
        highest: Column = np.maximum.reduceat(self.numbers, self.starts)
        return highest


def days_of(trades: TradeColumns) -> Column:
    """Twice the date of each trade, and one more for a cancellation; one value if all are alike."""
    dates, cancels = trades.dates, trades.cancels
    if len(dates) and not cancels.any() and dates.min() == dates.max():
        return dates[:1] * 2
    return dates * 2 + (cancels > 0)


def _order(days: Column, instruments: Column) -> Column:
    """The rows, series by series."""
    last = int(instruments.max(initial=0))
    if len(days) == 1:
        return stable_order(instruments, last + 1)
    different, places = np.unique(days, return_inverse=True)
    return stable_order(places * (last + 1) + instruments, len(different) * (last + 1))
