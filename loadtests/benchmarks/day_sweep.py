"""Many market days: rates against trades, brokers and instruments, and how long cycles take.

The figures are written as JSON first, and the chart is drawn from that file.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from loadtests.benchmarks.charts import Panel, Series, draw_chart
from loadtests.benchmarks.day import DayOptions, run

TRADES: Final = "trades"
PARTICIPANTS: Final = "participants"
INSTRUMENTS: Final = "instruments"
CYCLE: Final = "cycle_trades_max"
_MILLION: Final = 1_000_000
_RATES: Final = ("captured", "cleared", "final", "reconciled")

Figures = Mapping[str, Any]
"""The result of one day as plain data, with the ``sweep`` that it is of."""
OnDay = Callable[[int, int], None]
"""Hears how many days of how many have been measured."""


class SweepError(Exception):
    """A day of the sweep came out wrong; the message says which."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A day to measure, and what is varied in it."""

    sweep: str
    options: DayOptions


def planned(largest: int, validators: int) -> list[Planned]:
    """The days of a sweep, of at most ten to the power of ``largest`` trades."""
    most, common = 10**largest, DayOptions(validators=validators)
    sizes = [step * 10**power for power in range(4, largest + 1) for step in (1, 3)]
    some = replace(common, trades=min(_MILLION, most))
    cycles = [(size, 20) for size in (10_000, 30_000, 100_000)] + [(300_000, 10), (_MILLION, 5)]
    return [
        *(Planned(TRADES, replace(common, trades=size)) for size in sizes if size <= most),
        *(Planned(PARTICIPANTS, replace(some, participants=count)) for count in (4, 16, 64, 256)),
        *(Planned(INSTRUMENTS, replace(some, instruments=c)) for c in (10, 100, 1_000, 3_000)),
        *(
            Planned(CYCLE, replace(common, trades=size * count, cycle_trades=size))
            for size, count in cycles
            if size * count <= most
        ),
    ]


def sweep(largest: int, validators: int, on_day: OnDay) -> list[dict[str, Any]]:
    """Measures one day after another. Raises SweepError when one comes out wrong."""
    plan, days = planned(largest, validators), []
    # What is done once in a process is done before the first day that counts.
    run(plan[0].options)
    for done, each in enumerate(plan):
        on_day(done, len(plan))
        result = run(each.options)
        if not result.verified:
            raise SweepError(f"{each.options}: {'; '.join(result.faults)}")
        days.append({"sweep": each.sweep, **result.as_json()})
    on_day(len(plan), len(plan))
    return days


def figures_beside(out: Path) -> Path:
    """Where the figures of a chart are kept."""
    return out.with_suffix(".json")


def write(out: Path, days: Sequence[Figures]) -> None:
    """Writes the figures of a chart."""
    lines = ",\n".join(json.dumps(day) for day in days)
    figures_beside(out).write_text(f"[\n{lines}\n]\n")


def draw(out: Path) -> None:
    """Draws a chart from the figures beside it. Raises OSError when there are none."""
    out.write_text(chart(json.loads(figures_beside(out).read_text())))


def chart(days: Sequence[Figures]) -> str:
    """The chart of a sweep, in SVG."""
    first = days[0]
    machine = first["environment"]
    brokers = "attested by every broker" if first["attested"] else "brokers signing from elsewhere"
    validators = first["validators"]
    seats = "one validator" if validators == 1 else f"{validators} validators"
    footnote = (
        f"{machine['machine']}, {machine['python']}, novate {machine['novate']}, seed"
        f" {first['seed']}; {seats}, {brokers}. Every day verified: conservation, a recount,"
        " proofs, no break."
    )
    return draw_chart(
        "A market day through the product",
        "Trades a second of wall time, from the first trade made until the last one has come"
        " so far",
        footnote,
        [
            _rates(days, TRADES, "Longer days", "trades of the day"),
            _rates(days, PARTICIPANTS, "More brokers", "brokers, two accounts each"),
            _rates(days, INSTRUMENTS, "More instruments", "instruments"),
            _latency(days),
        ],
    )


def _rates(days: Sequence[Figures], sweep: str, title: str, label: str) -> Panel:
    mine = [day for day in days if day["sweep"] == sweep]
    return Panel(
        title=f"{title}: {_same(mine, sweep)}",
        x_label=label,
        y_label="trades a second",
        series=[
            Series(rate, [(day[sweep], day["rates"][rate]) for day in mine], place)
            for place, rate in enumerate(_RATES)
        ],
        # Days of very many lengths: their decades say enough.
        x_ticks=[day[sweep] for day in mine] if sweep != TRADES else (),
    )


def _latency(days: Sequence[Figures]) -> Panel:
    mine = [day for day in days if day["sweep"] == CYCLE]
    return Panel(
        title=f"A cycle, from closing to final: {_same(mine, TRADES)}",
        x_label="trades a cycle",
        y_label="milliseconds",
        series=[
            Series(name, [(day[CYCLE], day["cycle_latency_ms"][name]) for day in mine], place)
            for place, name in enumerate(("p50", "p99"))
        ],
        x_ticks=[day[CYCLE] for day in mine],
    )


def _same(days: Sequence[Figures], varied: str) -> str:
    """What is the same in some days, in words."""
    sizes = {
        TRADES: f"{days[0][TRADES]:,} trades",
        PARTICIPANTS: f"{days[0][PARTICIPANTS]} brokers",
        INSTRUMENTS: f"{days[0][INSTRUMENTS]} instruments",
    }
    return ", ".join(text for name, text in sizes.items() if name != varied)
