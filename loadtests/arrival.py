"""Open-loop arrival: when each message is intended, whatever the answers to earlier ones take.

A message that cannot be sent at its moment is sent as soon as it can be, and its latency counts
from the moment it was intended: a server that is slow does not make its own load lighter.
"""

import random
from collections.abc import Iterator
from typing import Final, Literal

from loadtests.shapes import Shape

Spacing = Literal["random", "even"]
SPACINGS: Final = ("random", "even")


def arrivals(
    shape: Shape, share: float, spacing: Spacing, chance: random.Random
) -> Iterator[float]:
    """Moments of a share of a shape's load, in seconds since the beginning, ascending.

    With even spacing there are as many as the shape has; with random spacing as many as chance has
    it at that rate (a Poisson process).
    """
    assert share > 0, "a share of the load"
    count = 0.0
    while True:
        count += (chance.expovariate(1) if spacing == "random" else 1.0) / share
        moment = shape.moment_of(count)
        if moment is None:
            return
        yield moment
