"""The market: trades, cycles, the queue and the chain, read off the clearing house's books.

They are looked at under the market's lock, and only for a moment: what takes long is counted once
and remembered (settled cycles, refusals), or counted by the books as it happens.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from api.metrics.families import Values, counter, counters, gauge, gauges
from ledger.books import cycles as records
from ledger.books.intake import CANCELLED, SETTLED, UNAFFIRMED
from ledger.books.tables import CycleRow
from nodes.bus import UnreachableError
from nodes.clearing_house.waiting import count_by_reason
from nodes.clock import NS
from nodes.consortium import Consortium
from nodes.journal.breaks import REFUSALS_A_LOOK_MAX
from nodes.sandbox.sandbox import Sandbox

BUCKETS_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Of a cycle, from its strike to its finality."""
NO_REASON: Final = "none"
_ALONE: Final = (SETTLED, CANCELLED, UNAFFIRMED)
"""What becomes of trades that do not settle in the cycle of their position."""


@dataclass(slots=True)
class _Cycles:
    """The cycles so far, added up; each is looked at once, when it is decided."""

    looked_at: int = 0
    trades: int = 0
    securities_lines: int = 0
    cash_lines: int = 0
    gross_value: int = 0
    net_value: int = 0
    seconds: float = 0.0
    buckets: Counter[float] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)

    def follow(self, rows: Sequence[CycleRow]) -> None:
        """Adds what has been decided since."""
        for row in rows[self.looked_at :]:
            if row.state == records.SUBMITTED:
                return
            self.looked_at += 1
            self.states[row.state] += 1
            if row.state == records.SETTLED:
                self._add(row)

    def _add(self, row: CycleRow) -> None:
        self.trades += row.trade_count
        self.securities_lines += row.securities_lines
        self.cash_lines += row.cash_lines
        self.gross_value += row.gross_value
        self.net_value += row.net_value
        # Of a cycle that was finished after a crash it is not known how long it took.
        if row.finality_ns:
            seconds = row.finality_ns / NS
            self.seconds += seconds
            place = next((each for each in BUCKETS_SECONDS if seconds <= each), float("inf"))
            self.buckets[place] += 1


@dataclass(frozen=True, slots=True)
class _Looked:
    """What was seen under the lock."""

    alone: dict[str, int]
    waiting: int
    live: int
    live_by_reason: dict[str, int]


class MarketMetrics(Collector):
    """Reads a sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._cycles = _Cycles()
        self._captured = 0
        self._refused = Counter[str]()
        self._seen_refusal = 0

    def collect(self) -> Iterator[Metric]:
        """As of now."""
        self._follow_exchange(self._sandbox.consortium)
        looked = self._look()
        yield gauge("novate_ready", "1 when the market may be used.", self._sandbox.is_ready)
        yield from self._of_trades(looked)
        yield from self._of_cycles()
        yield from _of_queue(looked)
        yield from _of_chain(self._sandbox.consortium)

    def _look(self) -> _Looked:
        with self._sandbox.lock:
            house = self._sandbox.consortium.clearing_house
            self._cycles.follow(house.cycles.all())
            alone = {state: house.intake.count_of(state) for state in _ALONE}
            waiting = house.net.waiting()
            live = list(house.desk.book.queue.live())
            reasons = count_by_reason(house.desk.book, live)
        return _Looked(
            alone=alone,
            waiting=waiting,
            live=len(live),
            live_by_reason={r.name if r else NO_REASON: n for r, n in reasons.items()},
        )

    def _follow_exchange(self, consortium: Consortium) -> None:
        """What the exchange has captured and refused; while it is away, what is known of it."""
        try:
            self._captured = consortium.exchange.captured_end()
            while rows := consortium.exchange.refusals_after(
                self._seen_refusal, REFUSALS_A_LOOK_MAX
            ):
                self._refused.update(row.reason for row in rows)
                self._seen_refusal = rows[-1].number
        except UnreachableError:
            handed_over = consortium.clearing_house.intake.stream.end_position
            self._captured = max(self._captured, handed_over)

    def _of_trades(self, looked: _Looked) -> Iterator[Metric]:
        alone = looked.alone
        settled: Values = {"cycle": self._cycles.trades, "alone": alone[SETTLED]}
        yield counter("novate_trades_captured", "Trades captured by the exchange.", self._captured)
        yield counters(
            "novate_trades_refused",
            "Submitted trades that were not captured, by reason.",
            ["reason"],
            self._refused,
        )
        yield counters(
            "novate_trades_settled",
            "Trades settled to finality, in a netting cycle or on their own.",
            ["how"],
            settled,
        )
        yield counter("novate_trades_cancelled", "Trades cancelled.", alone[CANCELLED])
        yield gauge("novate_trades_unaffirmed", "Trades not affirmed.", alone[UNAFFIRMED])
        words = "Trades taken in that no cycle covers yet."
        yield gauge("novate_trades_waiting", words, looked.waiting)

    def _of_cycles(self) -> Iterator[Metric]:
        cycles, network = self._cycles, self._sandbox.consortium.network
        states = (records.SETTLED, records.EMPTY, records.ABANDONED)
        yield counters(
            "novate_cycles",
            "Netting cycles by what became of them.",
            ["state"],
            {state: cycles.states[state] for state in states},
        )
        yield counters(
            "novate_net_lines",
            "Net lines booked by settled cycles, by register.",
            ["register"],
            {"securities": cycles.securities_lines, "cash": cycles.cash_lines},
        )
        currency = network.currencies[0]
        for name, value in (("gross", cycles.gross_value), ("net", cycles.net_value)):
            yield counters(
                f"novate_cycles_{name}_value_minor_units",
                f"The {name} value of settled cycles, in minor units.",
                ["currency"],
                {currency: value},
            )
        yield self._strike_to_final()

    def _strike_to_final(self) -> Metric:
        buckets, below = list[tuple[str, float]](), 0
        for each in (*BUCKETS_SECONDS, float("inf")):
            below += self._cycles.buckets[each]
            buckets.append(("+Inf" if each == float("inf") else str(each), below))
        return HistogramMetricFamily(
            "novate_cycle_strike_to_final_seconds",
            "From a cycle's strike until it is final.",
            buckets=buckets,
            sum_value=self._cycles.seconds,
        )


def _of_queue(looked: _Looked) -> Iterator[Metric]:
    yield gauge("novate_instructions_live", "Instructions that have not ended.", looked.live)
    yield gauges(
        "novate_instructions_waiting",
        "Why live instructions wait, of the first 1,000 in the queue.",
        ["reason"],
        looked.live_by_reason,
    )


def _of_chain(consortium: Consortium) -> Iterator[Metric]:
    """Of a chain that is elsewhere only its height is known."""
    chain = consortium.own_chain
    if chain is None:
        words = "Blocks that are final."
        yield counter("novate_blocks_final", words, consortium.feed.height())
        return
    queued = chain.queued_count
    pool: Values = {"ready": chain.pending_count - queued, "queued": queued}
    yield counter("novate_blocks_sealed", "Blocks sealed.", chain.head.number)
    yield counter("novate_blocks_final", "Blocks that are final.", chain.final.number)
    yield gauge("novate_chain_halted", "1: a block lacks signatures.", chain.finality().is_halted)
    yield gauges(
        "novate_pool_transactions",
        "Transactions in no block yet: ready, or queued behind a nonce that is missing.",
        ["state"],
        pool,
    )
