"""Live reconciliation: from a final block until every node has projected and compared it.

One consortium in one process, with real contracts: brokers that keep blotters, affirm, check and
sign; two banks; the registrar. Cycles are struck by the clock, so many that net lines settle at the
rate that is asked for. The latency of a cycle is the time from its last transaction being final
until all nodes are projected and reconciled at that block and the view of reconciliation is there.

The answer is verified: no break, everybody at the last block, invariants hold, the rate was kept
up with, and every node opened again from its files shows the same view, to the hash.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time, sleep
from typing import Final

import numpy as np

from ledger.books.postings import Register
from ledger.clearing.columns import TradeColumns
from ledger.domain.rules import Rules, SettlementMode
from loadtests.benchmarks.day_market import DAY, PRICE_UNIT, MadeTrades, Market
from loadtests.benchmarks.environment import environment, peak_memory_bytes
from nodes.clearing_house.observer import Stage
from nodes.clock import SimulatedClock
from nodes.consortium import Consortium
from nodes.desks import take_in
from nodes.founding import open_consortium
from nodes.invariants import violations
from nodes.opening_positions import issue_opening
from nodes.process_memory import spare_what_stands

BROKERS: Final = 16
INSTRUMENTS: Final = 400
CYCLE_SECONDS: Final = 1.0
WARM_UPS: Final = 3
SEED: Final = 11
KEPT_UP: Final = 0.95
"""Of the rate that was asked for; less, and the figure says nothing about it."""
_TRADES_A_LINE: Final = 1.2
_CYCLE_LINES_MAX: Final = 200_000
_TRADES_MAX: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class LiveResult:
    """The outcome.

    Attributes:
        lines_asked: net lines a second.
        lines_settled: net lines a second that were final and reconciled.
        latency_ms: from a final block to the view, by percentile.
        processor_ms: the processor's time in that; other work hardly changes it.
        cycle_latency_ms: from striking a cycle until it is final, by percentile.
        holdings: in the books of the nodes together.
        view_hash: of the views of all nodes at the end.
    """

    lines_asked: int
    lines_settled: float
    seconds: float
    cycles: int
    net_lines: int
    latency_ms: dict[str, float]
    processor_ms: dict[str, float]
    cycle_latency_ms: dict[str, float]
    nodes: int
    holdings: int
    breaks: int
    view_hash: str
    verified: bool
    peak_memory_bytes: int
    seed: int
    environment: dict[str, str]
    faults: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """The result as plain data."""
        return asdict(self)


class _Watch:
    """Hears when cycles are struck and final, and how many lines they have."""

    def __init__(self) -> None:
        self.struck = 0.0
        self.final = 0.0
        self.busy_at_final = 0.0

    def reached(self, stage: Stage, cycle_number: int, trades: int) -> None:
        """A cycle has reached a stage."""
        del cycle_number, trades
        if stage is Stage.STRUCK:
            self.struck = perf_counter()
        elif stage is Stage.FINAL:
            self.final, self.busy_at_final = perf_counter(), process_time()


class _Live:
    """A consortium, and the trades that are made in it."""

    def __init__(self, market: Market, consortium: Consortium) -> None:
        self._market = market
        self._consortium = consortium
        self._watch = _Watch()
        consortium.clearing_house.net.observer = self._watch
        self._made = 0
        self.breaks = 0
        self.latencies: list[float] = []
        self.busy: list[float] = []
        self.cycle_latencies: list[float] = []

    def cycle(self, trades: int) -> int:
        """Settles so many trades in a cycle, and has everybody reconcile; returns its lines."""
        consortium = self._consortium
        consortium.exchange.capture(f"live:{self._made}", self._next(trades))
        take_in(consortium)
        row = consortium.clearing_house.net.close()
        assert row is not None
        consortium.reconcile()
        # What the interface shows is what the nodes have open.
        self.breaks = sum(len(node.breaks()) for node in consortium.nodes.values())
        self.latencies.append(perf_counter() - self._watch.final)
        self.busy.append(process_time() - self._watch.busy_at_final)
        self.cycle_latencies.append(self._watch.final - self._watch.struck)
        return row.securities_lines + row.cash_lines

    def forget(self) -> None:
        """What was measured so far does not count."""
        self.latencies.clear()
        self.busy.clear()
        self.cycle_latencies.clear()

    def _next(self, count: int) -> TradeColumns:
        batches = []
        while count:
            place, first = divmod(self._made, len(self._market.batch(0)))
            batch = self._market.batch(place)
            taken = min(count, len(batch) - first)
            batches.append(_columns(self._market, batch, slice(first, first + taken)))
            count -= taken
            self._made += taken
        return TradeColumns.concatenate(batches)


def run(lines: int, seconds: float) -> LiveResult:
    """Measures; the result says whether everything was reconciled, and in time."""
    before = environment()
    market = Market(_TRADES_MAX, BROKERS, INSTRUMENTS, SEED)
    with TemporaryDirectory(prefix="novate-bench-") as folder:
        consortium = _opened(market, Path(folder))
        issue_opening(consortium, market.opening())
        consortium.reconcile()
        live = _Live(market, consortium)
        # Some more than asked for: trades do not make the same number of lines in every cycle.
        wanted = 1.03 * lines * CYCLE_SECONDS
        trades, settled, cycles = round(wanted * _TRADES_A_LINE), 0, 0
        for _ in range(WARM_UPS):
            trades = max(1, round(trades * wanted / live.cycle(trades)))
        live.forget()
        spare_what_stands()
        began = perf_counter()
        while perf_counter() - began < seconds:
            _wait_until(began + cycles * CYCLE_SECONDS)
            latest = live.cycle(trades)
            settled, cycles = settled + latest, cycles + 1
        # A cycle stands for the lines of its second, also where it took less.
        took = max(perf_counter() - began, cycles * CYCLE_SECONDS)
        faults = list(_faults(consortium, live))
        if settled / took < KEPT_UP * lines:
            faults.append(f"{settled / took:,.0f} net lines a second, not {lines:,}")
        view, nodes = _view_hash(consortium), len(consortium.nodes)
        holdings = sum(
            len(node.projection.columns(register))
            for node in consortium.nodes.values()
            for register in Register
        )
        consortium.close()
        consortium = _opened(market, Path(folder))
        if _view_hash(consortium) != view:
            faults.append("opened again, the nodes show another view")
        if consortium.reconcile():
            faults.append("opened again, there are breaks")
        consortium.close()
    return LiveResult(
        lines_asked=lines,
        lines_settled=round(settled / took, 1),
        seconds=round(took, 2),
        cycles=cycles,
        net_lines=settled,
        latency_ms=_percentiles(live.latencies),
        processor_ms=_percentiles(live.busy),
        cycle_latency_ms=_percentiles(live.cycle_latencies),
        nodes=nodes,
        holdings=holdings,
        breaks=live.breaks,
        view_hash=view,
        verified=not faults,
        peak_memory_bytes=peak_memory_bytes(),
        seed=SEED,
        environment=before,
        faults=faults,
    )


def _opened(market: Market, path: Path) -> Consortium:
    rules = Rules(
        settlement=SettlementMode.NET,
        dvp_model=3,
        cycle_trades_max=_TRADES_MAX,
        cycle_lines_max=_CYCLE_LINES_MAX,
    )
    return open_consortium(market.network, rules, SimulatedClock.at(DAY), path)


def _columns(market: Market, made: MadeTrades, rows: slice) -> TradeColumns:
    """Made trades as the exchange captures them."""
    quantities, prices = made.quantities[rows], made.prices[rows]
    count = len(quantities)
    return TradeColumns(
        dates=np.full(count, DAY.toordinal(), dtype=np.int64),
        instruments=made.instruments[rows] + 1,
        numbers=made.numbers[rows],
        sellers=market.account_numbers[made.sellers[rows]],
        buyers=market.account_numbers[made.buyers[rows]],
        quantities=quantities,
        prices=prices * PRICE_UNIT,
        currencies=np.ones(count, dtype=np.int64),
        amounts=quantities * prices,
        times=made.times[rows],
        cancels=np.zeros(count, dtype=np.int64),
    )


def _faults(consortium: Consortium, live: _Live) -> Iterator[str]:
    if live.breaks:
        yield f"{live.breaks} breaks are open"
    for violation in violations(consortium):
        yield f"invariant {violation.invariant}: {violation.detail}"
    head = consortium.feed.height()
    for node in consortium.nodes.values():
        if node.reconciled_block != head:
            yield f"{node.id} is reconciled to block {node.reconciled_block} of {head}"


def _view_hash(consortium: Consortium) -> str:
    """One hash over the views of all nodes."""
    views = [node.view_hash() for node in consortium.nodes.values()]
    return "0x" + hashlib.sha256(b"".join(views)).hexdigest()


def _wait_until(moment: float) -> None:
    while (left := moment - perf_counter()) > 0:
        sleep(left)


def _percentiles(seconds: list[float]) -> dict[str, float]:
    """Milliseconds; with few cycles the higher one is that of the slowest."""
    p50, p99 = np.percentile(seconds, [50, 99], method="inverted_cdf").tolist()
    return {"p50": round(1_000 * p50, 1), "p99": round(1_000 * p99, 1)}
