"""The stream of messages of one generator: whoever is free takes the one that is due next."""

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass

from loadtests.arrival import arrivals
from loadtests.messages import Message, MessageMaker
from loadtests.profile import Profile


@dataclass(frozen=True, slots=True)
class Due:
    """A message and the moment for which it is intended."""

    intended: float
    message: Message


class Stream:
    """Single trades and batches in the order in which they are intended, until the shape ends."""

    def __init__(self, profile: Profile, maker: MessageMaker, begin: float, share: float) -> None:
        """``begin`` is when the shape begins, ``share`` how much of it is this generator's."""
        self._maker = maker
        self._begin = begin
        self.end = begin + profile.load.seconds
        self._due = heapq.merge(*_parts(profile, share, maker.chance))

    def take(self, moment: float) -> Due | None:
        """The next message; None when there is none left, or no time left to send any."""
        following = next(self._due, None)
        if following is None:
            return None
        seconds, size = following
        intended = self._begin + seconds
        if moment >= self.end:
            self._maker.register.take(size, intended)
            self.drop_rest()
            return None
        return Due(intended, self._maker.next(size, intended))

    def drop_rest(self) -> None:
        """Counts what the shape intended and can no longer be sent: it stays unsent."""
        for seconds, size in self._due:
            self._maker.register.take(size, self._begin + seconds)


def _parts(
    profile: Profile, share: float, chance: random.Random
) -> Iterator[Iterator[tuple[float, int]]]:
    batches, shape = profile.batches, profile.load
    if batches.share < 1:
        yield _sized(1, arrivals(shape, share * (1 - batches.share), profile.arrival, chance))
    if batches.share > 0:
        part = share * batches.share / batches.trades
        yield _sized(batches.trades, arrivals(shape, part, profile.arrival, chance))


def _sized(size: int, moments: Iterator[float]) -> Iterator[tuple[float, int]]:
    return ((moment, size) for moment in moments)
