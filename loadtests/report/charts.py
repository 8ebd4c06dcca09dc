"""The charts of a run, from its recorded seconds."""

from collections.abc import Sequence
from typing import Any

from loadtests.report.svg import Band, Chart, Point, Range, Series, drawn, drawn_ranges
from loadtests.report.words import Words, same, word

PERCENTILES = ("p50", "p95", "p99")
MARKS = ("p50", "p95", "p99", "max")


def rates(result: dict[str, Any]) -> str:
    """Offered, accepted and final by second."""
    counts = result["figures"]["series"]["count"]
    series = [
        Series(word(name), list(enumerate(map(float, counts[name]))), place, dash)
        for place, (name, dash) in enumerate((("offered", 1), ("accepted", 0), ("final", 0)))
    ]
    bands = phase_bands(result)
    return drawn(Chart(word("second"), word("a_second"), series, bands=bands))


def latency(result: dict[str, Any], stage: str) -> str:
    """Percentiles of the trades intended in each second."""
    columns = result["figures"]["series"]["latency_ms"][stage]
    series = [
        Series(same(name), _points(columns[name]), place) for place, name in enumerate(PERCENTILES)
    ]
    chart = Chart(
        word("second"), word("milliseconds"), series, is_log_y=True, bands=phase_bands(result)
    )
    return drawn(chart)


def stages(result: dict[str, Any]) -> str:
    """How long trades took to each stage."""
    rows = [
        Range(word(stage), [float(values[mark]) for mark in MARKS])
        for stage, values in result["figures"]["latency_ms"].items()
        if values["p50"] is not None
    ]
    return drawn_ranges(rows, MARKS, word("milliseconds"))


def curve(results: Sequence[tuple[Words, dict[str, Any]]], stages: Sequence[str]) -> str:
    """Which share of the trades was accepted, and final, within what time; of one run or more."""
    series = [
        Series(
            Words(f"{name.en} {word(stage).en}".strip(), f"{name.zh} {word(stage).zh}".strip()),
            [(max(ms, 0.1), share) for share, ms in result["figures"]["curve"][stage]],
            place,
            dash,
        )
        for dash, (name, result) in enumerate(results)
        for place, stage in enumerate(stages)
    ]
    return drawn(Chart(word("milliseconds"), word("share"), series, is_log_x=True, y_max=100))


def steps(result: dict[str, Any]) -> str:
    """What each step offered, and what of it was final in time."""
    phases = result.get("climb", result["figures"])["phases"]
    ideal = [(phase["offered"], phase["offered"]) for phase in phases]
    reached = [(phase["offered"], phase["in_time"]) for phase in phases]
    series = [Series(word("offered"), ideal, 5, 1), Series(word("in_time"), reached, 2)]
    offered = Words("offered, trades a second", "计划（笔/秒）")
    sustained = result.get("climb", result["figures"])["sustained_rate"]
    bands = [Band(0, sustained, word("sustained"), is_marked=True)] if sustained else []
    return drawn(Chart(offered, word("a_second"), series, bands=bands))


def busy(result: dict[str, Any]) -> str:
    """How busy each process was."""
    series = [
        Series(same(name), [(at, value) for at, value in points], place)
        for place, (name, points) in enumerate(list(result["busy_by_second"].items())[:6])
        if points
    ]
    return drawn(Chart(word("second"), word("core"), series))


def errors(result: dict[str, Any]) -> str:
    """Errors by the second in which the message was intended."""
    counted = {int(at): number for at, number in result["errors_by_second"].items()}
    if not counted:
        return ""
    last = max(*counted, int(result["figures"]["seconds"]))
    points: list[Point | None] = [(float(at), float(counted.get(at, 0))) for at in range(last + 1)]
    series = [Series(word("errors"), points, 4)]
    return drawn(Chart(word("second"), word("a_second_errors"), series))


def phase_bands(result: dict[str, Any]) -> list[Band]:
    """The named parts of the run; none where there is one only."""
    phases = result["figures"]["phases"]
    if len(phases) < 2:
        return []
    return [Band(each["begin"], each["end"], _phase_words(each["name"])) for each in phases]


def _phase_words(name: str) -> Words:
    known = {
        "before": Words("before", "之前"),
        "storm": Words("storm", "高峰"),
        "after": Words("after", "之后"),
        "opening": Words("opening", "开盘"),
        "decay": Words("decay", "回落"),
        "normal": Words("normal", "平稳"),
    }
    return known.get(name) or same(name.removeprefix("step "))


def _points(values: Sequence[float | None]) -> list[Point | None]:
    return [
        None if value is None else (float(at), max(float(value), 0.1))
        for at, value in enumerate(values)
    ]
