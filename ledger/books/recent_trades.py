"""Trades of a stream in memory, packed: the latest, and those lately read from the disk."""

from collections import OrderedDict
from threading import Lock
from typing import Final

from ledger.books.trade_records import PackedTrades, room_for

SEGMENT_TRADES_MAX: Final = 50_000

Segment = tuple[int, PackedTrades]
"""Trades at consecutive positions, and the first of these."""


class RecentTrades:
    """The latest trades of a stream: a few segments, small ones merged as they come.

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
            while len(segments) > 1 and _last_two_are_small(segments):
                newer, older = segments.pop(), segments.pop()
                segments.append(_joined(older, newer))
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


def _last_two_are_small(segments: list[Segment]) -> bool:
    (_, older), (_, newer) = segments[-2:]
    return len(older) <= 2 * len(newer) and len(older) + len(newer) <= SEGMENT_TRADES_MAX


def _joined(older: Segment, newer: Segment) -> Segment:
    (first, before), (_, after) = older, newer
    trades = room_for(len(before) + len(after))
    before.unpack_into(trades, slice(0, len(before)))
    after.unpack_into(trades, slice(len(before), None))
    return first, PackedTrades.of(trades)
