"""Trades of a stream in memory, packed: the latest, and those lately read from the disk."""

from collections import OrderedDict
from threading import Lock
from typing import Final

from ledger.books.trade_records import PackedTrades, room_for

SEGMENT_TRADES_MAX: Final = 100_000
JOINED_SEGMENTS: Final = 8
"""Of few at once every trade is packed again at each doubling; of many there are many segments."""

Segment = tuple[int, PackedTrades]
"""Trades at consecutive positions, and the first of these."""


class RecentTrades:
    """The latest trades of a stream: a few segments, small ones joined as they come.

    One thread may add while others read.
    """

    def __init__(self, trades_max: int) -> None:
        self._trades_max = trades_max
        self._segments: list[Segment] = []
        self._lock = Lock()

    def add(self, first_position: int, trades: PackedTrades) -> None:
        """Takes the next trades in; the oldest go when there are too many."""
        with self._lock:
            segments = [*self._segments, (first_position, trades)]
            while _last_are_small(segments):
                segments[-JOINED_SEGMENTS:] = [_joined(segments[-JOINED_SEGMENTS:])]
            while len(segments) > 1 and sum(len(each) for _, each in segments) > self._trades_max:
                segments.pop(0)
            self._segments = segments

    def segments(self) -> list[Segment]:
        """What is here now, in order of positions. Not to be changed."""
        return self._segments


class ReadTrades:
    """Batches that were lately read from the disk, by first position; readers may be many."""

    def __init__(self, trades_max: int) -> None:
        self._trades_max = trades_max
        self._batches: OrderedDict[int, PackedTrades] = OrderedDict()
        self._count = 0
        self._lock = Lock()

    def get(self, first_position: int) -> PackedTrades | None:
        """The batch that begins there, if it was lately read."""
        with self._lock:
            found = self._batches.get(first_position)
            if found is not None:
                self._batches.move_to_end(first_position)
            return found

    def add(self, first_position: int, trades: PackedTrades) -> None:
        """Keeps a batch that was read; those unused the longest go when there are too many."""
        with self._lock:
            if first_position in self._batches:
                return
            self._batches[first_position] = trades
            self._count += len(trades)
            while len(self._batches) > 1 and self._count > self._trades_max:
                self._count -= len(self._batches.popitem(last=False)[1])


def _last_are_small(segments: list[Segment]) -> bool:
    sizes = [len(trades) for _, trades in segments[-JOINED_SEGMENTS:]]
    return (
        len(sizes) == JOINED_SEGMENTS
        and sizes[0] <= 2 * sizes[-1]
        and sum(sizes) <= SEGMENT_TRADES_MAX
    )


def _joined(segments: list[Segment]) -> Segment:
    trades, filled = room_for(sum(len(each) for _, each in segments)), 0
    for _, each in segments:
        each.unpack_into(trades, slice(filled, filled + len(each)))
        filled += len(each)
    return segments[0][0], PackedTrades.of(trades)
