"""Keeping settled cycles as segments, once they are final and the clearing has time for it.

The cycles themselves are the list of what is to be done: what a crash cut off is found there when
the folder is opened again. One thread writes, cycle by cycle in order.
"""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Final

from ledger.books import cycles as records
from ledger.books.segments import Segment, SegmentStore
from nodes.clearing_house import ClearingHouse
from nodes.clearing_house.committed import CommittedCycle, committed_cycle

MUCH_TRADES: Final = 10_000
BACKLOG_MAX: Final = 8
"""How many settled cycles may not be on disk as segments before the clearing waits for it."""


class SegmentKeeper:
    """Writes the clearing house's settled cycles to a store of segments, in a thread of its own."""

    def __init__(self, house: ClearingHouse, store: SegmentStore) -> None:
        self._house = house
        self._store = store
        self._writer = ThreadPoolExecutor(1, "segments")
        self._waiting: deque[Future[None]] = deque()
        self._asked = 0
        self._kept = 0

    def keep_settled(self) -> None:
        """Has the cycles kept that have become final since; waits only when too many are behind.

        While much waits to be cleared, that comes first. Raises what went wrong since the last
        call, StorageError when the disk is full. Nothing behind that is written before; the next
        call has it tried again.
        """
        self._conclude(BACKLOG_MAX)
        is_busy = self._house.net.waiting() >= MUCH_TRADES
        if not is_busy or self._house.cycles.next_number() - self._kept > BACKLOG_MAX:
            self._ask_for_all()

    def _ask_for_all(self) -> None:
        for row in self._house.cycles.all()[self._asked :]:
            if row.state == records.SUBMITTED:
                return
            if row.state == records.SETTLED:
                self._conclude(BACKLOG_MAX - 1)
                self._waiting.append(self._writer.submit(self._keep_up_to, row.number))
            self._asked = row.number

    def close(self) -> None:
        """Waits until all that was asked for is on disk; raises what went wrong."""
        try:
            self._ask_for_all()
            self._conclude(0)
        finally:
            self._writer.shutdown()

    def _conclude(self, left_max: int) -> None:
        """Takes the answers that are there, and waits until at most so many cycles are left."""
        while self._waiting and (self._waiting[0].done() or len(self._waiting) > left_max):
            try:
                self._waiting.popleft().result()
            except BaseException:
                # Those behind it have met the same, or have done its work again.
                wait(self._waiting)
                self._waiting.clear()
                self._asked = self._kept
                raise

    def _keep_up_to(self, number: int) -> None:
        house = self._house
        for row in house.cycles.all()[self._kept : number]:
            if row.state == records.SETTLED and not self._store.has(row.root):
                self._store.add(segment_of(committed_cycle(house.key, house.intake, row)))
            self._kept = row.number


def segment_of(cycle: CommittedCycle) -> Segment:
    """A settled cycle as it is kept."""
    return Segment(
        number=cycle.row.number,
        cycle_id=cycle.row.id,
        root=cycle.row.root,
        first_position=cycle.row.first_position,
        end_position=cycle.row.end_position,
        salt_key=cycle.salt_key,
        positions=cycle.positions,
        trades=cycle.trades,
    )
