"""A market day that comes as Arrow streams: one thread captures, another clears.

    venue (a process) --pipe--> decode, capture, hand over --books--> close cycles, reconcile

What comes next is captured while cycles are closed. What was captured is on disk, so nothing piles
up in memory, however far the one is ahead of the other.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Final

from ledger.books import cycles as records
from loadtests.benchmarks.day_parties import hand_over
from loadtests.benchmarks.day_stages import CAPTURED, DECODED, HANDED_OVER, StageClock
from loadtests.benchmarks.day_venue import Venue
from nodes.consortium import Consortium
from nodes.trade_batches import read_arrow

OnProgress = Callable[[int], None]
"""Hears how many trades have been cleared."""

_LOOK_SECONDS: Final = 0.05


class DayError(Exception):
    """The day did not come to its end; the message says why."""


class ArrowDay:
    """One day of a consortium, from the venue's first byte to the last reconciliation."""

    def __init__(
        self, consortium: Consortium, clock: StageClock, on_progress: OnProgress, *, attested: bool
    ) -> None:
        self._consortium = consortium
        self._clock = clock
        self._on_progress = on_progress
        self._attested = attested
        self._news = Event()

    def run(self, venue: Venue) -> int:
        """Runs the day; returns the open breaks. Raises DayError and VenueError."""
        with ThreadPoolExecutor(1, "capture") as capture:
            self._clock.begin()
            captured = capture.submit(self._capture, venue)
            try:
                breaks = self._clear(captured)
            except BaseException:
                venue.stop()
                raise
            captured.result()
        return breaks

    def _clear(self, captured: "Future[None]") -> int:
        """Clears what is captured, until that is all; returns the open breaks."""
        breaks, is_all = 0, False
        while not is_all:
            is_all = captured.done()
            # Where brokers take part in it, it is not done while they attest.
            if self._attested:
                self._hand_over()
            at_least = 1 if is_all else self._consortium.rules.cycle_trades_max
            breaks = self._close(at_least=at_least, before=breaks)
            if not is_all:
                self._news.wait(_LOOK_SECONDS)
                self._news.clear()
        return breaks

    def _capture(self, venue: Venue) -> None:
        """Captures what the venue sends, batch by batch; each is on disk before the next."""
        clock, consortium = self._clock, self._consortium
        venue.begin()
        try:
            for place, body in enumerate(venue.bodies()):
                with clock.busy(DECODED):
                    trades = read_arrow(body, consortium.network)
                with clock.busy(CAPTURED):
                    consortium.exchange.capture(f"feed:{place}", trades)
                if not self._attested:
                    self._hand_over()
                self._news.set()
        finally:
            self._news.set()

    def _hand_over(self) -> None:
        exchange, house = self._consortium.exchange, self._consortium.clearing_house
        if exchange.captured.end_position > house.intake.stream.end_position:
            with self._clock.busy(HANDED_OVER):
                hand_over(self._consortium, attested=self._attested)

    def _close(self, *, at_least: int, before: int) -> int:
        """Closes cycles while enough trades wait; returns the open breaks."""
        house, breaks = self._consortium.clearing_house, before
        while house.net.waiting() >= at_least:
            with self._clock.cycle():
                row = house.net.close()
                breaks = self._consortium.reconcile()
            assert row is not None
            if row.state == records.ABANDONED:
                raise DayError(f"cycle {row.number} was abandoned")
            self._on_progress(row.end_position)
        return breaks
