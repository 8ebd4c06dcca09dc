"""When cycles reached each stage, for who measures a market from outside.

Kept in memory, of the latest cycles: a figure of how this process worked, not a part of the books.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from nodes.clearing_house.observer import Stage
from nodes.clock import machine_time

KEPT_MAX: Final = 20_000
"""Cycles whose times are kept: some hours of a busy market."""


@dataclass(frozen=True, slots=True)
class StageTimes:
    """How long one cycle took, in nanoseconds since it was struck; None: not reached.

    Attributes:
        struck_at: by the machine's clock, whatever the market's clock shows.
        cleared_ns: until its lines were known, covered, and signed by all its parties.
        settled_ns: until the last of its transactions was in a final block.
        reconciled_ns: until every node had compared its books with it.
    """

    struck_at: datetime
    struck_ns: int
    cleared_ns: int | None = None
    settled_ns: int | None = None
    reconciled_ns: int | None = None


class CycleTimes:
    """Times of cycles by their numbers. Whoever writes or reads holds the market's lock."""

    def __init__(self, stopwatch_ns: Callable[[], int]) -> None:
        self._now_ns = stopwatch_ns
        self._times: OrderedDict[int, StageTimes] = OrderedDict()

    def of(self, number: int) -> StageTimes | None:
        """The times of a cycle; None when they are not known, or not any more."""
        return self._times.get(number)

    def reached(self, stage: Stage, number: int) -> None:
        """A cycle has reached a stage."""
        now = self._now_ns()
        if stage is Stage.STRUCK:
            self._times[number] = StageTimes(machine_time(), now)
            if len(self._times) > KEPT_MAX:
                self._times.popitem(last=False)
            return
        times = self._times.get(number)
        if times is None:
            # It was struck by a process before this one.
            return
        since = now - times.struck_ns
        if stage is Stage.ATTESTED:
            self._times[number] = replace(times, cleared_ns=since)
        elif stage is Stage.FINAL:
            self._times[number] = replace(times, settled_ns=since)

    def were_reconciled(self, number: int) -> None:
        """Every node has compared its books with a cycle."""
        if times := self._times.get(number):
            self._times[number] = replace(times, reconciled_ns=self._now_ns() - times.struck_ns)
