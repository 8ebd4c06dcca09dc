"""A whole market day through the product: made, captured, cleared, settled, final, reconciled.

The venue is a process of its own and makes trades from a seed while the day runs. Everything else
is one consortium in one process: real contracts, real signatures, a database file for each node.
The clock runs from the first trade that is made to the last reconciliation; opening positions are
issued beforehand. Afterwards the answer is verified, or the figures are void: every trade settled
in a cycle, nothing created or lost, every holding on the chain as a recount from the seed has it, a
sample of trades proven to be in the cycles of the chain, and no break left open.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import Final

import numpy as np

from ledger.domain.rules import Rules, SettlementMode
from loadtests.benchmarks.anvil_peer import NAME, find_anvil, rate_of_anvil
from loadtests.benchmarks.day_arrow import ArrowDay, DayError, OnProgress
from loadtests.benchmarks.day_json import Serve, TimedSandbox, run_json
from loadtests.benchmarks.day_market import ACCOUNTS_EACH, DAY, Market
from loadtests.benchmarks.day_observed import observe, observe_signatures
from loadtests.benchmarks.day_parties import DistantBroker
from loadtests.benchmarks.day_recount import CountAgain, count_again, day_faults
from loadtests.benchmarks.day_signatures import signature_faults
from loadtests.benchmarks.day_stages import KEPT, RATES, StageClock
from loadtests.benchmarks.day_venue import open_venue
from loadtests.benchmarks.environment import environment, peak_memory_bytes
from nodes.broker import Broker
from nodes.clock import SimulatedClock
from nodes.consortium import Consortium
from nodes.founding import open_consortium
from nodes.opening_positions import issue_opening
from nodes.state_folder import segments_folder
from nodes.validators import Seating

ARROW: Final = "arrow"
JSON: Final = "json"
SEED: Final = 7
PEER_TRANSACTIONS: Final = 5_000
CYCLES: Final = 8
"""How many a day has where nothing else decides: capture and clearing overlap."""
TRADES_PER_LINE: Final = 125
"""Fewer trades for a possible net line, and lines would cost more than trades."""
CYCLE_TRADES_LEAST: Final = 100_000
CYCLE_TRADES_MOST: Final = 5_000_000
CYCLE_LINES_MAX: Final = 200_000
KEEP_SECONDS_MAX: Final = 600
_LOOK_SECONDS: Final = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOptions:
    """What is measured.

    Attributes:
        cycle_trades: a cycle is struck at so many trades; None: see ``cycle_trades_max``.
        attested: every broker affirms and checks in this process; None: with several validators,
            and when it signs every trade.
        signed: both brokers sign every trade, and the clearing house checks every signature.
        state: a new folder that is left for looking at; None: one that is removed.
    """

    trades: int = 1_000_000
    participants: int = 32
    instruments: int = 300
    validators: int = 1
    cycle_trades: int | None = None
    attested: bool | None = None
    signed: bool = False
    ingest: str = ARROW
    seed: int = SEED
    peer: str | None = None
    state: Path | None = None

    @property
    def is_attested(self) -> bool:
        """Whether the brokers are in this process."""
        if self.attested is None:
            return self.validators > 1 or self.signed
        return self.attested

    @property
    def cycle_trades_max(self) -> int:
        """At how many trades a cycle is struck."""
        lines = self.instruments * self.participants * ACCOUNTS_EACH
        wanted = max(self.trades // CYCLES, TRADES_PER_LINE * lines)
        return self.cycle_trades or max(CYCLE_TRADES_LEAST, min(wanted, CYCLE_TRADES_MOST))


@dataclass(frozen=True, slots=True)
class PeerRate:
    """Another engine in the same run: settlements a second, each trade by itself.

    Attributes:
        ratio: how many times as many trades a second are final here.
    """

    name: str
    transactions: int
    rate: float
    ratio: float


@dataclass(frozen=True, slots=True)
class DayResult:
    """The outcome.

    Attributes:
        rates: trades a second from the first trade made until the last one has reached a stage.
        seconds: from the first trade made to the last reconciliation.
        kept_seconds: and until every cycle is kept as a segment, too.
        attested: every broker affirmed, checked its chunks and reconciled in this process.
        signed: both brokers of every trade signed it; the clearing house checked each signature.
        net_lines: over all cycles, in both registers.
        compression: trades a net line.
        cycle_latency_ms: from beginning to close a cycle until it is final.
        stage_seconds: how long each stage was worked at; the venue, the capture and the clearing
            work at the same time. Of JSON, decoding and capturing are not told apart.
        bytes_on_disk_a_trade: None when the day took less than files of the set-up gave back.
        peak_memory_bytes: of the process of the product, before it is verified.
    """

    trades: int
    participants: int
    instruments: int
    validators: int
    replicas: int
    attested: bool
    signed: bool
    ingest: str
    seconds: float
    kept_seconds: float
    rates: dict[str, float]
    cycles: int
    cycle_trades_max: int
    net_lines: int
    compression: float
    cycle_latency_ms: dict[str, float]
    stage_seconds: dict[str, float]
    peak_memory_bytes: int
    bytes_on_disk_a_trade: float | None
    verified: bool
    seed: int
    environment: dict[str, str]
    peer: PeerRate | None = None
    faults: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """The result as plain data; what there is nothing to say of has no field."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def run(
    options: DayOptions,
    serve: Serve | None = None,
    on_progress: OnProgress = lambda _: None,
    count_again: CountAgain = count_again,
) -> DayResult:
    """Measures a day; the result says whether it came out right.

    ``serve`` is needed for JSON. Raises DayError or VenueError when the day does not end,
    StateFolderError for a folder that cannot be used, PeerError.
    """
    if options.peer == NAME:
        # Said before the day, not after it.
        find_anvil()
    if options.signed and not options.is_attested:
        raise DayError("trades are signed by the brokers that attest: they have to be here")
    before, market = environment(), _market(options)
    with _folder(options) as path:
        consortium = _founded(market, options, path)
        size, clock = _size(path), StageClock()
        observe(consortium, clock)
        if options.signed:
            observe_signatures(consortium, clock)
        with _ran(market, options, consortium, clock, serve, on_progress) as ran:
            _wait_until_kept(path, len(consortium.clearing_house.cycles.all()))
            clock.mark(KEPT)
            peak = peak_memory_bytes()
            faults = day_faults(
                market,
                consortium,
                count_again(market),
                timed=options.ingest == ARROW,
                breaks=ran.breaks,
            )
            if options.signed:
                faults += signature_faults(market, consortium, timed=options.ingest == ARROW)
            rows = consortium.clearing_house.cycles.all()
            lines = sum(row.securities_lines + row.cash_lines for row in rows)
            replicas = 1 + len(consortium.chain.voting.links)
        size = _size(path) - size
    rates = {
        name: round(market.trades / clock.seconds_to(stage), 1) for name, stage in RATES.items()
    }
    return DayResult(
        trades=options.trades,
        participants=options.participants,
        instruments=options.instruments,
        validators=max(1, replicas - 1),
        replicas=replicas,
        attested=options.is_attested,
        signed=options.signed,
        ingest=options.ingest,
        seconds=round(clock.seconds_to(RATES["reconciled"]), 3),
        kept_seconds=round(clock.seconds_to(KEPT), 3),
        rates=rates,
        cycles=len(rows),
        cycle_trades_max=options.cycle_trades_max,
        net_lines=lines,
        compression=round(options.trades / lines, 2),
        cycle_latency_ms=_percentiles(clock.latency_seconds),
        stage_seconds={"made": round(ran.made_seconds, 3)}
        | {stage: round(seconds, 3) for stage, seconds in clock.busy_seconds.items() if seconds},
        peak_memory_bytes=peak,
        bytes_on_disk_a_trade=round(size / options.trades, 2) if size > 0 else None,
        verified=not faults,
        seed=options.seed,
        environment=before,
        peer=_peer(options, rates["final"]),
        faults=faults,
    )


