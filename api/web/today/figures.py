"""The figures of the day: how many trades came how far, what they are worth, how fast it goes."""

from dataclasses import dataclass
from typing import Final

from api.views import captured_end
from api.web.charts import nice_top, points, share
from ledger.domain.amounts import format_amount, format_basis_points, grouped, netting_efficiency_bp
from nodes.consortium import Consortium
from nodes.sandbox.pulse import SECONDS_KEPT, MarketPulse
from nodes.sandbox.sandbox import Sandbox

BUCKET_SECONDS: Final = 5
CHART_WIDTH: Final = 600
CHART_HEIGHT: Final = 120
LATENCIES_SHOWN: Final = 40
NS_A_MS: Final = 1_000_000
CYCLES_LOOKED_BACK: Final = 1_000
"""For those that a node has not reconciled yet."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was captured has settled, waits, is cancelled, failed or is not affirmed: it adds up.

    Of what has settled, ``settled_alone`` did so in no cycle; gross and net value are of cycles.
    """

    captured: int
    unaffirmed: int
    cancelled: int
    failed: int
    in_cycles: int
    settled: int
    settled_alone: int
    waiting: int
    currency: str
    gross_value: str
    net_value: str
    efficiency: str
    cycles: int
    finality_p50_ms: int | None
    finality_p99_ms: int | None


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a trade's life: how many came so far, and how far that is in percent."""

    word: str
    path: str
    query: dict[str, str]
    count: int
    percent: int


@dataclass(frozen=True, slots=True)
class Rates:
    """Trades a second over the last minutes, as two lines under one axis."""

    captured: str
    final: str
    top: int
    captured_now: str
    final_now: str
    minutes: int
    is_quiet: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """One cycle, and how long it took as a percentage of the axis."""

    number: int
    finality_ms: int
    percent: int


@dataclass(frozen=True, slots=True)
class Latencies:
    """The cycles that settled last, oldest first; there are places for more."""

    top: int
    bars: list[Bar]
    places: int = LATENCIES_SHOWN


def latencies_of(consortium: Consortium) -> Latencies:
    """From strike to final, of the latest cycles."""
    rows = consortium.clearing_house.cycles.all()[-LATENCIES_SHOWN:]
    times = [(row.number, row.finality_ns // NS_A_MS) for row in rows if row.finality_ns]
    top = nice_top(max((finality_ms for _, finality_ms in times), default=0))
    bars = [Bar(number, each, share(each, top)) for number, each in times]
    return Latencies(top, bars)


def figures_of(sandbox: Sandbox) -> Figures:
    """The figures as they stand; the caller holds the market's lock."""
    consortium, pulse = sandbox.consortium, sandbox.pulse
    currency, totals = consortium.network.currencies[0], pulse.totals
    captured = captured_end(consortium)
    latencies = pulse.finality_ms([50, 99])
    gone = pulse.settled + pulse.cancelled + pulse.failed + pulse.unaffirmed
    return Figures(
        captured=captured,
        unaffirmed=pulse.unaffirmed,
        cancelled=pulse.cancelled,
        failed=pulse.failed,
        in_cycles=totals.trades,
        settled=pulse.settled,
        settled_alone=pulse.settled_alone,
        waiting=captured - gone,
        currency=currency,
        gross_value=grouped(format_amount(totals.gross_value, currency)),
        net_value=grouped(format_amount(totals.net_value, currency)),
        efficiency=format_basis_points(netting_efficiency_bp(totals.gross_value, totals.net_value)),
        cycles=totals.cycles,
        finality_p50_ms=latencies[0] if latencies else None,
        finality_p99_ms=latencies[1] if latencies else None,
    )


def funnel_of(
    figures: Figures, pulse: MarketPulse, reconciled_block: int, broken: int
) -> list[Stage]:
    """How many trades came how far.

    ``broken``: captured trades on which records differ. Those which for that are not affirmed have
    not settled either, and are missing there already.
    """
    settled_by_then = pulse.settled_by(reconciled_block, CYCLES_LOOKED_BACK)
    settled_broken = max(broken - figures.unaffirmed, 0)
    reconciled = max(settled_by_then + figures.settled_alone - settled_broken, 0)
    stages: list[tuple[str, str, dict[str, str], int]] = [
        ("captured", "/trades", {}, figures.captured),
        ("affirmed", "/trades", {"state": "unaffirmed"}, figures.captured - figures.unaffirmed),
        ("in_a_cycle", "/cycles", {}, figures.in_cycles),
        ("settled", "/trades", {"state": "settled"}, figures.settled),
        ("reconciled", "/reconciliation", {}, reconciled),
    ]
    return [
        Stage(word, path, query, count, share(count, figures.captured))
        for word, path, query, count in stages
    ]


def rates_of(pulse: MarketPulse) -> Rates:
    """Trades a second, over some seconds each."""
    now = pulse.second()
    captured = [each / BUCKET_SECONDS for each in pulse.captured.sums(now, BUCKET_SECONDS)]
    final = [each / BUCKET_SECONDS for each in pulse.final.sums(now, BUCKET_SECONDS)]
    top = nice_top(max(*captured, *final))
    return Rates(
        captured=points(captured, top, CHART_WIDTH, CHART_HEIGHT),
        final=points(final, top, CHART_WIDTH, CHART_HEIGHT),
        top=top,
        captured_now=_a_second(captured[-1]),
        final_now=_a_second(final[-1]),
        minutes=SECONDS_KEPT // 60,
        is_quiet=not any(captured) and not any(final),
    )


def _a_second(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"
