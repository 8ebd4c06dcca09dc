"""How often somebody may ask: a token bucket a key, and an address where there is no key.

A bucket is one number: the time at which it would be full again. One that is full need not be kept.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from nodes.clock import NS

BUCKETS_MAX: Final = 10_000
RATE_MAX: Final = 1_000_000
RATE: Final = 1_000
"""Requests a second; many times what one process answers."""
BURST_SECONDS: Final = 2


@dataclass(frozen=True, slots=True)
class Taken:
    """Whether a request may go on, and what is left. Seconds are whole, rounded up.

    Attributes:
        wait_seconds: until one more may come; 0 when this one may.
        full_seconds: until the bucket is full again.
    """

    remaining: int
    wait_seconds: int
    full_seconds: int

    @property
    def is_allowed(self) -> bool:
        """Whether the request may go on."""
        return self.wait_seconds == 0


class RateLimits:
    """The buckets of all who ask; the one not used for longest goes when there are too many.

    Used by one thread, the server's.

    Attributes:
        refused: how many requests have come too often.
    """

    def __init__(
        self, rate: int, stopwatch_ns: Callable[[], int], burst: int | None = None
    ) -> None:
        assert 1 <= rate <= RATE_MAX, "a rate within bounds"
        self.rate = rate
        self.burst = burst or rate * BURST_SECONDS
        self.refused = 0
        self._interval_ns = NS // rate
        self._now_ns = stopwatch_ns
        self._full_at_ns: OrderedDict[str, int] = OrderedDict()

    def take(self, who: str) -> Taken:
        """Takes one request of somebody."""
        now, capacity = self._now_ns(), self.burst * self._interval_ns
        full_at = max(self._full_at_ns.get(who, now), now) + self._interval_ns
        excess = full_at - now - capacity
        if excess > 0:
            self.refused += 1
            full = _seconds(full_at - self._interval_ns - now)
            return Taken(0, max(_seconds(excess), 1), full)
        self._full_at_ns[who] = full_at
        self._full_at_ns.move_to_end(who)
        if len(self._full_at_ns) > BUCKETS_MAX:
            self._full_at_ns.popitem(last=False)
        return Taken(-excess // self._interval_ns, 0, _seconds(full_at - now))

    def __len__(self) -> int:
        """How many buckets are kept."""
        return len(self._full_at_ns)


def _seconds(ns: int) -> int:
    """Whole seconds, rounded up."""
    return -(-ns // NS)
