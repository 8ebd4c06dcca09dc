"""When the trades of a day reached each stage, and how long each stage kept the house busy.

One thread captures, another clears; each notes its own stages.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Final

from nodes.clearing_house.observer import Stage

DECODED: Final = "decoded"
CAPTURED: Final = "captured"
HANDED_OVER: Final = "handed_over"
SIGNED: Final = "signed"
CHECKED: Final = "checked"
SETTLED: Final = "settled"
RECONCILED: Final = "reconciled"
KEPT: Final = "kept"
RATES: Final = {
    "captured": CAPTURED,
    "cleared": Stage.NETTED.value,
    "committed": Stage.COMMITTED.value,
    "settled": SETTLED,
    "final": Stage.FINAL.value,
    "reconciled": RECONCILED,
}
"""The rates of a day, and the stage that each goes up to."""


_STAGES: Final = (*(stage.value for stage in Stage if stage is not Stage.FINAL), SETTLED, "final")


class StageClock:
    """Observes the cycles, and is told of everything else."""

    def __init__(self) -> None:
        self.busy_seconds: dict[str, float] = dict.fromkeys(
            (DECODED, CAPTURED, HANDED_OVER, SIGNED, CHECKED, *_STAGES, RECONCILED), 0.0
        )
        self.latency_seconds: list[float] = []
        self._began = 0.0
        self._reached_at: dict[str, float] = {}
        self._since = 0.0

    def begin(self) -> None:
        """The first trade is about to be made."""
        self._began = perf_counter()

    def seconds_to(self, stage: str) -> float:
        """From the beginning until the last trades reached a stage."""
        return self._reached_at[stage] - self._began

    def mark(self, stage: str) -> None:
        """The last trades have reached a stage."""
        self._reached_at[stage] = perf_counter()

    @contextmanager
    def busy(self, stage: str) -> Iterator[None]:
        """What is done in the block brings some trades to a stage."""
        began = perf_counter()
        yield
        self.mark(stage)
        self.busy_seconds[stage] += self._reached_at[stage] - began

    @contextmanager
    def cycle(self) -> Iterator[None]:
        """In the block one cycle is closed, and what it did is reconciled."""
        began = self._since = perf_counter()
        yield
        self._note(RECONCILED)
        final_at = self._reached_at.get(Stage.FINAL.value, began)
        if final_at > began:
            self.latency_seconds.append(final_at - began)

    def reached(self, stage: Stage, cycle_number: int, trades: int) -> None:  # noqa: ARG002 # as observers are told
        """A cycle has reached a stage; told more than once, the last time counts."""
        self._note(stage.value)

    def sealed(self) -> None:
        """A block has been sealed."""
        self._note(SETTLED)

    def _note(self, stage: str) -> None:
        now = perf_counter()
        self.busy_seconds[stage] += now - self._since
        self._since = self._reached_at[stage] = now
