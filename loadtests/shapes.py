"""Shapes of load: how many trades a second are intended at each moment of a run.

A shape is a row of segments over which the rate is constant or changes evenly, so that how many
trades are intended up to a moment is exact, and so is the moment of each of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any, Final

SECONDS_MAX: Final = 4 * 3_600
STEPS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Segment:
    """Some seconds over which the rate goes evenly from one to another, in trades a second."""

    seconds: float
    from_rate: float
    to_rate: float

    def count_until(self, seconds: float) -> float:
        """How many trades are intended in its first seconds."""
        slope = (self.to_rate - self.from_rate) / self.seconds
        return seconds * (self.from_rate + slope * seconds / 2)

    def moment_of(self, count: float) -> float:
        """After how many seconds so many are intended."""
        slope = (self.to_rate - self.from_rate) / self.seconds
        if abs(slope) < 1e-9:  # as good as even
            return count / self.from_rate
        root = sqrt(max(self.from_rate**2 + 2 * slope * count, 0))
        return 2 * count / (self.from_rate + root)


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a run with a name of its own, in seconds since the beginning."""

    name: str
    begin: float
    end: float
    rate: float


@dataclass(frozen=True, slots=True)
class Shape:
    """Segments one after the other."""

    kind: str
    segments: tuple[Segment, ...]
    names: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return sum(each.seconds for each in self.segments)

    @property
    def count(self) -> float:
        """How many trades are intended in all."""
        return sum(each.count_until(each.seconds) for each in self.segments)

    @property
    def phases(self) -> list[Phase]:
        """Its segments with their names; the rate is that of the middle."""
        begin, found = 0.0, []
        for name, each in zip(self.names, self.segments, strict=True):
            middle = (each.from_rate + each.to_rate) / 2
            found.append(Phase(name, begin, begin + each.seconds, middle))
            begin += each.seconds
        return found

    def moment_of(self, count: float) -> float | None:
        """When so many trades have been intended; None: never."""
        begin = 0.0
        for each in self.segments:
            here = each.count_until(each.seconds)
            if count < here:
                return begin + each.moment_of(count)
            count -= here
            begin += each.seconds
        return None


def shape_of(table: Mapping[str, Any]) -> Shape:
    """The shape that a profile's table describes. Raises ValueError or TypeError, and says why."""
    values = {name: value for name, value in table.items() if name != "kind"}
    kind = str(table.get("kind"))
    if kind not in _KINDS:
        raise ValueError(f"shape.kind: expected one of {', '.join(_KINDS)}, found {kind}")
    shape = _KINDS[kind](**values)
    if any(each.seconds <= 0 or min(each.from_rate, each.to_rate) < 0 for each in shape.segments):
        raise ValueError("shape: expected seconds above 0 and rates from 0")
    if shape.seconds > SECONDS_MAX:
        raise ValueError(f"shape: expected at most {SECONDS_MAX} seconds, found {shape.seconds:g}")
    return shape


def _steady(*, rate: float, seconds: float) -> Shape:
    return Shape("steady", (Segment(seconds, rate, rate),), ("steady",))


def _soak(*, rate: float, seconds: float, swing: float = 0.2, period: float = 600) -> Shape:
    """Long, and slowly swaying by a share of the rate."""
    low, high, half = rate * (1 - swing), rate * (1 + swing), period / 2
    halves = max(round(seconds / half), 1)
    each = seconds / halves
    ends = [(low, high) if place % 2 == 0 else (high, low) for place in range(halves)]
    return Shape("soak", tuple(Segment(each, *pair) for pair in ends), ("soak",) * halves)


def _step(*, first: float, step: float, steps: int, step_seconds: float) -> Shape:
    if not 0 < steps <= STEPS_MAX:
        raise ValueError(f"shape.steps: expected 1 to {STEPS_MAX}, found {steps}")
    rates = [first + place * step for place in range(steps)]
    segments = tuple(Segment(step_seconds, rate, rate) for rate in rates)
    return Shape("step", segments, tuple(f"step {place + 1}" for place in range(steps)))


def _burst(
    *, normal: float, peak: float, peak_seconds: float, decay_seconds: float, seconds: float
) -> Shape:
    """An opening: everything at once, then less and less until it is a normal day."""
    rest = seconds - peak_seconds - decay_seconds
    segments = (
        Segment(peak_seconds, peak, peak),
        Segment(decay_seconds, peak, normal),
        Segment(rest, normal, normal),
    )
    return Shape("burst", segments, ("opening", "decay", "normal"))


def _storm(
    *, normal: float, times: float, lead_seconds: float, storm_seconds: float, tail_seconds: float
) -> Shape:
    """A normal rate, a multiple of it, and the normal rate again."""
    segments = (
        Segment(lead_seconds, normal, normal),
        Segment(storm_seconds, normal * times, normal * times),
        Segment(tail_seconds, normal, normal),
    )
    return Shape("storm", segments, ("before", "storm", "after"))


_KINDS: Final[Mapping[str, Callable[..., Shape]]] = {
    "steady": _steady,
    "soak": _soak,
    "step": _step,
    "burst": _burst,
    "storm": _storm,
}
