"""A market day that comes as JSON over HTTP, to the server of ``novate up`` and its sandbox.

The server is in this process, with its own threads; the venue is in another and posts batches to
127.0.0.1. Cycles are struck by count, and by hand at the end.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from typing import Final

from ledger.books.tables import CycleRow
from loadtests.benchmarks.day_arrow import DayError, OnProgress
from loadtests.benchmarks.day_parties import hand_over
from loadtests.benchmarks.day_stages import CAPTURED, HANDED_OVER, StageClock
from loadtests.benchmarks.day_venue import Venue
from nodes.consortium import Consortium
from nodes.sandbox.sandbox import Sandbox

Serve = Callable[[Sandbox], AbstractContextManager[int]]
"""Serves a sandbox on a free port of 127.0.0.1, which it gives; ended with the block."""

_LOOK_SECONDS: Final = 0.1


class TimedSandbox(Sandbox):
    """A sandbox whose stages are timed, and that strikes by count alone."""

    def __init__(self, consortium: Consortium, clock: StageClock, *, attested: bool) -> None:
        super().__init__(consortium, cycle_seconds=0)
        self.breaks = 0
        self._clock = clock
        self._attested = attested

    def _take_in(self) -> None:
        exchange, house = self.consortium.exchange, self.consortium.clearing_house
        if exchange.captured.end_position > house.intake.stream.end_position:
            with self._clock.busy(HANDED_OVER):
                hand_over(self.consortium, attested=self._attested)

    def _close_cycle(self) -> CycleRow | None:
        house = self.consortium.clearing_house
        if not house.net.waiting():
            return None
        with self._clock.cycle():
            row = house.net.close()
            self.breaks = self.consortium.reconcile()
        return row


def run_json(
    sandbox: TimedSandbox, venue: Venue, clock: StageClock, on_progress: OnProgress
) -> int:
    """Runs the day of a sandbox that is served; returns the open breaks.

    Raises DayError and VenueError.
    """
    cycles = sandbox.consortium.clearing_house.cycles
    with ThreadPoolExecutor(1, "venue") as watch:
        clock.begin()
        venue.begin()
        sent = watch.submit(venue.finish)
        while not wait([sent], _LOOK_SECONDS).done:
            on_progress(cycles.watermark())
        sent.result()
        clock.mark(CAPTURED)
    while sandbox.strike() is not None:
        on_progress(cycles.watermark())
    if sandbox.failure:
        raise DayError(sandbox.failure)
    return sandbox.breaks
