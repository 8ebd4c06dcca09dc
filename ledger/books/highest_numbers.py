"""The highest trade number of each series: what is above it was never captured.

Venues number their trades upwards, so this settles nearly every row without a search.
"""

import numpy as np

from ledger.books.series import SeriesOrder
from ledger.clearing.columns import Column, Mask

_NONE = -1


class HighestNumbers:
    """Highest numbers by day, kind and instrument."""

    def __init__(self) -> None:
        self._by_day: dict[int, Column] = {}

    def are_new(self, series: SeriesOrder) -> Mask:
        """Which rows were neither taken in before nor stand twice here; False says nothing."""
        rows = len(series.rows)
        highest = np.full(len(series.starts), _NONE, dtype=np.int64)
        for day in np.unique(series.days).tolist():
            these = series.days == day
            instruments = series.instruments[these]
            highest[these] = self._of_day(day, instruments)[instruments]
        if (series.ascends & (series.numbers[series.starts] > highest)).all():
            return np.ones(rows, dtype=bool)
        counts = series.counts
        new = np.zeros(rows, dtype=bool)
        new[series.rows] = (series.numbers > np.repeat(highest, counts)) & np.repeat(
            series.ascends, counts
        )
        return new

    def take_in(self, series: SeriesOrder) -> None:
        """Takes captured trades into account."""
        highest = series.highest()
        for day in np.unique(series.days).tolist():
            these = series.days == day
            instruments = series.instruments[these]
            # A series stands here once.
            kept = self._of_day(day, instruments)
            kept[instruments] = np.maximum(kept[instruments], highest[these])

    def _of_day(self, day: int, instruments: Column) -> Column:
        """The day's highest numbers by instrument, with room for these instruments."""
        kept = self._by_day.get(day, np.full(0, _NONE, dtype=np.int64))
        room = int(instruments.max()) + 1
        if room > len(kept):
            kept = np.concatenate([kept, np.full(room - len(kept), _NONE, dtype=np.int64)])
            self._by_day[day] = kept
        return kept
