"""Figures of a run: rates and latencies over time and by stage, from every single trade.

A latency counts from the moment the trade was intended, so a generator or server that falls behind
is seen in it. Seconds are those since the beginning of the shape.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from loadtests.afterwards import Book, CycleSeen
from loadtests.counting import Answer, Register
from loadtests.profile import Profile
from loadtests.trades import DIGITS

Column = NDArray[np.float64]

STAGES: Final = ("accepted", "cleared", "settled", "final", "reconciled")
QUANTILES: Final = (50.0, 95.0, 99.0)
CURVE: Final = (*range(99), 99.0, 99.5, 99.9, 100.0)
SUSTAINED_SHARE: Final = 0.99
"""Of what a step intends so much is accepted, and final in time, if its rate is sustained."""
SUSTAINED_SECONDS: Final = 2.0


class Moments:
    """When each trade was intended and sent, and reached each stage; NaN: never."""

    def __init__(
        self, registers: Sequence[Register], book: Book, cycles: Sequence[CycleSeen]
    ) -> None:
        self.intended = _joined([np.array(each.intended) for each in registers])
        self.sent = _or_never(_joined([np.array(each.sent) for each in registers]))
        answers = _joined([np.array(list(each.answers), dtype=np.float64) for each in registers])
        self.is_sent = answers != Answer.UNSENT
        answered = _or_never(_joined([np.array(each.answered) for each in registers]))
        cycle_of = _joined([_cycles_of(each, book) for each in registers])
        self.stages: dict[str, Column] = {
            "accepted": np.where(answers == Answer.ACCEPTED, answered, np.nan)
        }
        for stage in STAGES[1:]:
            self.stages[stage] = _at(stage, cycles, cycle_of)

    def latency(self, stage: str) -> Column:
        """Seconds from intention to a stage."""
        return np.asarray(self.stages[stage] - self.intended)


def figures_of(profile: Profile, moments: Moments, begin_at: float) -> dict[str, Any]:
    """All figures, ready to be written as JSON. Latencies are in milliseconds."""
    shape = profile.load
    warm = moments.intended >= begin_at + profile.warmup_seconds
    measured = shape.seconds - profile.warmup_seconds
    phases = [_phase(each.name, each.begin, each.end, moments, begin_at) for each in shape.phases]
    return {
        "seconds": shape.seconds,
        "warmup_seconds": profile.warmup_seconds,
        "latency_ms": {stage: percentiles(moments.latency(stage)[warm]) for stage in STAGES},
        "send_lag_ms": percentiles((moments.sent - moments.intended)[warm]),
        "rates": _rates(moments, begin_at, profile.warmup_seconds, measured),
        "phases": phases,
        "sustained_rate": _sustained(phases) if shape.kind == "step" else None,
        "curve": {stage: _curve(moments.latency(stage)[warm]) for stage in ("accepted", "final")},
        "series": _series(moments, begin_at),
    }


def _rates(moments: Moments, begin_at: float, warmup: float, seconds: float) -> dict[str, float]:
    """Trades a second after the warm-up and before the shape's end, by when they came so far."""
    begin, end = begin_at + warmup, begin_at + warmup + seconds
    columns = {"offered": moments.intended, "sent": moments.sent} | moments.stages
    return {
        name: round(float(np.count_nonzero((at >= begin) & (at < end))) / seconds, 1)
        for name, at in columns.items()
    }


def _phase(
    name: str, begin: float, end: float, moments: Moments, begin_at: float
) -> dict[str, Any]:
    here = (moments.intended >= begin_at + begin) & (moments.intended < begin_at + end)
    offered = int(np.count_nonzero(here))
    final = moments.latency("final")[here]
    in_time = int(np.count_nonzero(final <= SUSTAINED_SECONDS))
    seconds = end - begin
    return {
        "name": name,
        "begin": round(begin, 3),
        "end": round(end, 3),
        "offered": round(offered / seconds, 1),
        "accepted": round(float(np.isfinite(moments.stages["accepted"][here]).sum()) / seconds, 1),
        "in_time": round(in_time / seconds, 1),
        "latency_ms": {
            stage: percentiles(moments.latency(stage)[here]) for stage in ("accepted", "final")
        },
        "is_sustained": offered > 0 and in_time >= SUSTAINED_SHARE * offered,
    }


