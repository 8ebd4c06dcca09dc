"""The way of a cycle from its strike to finality: which stages it has reached, and when."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from api.web.charts import share
from nodes.clearing_house.cycle_watch import RECONCILED, STAGES, WatchedCycle
from nodes.clearing_house.observer import Stage

WIDTH: Final = 1_000


@dataclass(frozen=True, slots=True)
class Step:
    """A stage. ``after_ms``: since the strike; ``took_ms``: since the stage before; where known."""

    stage: str
    is_reached: bool
    after_ms: int | None = None
    took_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """The time up to a stage, as a part of a bar."""

    stage: str
    first: int
    width: int
    took_ms: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """All stages in order; the times are known of the latest cycles only.

    ``struck_at`` is the business time of the strike, empty where it is not known.
    """

    struck_at: str
    steps: list[Step]
    segments: list[Segment]
    total_ms: int | None


def watched_timeline(watched: WatchedCycle) -> Timeline:
    """The way as the clearing house remembers it."""
    steps, before = list[Step](), 0
    for stage in STAGES:
        after = watched.after_ms(stage)
        steps.append(
            Step(stage, after is not None, after, None if after is None else after - before)
        )
        before = before if after is None else after
    total, reconciled_ms = watched.after_ms(Stage.FINAL.value), watched.after_ms(RECONCILED)
    if reconciled_ms is not None and total is not None:
        steps.append(Step(RECONCILED, True, reconciled_ms, max(reconciled_ms - total, 0)))
    struck_at = watched.struck_at.replace("T", " ")[:19]
    return Timeline(struck_at, steps, _segments(steps[: len(STAGES)], total), total)


def kept_timeline(finality_ms: int | None, *, is_settled: bool) -> Timeline:
    """The way as the books have it: that it was gone, and how long it took in all."""
    steps = [Step(stage, is_settled) for stage in STAGES[:-1]]
    steps.append(Step(STAGES[-1], is_settled, finality_ms))
    return Timeline("", steps, [], finality_ms)


def _segments(steps: list[Step], total: int | None) -> list[Segment]:
    if not total:
        return []
    known = [step for step in steps if step.after_ms is not None]
    return [
        Segment(
            stage=step.stage,
            first=WIDTH * (before.after_ms or 0) // total,
            width=share(step.took_ms or 0, total, WIDTH),
            took_ms=step.took_ms or 0,
        )
        for before, step in pairwise(known)
    ]
