"""Watching a cycle on its way: which stage it has reached, for whoever measures or shows it.

An observer hears of a stage once it has been reached. It must be quick: the clearing house waits
for it. What it does changes nothing in the cycle.
"""

from enum import Enum
from typing import Final, Protocol


class Stage(Enum):
    """How far a cycle has come, in order. A cycle that is cut again passes some stages again."""

    STRUCK = "struck"
    """Its trades are chosen."""
    NETTED = "netted"
    """Its net lines are known, and covered."""
    COMMITTED = "committed"
    """Its root is known."""
    ATTESTED = "attested"
    """All its parties have signed."""
    FINAL = "final"
    """The last of its transactions is in a final block."""


class CycleObserver(Protocol):
    """Hears how far cycles have come."""

    def reached(self, stage: Stage, cycle_number: int, trades: int) -> None:
        """A cycle has reached a stage with so many trades in it."""


class _NoObserver:
    """Takes no notice."""

    def reached(self, stage: Stage, cycle_number: int, trades: int) -> None:
        """Does nothing."""


NO_OBSERVER: Final[CycleObserver] = _NoObserver()