def _sustained(phases: Sequence[Mapping[str, Any]]) -> float | None:
    """The highest rate that was sustained before two steps in a row were not; None: none was.

    One slow step between sustained ones is the machine's, not the server's.
    """
    reached, missed = None, 0
    for phase in phases:
        missed = 0 if phase["is_sustained"] else missed + 1
        if missed > 1:
            break
        if not missed:
            reached = float(phase["in_time"])
    return reached


def _series(moments: Moments, begin_at: float) -> dict[str, Any]:
    """By second: trades intended, accepted and final in it; latencies of those intended in it."""
    columns = {"offered": moments.intended} | {
        stage: moments.stages[stage] for stage in ("accepted", "final")
    }
    last = max(
        (float(np.nanmax(at)) for at in columns.values() if np.isfinite(at).any()),
        default=begin_at,
    )
    count = max(int(last - begin_at) + 1, 1)
    counted = {name: _counted(at - begin_at, count) for name, at in columns.items()}
    second = np.clip((moments.intended - begin_at).astype(np.int64), 0, count - 1)
    order = np.argsort(second, kind="stable")
    edges = np.searchsorted(second[order], np.arange(count + 1))
    latencies: dict[str, dict[str, list[float | None]]] = {}
    for stage in ("accepted", "final"):
        column = moments.latency(stage)[order]
        rows = [percentiles(column[edges[at] : edges[at + 1]]) for at in range(count)]
        latencies[stage] = {name: [row[name] for row in rows] for name in ("p50", "p95", "p99")}
    return {"count": counted, "latency_ms": latencies}


def _counted(seconds: Column, count: int) -> list[int]:
    within = seconds[np.isfinite(seconds) & (seconds >= 0)].astype(np.int64)
    counted: list[int] = np.bincount(within, minlength=count)[:count].tolist()
    return counted


def percentiles(seconds: Column) -> dict[str, float | None]:
    """p50, p95, p99 and the longest in milliseconds; None where there is nothing."""
    known = seconds[np.isfinite(seconds)]
    if not len(known):
        return dict.fromkeys(("p50", "p95", "p99", "max"))
    values = [*np.percentile(known, QUANTILES, method="inverted_cdf"), known.max()]
    return {
        name: round(float(value) * 1_000, 2)
        for name, value in zip(("p50", "p95", "p99", "max"), values, strict=True)
    }


def _curve(seconds: Column) -> list[list[float]]:
    """Milliseconds within which each share of the trades was."""
    known = seconds[np.isfinite(seconds)]
    if not len(known):
        return []
    values = np.percentile(known, CURVE, method="inverted_cdf")
    return [
        [float(share), round(float(value) * 1_000, 2)]
        for share, value in zip(CURVE, values, strict=True)
    ]


def _cycles_of(register: Register, book: Book) -> Column:
    """The cycle in which each settled; NaN: in none."""
    found = np.full(len(register), np.nan)
    for number, (_, cycle) in book.settled.items():
        if number.startswith(register.prefix):
            place = int(number[-DIGITS:])
            if place < len(found):
                found[place] = cycle or np.nan
    return found


def _at(stage: str, cycles: Sequence[CycleSeen], cycle_of: Column) -> Column:
    """When the cycles of some trades reached a stage."""
    last = max((each.number for each in cycles), default=0)
    moments = np.full(last + 1, np.nan)
    for each in cycles:
        moment = getattr(each, stage)
        if moment is not None:
            moments[each.number] = moment
    known = np.isfinite(cycle_of) & (cycle_of <= last)
    found = np.full(len(cycle_of), np.nan)
    found[known] = moments[cycle_of[known].astype(np.int64)]
    return found


def _joined(columns: Sequence[Column]) -> Column:
    return np.concatenate(columns) if columns else np.empty(0)


def _or_never(moments: Column) -> Column:
    return np.where(moments > 0, moments, np.nan)
