"""How long blocks take from being sealed to being final, measured as it happens."""

from typing import Final

from prometheus_client import CollectorRegistry, Histogram

from ledger.chain.blocks import Header
from nodes.clock import NS, Clock
from nodes.consortium import Consortium

BUCKETS_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0)


def time_blocks(registry: CollectorRegistry, consortium: Consortium) -> None:
    """Times the blocks of a consortium from now on, where its chain is in this process."""
    chain = consortium.own_chain
    if chain is None:
        return
    timed = _Timed(registry, consortium.clock)
    chain.add_listener(timed.sealed)
    chain.add_final_listener(timed.final)


class _Timed:
    """The chain seals the next block once the last one is final: there is one to wait for."""

    def __init__(self, registry: CollectorRegistry, clock: Clock) -> None:
        self._clock = clock
        self._sealed: tuple[int, int] | None = None
        self._seconds = Histogram(
            "novate_block_seal_to_final_seconds",
            "From a block's seal to the signatures that make it final, since the start.",
            registry=registry,
            buckets=BUCKETS_SECONDS,
        )

    def sealed(self, header: Header) -> None:
        """A block is sealed."""
        self._sealed = header.number, self._clock.stopwatch_ns()

    def final(self, header: Header) -> None:
        """A block is final; of one from before the start it is not known when it was sealed."""
        if self._sealed is not None and self._sealed[0] == header.number:
            self._seconds.observe((self._clock.stopwatch_ns() - self._sealed[1]) / NS)
