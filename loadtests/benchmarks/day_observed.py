"""A clearing house whose cycles are observed, and the blocks that they are sealed in."""

from loadtests.benchmarks.day_stages import StageClock
from nodes.consortium import Consortium


def observe(consortium: Consortium, clock: StageClock) -> None:
    """Has a clock told of every cycle of this consortium from now on."""
    consortium.clearing_house.net.observer = clock
    consortium.chain.add_listener(lambda _: clock.sealed())
