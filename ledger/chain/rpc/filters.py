"""Filters that clients poll: new blocks, or new logs. Kept by the process, bounded, expiring."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Final

from ledger.chain.log_index import LogFilter

FILTERS_MAX: Final = 1_000
EXPIRY_NS: Final = 300 * 1_000_000_000


@dataclass(slots=True)
class Filter:
    """A filter and the first block that its owner has not been told of.

    ``wanted`` is None when it is blocks that are wanted.
    """

    wanted: LogFilter | None
    next_block: int
    polled_ns: int


class FilterTable:
    """The filters of one process. Beyond the bound, the one polled longest ago goes."""

    def __init__(self, stopwatch_ns: Callable[[], int]) -> None:
        self._stopwatch_ns = stopwatch_ns
        self._lock = Lock()
        self._filter_by_id: OrderedDict[int, Filter] = OrderedDict()
        self._last_id = 0

    def add(self, wanted: LogFilter | None, next_block: int) -> int:
        """Keeps a filter; its id."""
        with self._lock:
            self._expire()
            if len(self._filter_by_id) == FILTERS_MAX:
                self._filter_by_id.popitem(last=False)
            self._last_id += 1
            self._filter_by_id[self._last_id] = Filter(wanted, next_block, self._stopwatch_ns())
            return self._last_id

    def poll(self, id: int) -> Filter | None:
        """A filter, which then counts as polled; None when there is none."""
        with self._lock:
            self._expire()
            found = self._filter_by_id.get(id)
            if found is not None:
                found.polled_ns = self._stopwatch_ns()
                self._filter_by_id.move_to_end(id)
            return found

    def remove(self, id: int) -> bool:
        """Forgets a filter; whether there was one."""
        with self._lock:
            self._expire()
            return self._filter_by_id.pop(id, None) is not None

    def ids(self) -> Sequence[int]:
        """The filters there are, the one polled longest ago first."""
        with self._lock:
            return list(self._filter_by_id)

    def _expire(self) -> None:
        oldest_ns = self._stopwatch_ns() - EXPIRY_NS
        while self._filter_by_id:
            id, oldest = next(iter(self._filter_by_id.items()))
            if oldest.polled_ns >= oldest_ns:
                return
            del self._filter_by_id[id]
