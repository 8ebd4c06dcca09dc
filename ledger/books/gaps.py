"""Which numbers of a dense sequence are missing: intervals of what was captured, by day.

A venue with a dense sequence numbers the trades of an instrument and day 1, 2, 3 and so on. What is
kept grows with the number of gaps, not of trades.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ledger.books.series import SeriesOrder

Interval = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers that were never captured, below one that was: from the first to the last."""

    date_ordinal: int
    instrument: int
    first: int
    last: int

    @property
    def missing(self) -> int:
        """How many numbers are missing."""
        return self.last - self.first + 1


class CapturedNumbers:
    """The captured numbers of each day and instrument, as intervals from first to last."""

    def __init__(self) -> None:
        self._by_series: dict[tuple[int, int], list[Interval]] = {}

    def take_in(self, series: SeriesOrder) -> None:
        """Takes captured trades into account; a cancellation has no number of its own."""
        numbers, places = series.numbers, np.repeat(np.arange(len(series.starts)), series.counts)
        if not series.ascends.all():
            numbers = numbers[np.lexsort((numbers, places))]
        begins = np.ones(len(numbers), dtype=bool)
        begins[1:] = (numbers[1:] - numbers[:-1] > 1) | (places[1:] != places[:-1])
        firsts = np.flatnonzero(begins)
        lasts = np.append(firsts[1:], len(numbers)) - 1
        own = series.days[places[firsts]] % 2 == 0
        firsts, lasts = firsts[own], lasts[: len(firsts)][own]
        for day, instrument, first, last in zip(
            (series.days[places[firsts]] // 2).tolist(),
            series.instruments[places[firsts]].tolist(),
            numbers[firsts].tolist(),
            numbers[lasts].tolist(),
            strict=True,
        ):
            _join(self._by_series.setdefault((day, instrument), []), first, last)

    def gaps(self) -> Iterator[Gap]:
        """Every gap, by day, instrument and number. Sequences begin with 1."""
        for (day, instrument), intervals in sorted(self._by_series.items()):
            for (_, last), (following, _) in pairwise([(0, 0), *intervals]):
                if following > last + 1:
                    yield Gap(day, instrument, last + 1, following - 1)


def _join(intervals: list[Interval], first: int, last: int) -> None:
    """Adds an interval to ascending ones that do not touch each other."""
    begin = bisect_left(intervals, first - 1, key=lambda interval: interval[1])
    end = begin
    while end < len(intervals) and intervals[end][0] <= last + 1:
        first, last = min(first, intervals[end][0]), max(last, intervals[end][1])
        end += 1
    intervals[begin:end] = [(first, last)]
