"""The highest trade number of each instrument and day: what is above it was never captured.

Venues number their trades upwards, so this settles nearly every row without a search.
"""

from collections.abc import Iterator

import numpy as np

from ledger.clearing.columns import Column, Mask, TradeColumns


class HighestNumbers:
    """Highest numbers by day, instrument, and whether the trade cancels another."""

    def __init__(self) -> None:
        self._by_day: dict[int, Column] = {}

    def are_above(self, trades: TradeColumns) -> Mask:
        """Which trades have a number above all that were taken in; False says nothing."""
        above = np.zeros(len(trades), dtype=bool)
        for day, rows in _rows_by_day(trades):
            instruments = trades.instruments[rows]
            above[rows] = trades.numbers[rows] > self._of_day(day, instruments)[instruments]
        return above

    def take_in(self, trades: TradeColumns) -> None:
        """Takes captured trades into account."""
        for day, rows in _rows_by_day(trades):
            instruments = trades.instruments[rows]
            np.maximum.at(self._of_day(day, instruments), instruments, trades.numbers[rows])

    def _of_day(self, day: int, instruments: Column) -> Column:
        """The day's highest numbers by instrument, with room for these instruments."""
        kept = self._by_day.get(day, np.full(0, -1, dtype=np.int64))
        room = int(instruments.max()) + 1
        if room > len(kept):
            kept = np.concatenate([kept, np.full(room - len(kept), -1, dtype=np.int64)])
            self._by_day[day] = kept
        return kept


def _rows_by_day(trades: TradeColumns) -> Iterator[tuple[int, Mask | slice]]:
    """The rows of each day and kind; nearly always all of them."""
    days = trades.dates * 2 + (trades.cancels > 0)
    if len(days) and days.min() == days.max():
        yield int(days[0]), slice(None)
        return
    for day in np.unique(days).tolist():
        yield day, days == day