@dataclass(frozen=True, slots=True)
class _Ran:
    """What is left to say of a day that has ended: open breaks, and the venue's own time."""

    breaks: int
    made_seconds: float


@contextmanager
def _ran(
    market: Market,
    options: DayOptions,
    consortium: Consortium,
    clock: StageClock,
    serve: Serve | None,
    on_progress: OnProgress,
) -> Iterator[_Ran]:
    """Runs the day; in the block it has ended and is still open."""
    if options.ingest == ARROW:
        try:
            with open_venue(market) as venue:
                day = ArrowDay(consortium, clock, on_progress, attested=options.is_attested)
                breaks = day.run(venue)
            yield _Ran(breaks, venue.busy_seconds)
        finally:
            consortium.close()
        return
    if serve is None:
        raise DayError("JSON needs a server")
    sandbox = TimedSandbox(consortium, clock, attested=options.is_attested)
    with serve(sandbox) as port:
        with open_venue(market, port) as venue:
            breaks = run_json(sandbox, venue, clock, on_progress)
        with sandbox.lock:
            yield _Ran(breaks, venue.busy_seconds)


def _wait_until_kept(path: Path, cycles: int) -> None:
    """Until the segments of all cycles are there. Raises DayError when they do not come."""
    began = perf_counter()
    while sum(1 for _ in segments_folder(path).glob("*.parquet")) < cycles:
        if perf_counter() - began > KEEP_SECONDS_MAX:
            raise DayError(f"not all of {cycles} cycles are kept as segments")
        sleep(_LOOK_SECONDS)


def _market(options: DayOptions) -> Market:
    return Market(options.trades, options.participants, options.instruments, options.seed)


def _founded(market: Market, options: DayOptions, path: Path) -> Consortium:
    """A consortium with everything issued that the day may need."""
    consortium = open_consortium(
        market.network,
        Rules(
            settlement=SettlementMode.NET,
            signed_trades=options.signed,
            dvp_model=3,
            cycle_trades_max=options.cycle_trades_max,
            cycle_lines_max=CYCLE_LINES_MAX,
        ),
        SimulatedClock.at(DAY),
        path,
        seating=Seating(options.validators),
        found_broker=Broker if options.is_attested else DistantBroker,
    )
    issue_opening(consortium, market.opening())
    consortium.reconcile()
    return consortium


def _folder(options: DayOptions) -> AbstractContextManager[Path]:
    if options.state is not None:
        return nullcontext(options.state)
    return _temporary()


@contextmanager
def _temporary() -> Iterator[Path]:
    with TemporaryDirectory(prefix="novate-bench-") as folder:
        yield Path(folder)


def _size(path: Path) -> int:
    """Bytes on disk, with all databases in their files and nothing in write-ahead logs."""
    for file in path.rglob("*.sqlite"):
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _percentiles(seconds: list[float]) -> dict[str, float]:
    """Of the cycles; with few of them the higher one is that of the slowest."""
    p50, p99 = np.percentile(seconds, [50, 99], method="inverted_cdf").tolist()
    return {"p50": round(1_000 * p50, 1), "p99": round(1_000 * p99, 1)}


def _peer(options: DayOptions, final_rate: float) -> PeerRate | None:
    if options.peer != NAME:
        return None
    rate = rate_of_anvil(PEER_TRANSACTIONS)
    return PeerRate(NAME, PEER_TRANSACTIONS, round(rate, 1), round(final_rate / rate, 1))
