"""Gridlock resolution: seconds of a run over a long queue, with the queues of all keys built in it.

Four made queues: securities and cash between 100 and between 1,000 accounts, payments alone, and
the worst there is, a chain that falls row by row to the last. Each answer is recounted leg by leg:
covered, links whole, nobody overtaken, and a second run over what is left settles nothing.

The peer is the published algorithm (Bech and Soramaki) in plain Python: payments in one
currency, no links, nobody barred. It gets the same payments in the same run, and its answer must
be the same.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from statistics import median
from time import perf_counter, process_time
from typing import Final

import numpy as np

from ledger.settlement.gridlock.bypass import bypass
from ledger.settlement.gridlock.fifo import fifo
from ledger.settlement.gridlock.optimum import optimum
from ledger.settlement.gridlock.queue_columns import QueueColumns
from ledger.settlement.gridlock.rest import rest_of
from loadtests.benchmarks.environment import environment
from loadtests.benchmarks.gridlock_queues import SEED, chain, payments, securities_and_cash
from loadtests.benchmarks.gridlock_recount import faults_of_order, faults_of_set

RUNS: Final = 5
OPTIMUM_ROWS: Final = 200
OPTIMUM_SECONDS_MAX: Final = 10
_Algorithm = Callable[[QueueColumns], list[int]]


@dataclass(frozen=True, slots=True)
class GridlockResult:
    """The outcome, by kind of queue.

    Attributes:
        rows: instructions in each queue.
        fifo_seconds: the slowest of five runs.
        fifo_processor_seconds: the processor's time, median of five; other work hardly changes it.
        bypass_seconds: as of fifo.
        bypass_processor_seconds: likewise.
        fifo_settles: how many instructions.
        bypass_settles: likewise.
        optimum_rows: instructions in the queue that the optimum was asked of.
        optimum_seconds: one run, the quick answers it begins with included.
        optimum_is_exact: whether its answer was proven.
        peer: what else resolved the payments, in the same run.
        peer_processor_seconds: median of five.
        ratio: of that to fifo's, over the same payments.
    """

    rows: int
    fifo_seconds: dict[str, float]
    fifo_processor_seconds: dict[str, float]
    bypass_seconds: dict[str, float]
    bypass_processor_seconds: dict[str, float]
    fifo_settles: dict[str, int]
    bypass_settles: dict[str, int]
    optimum_rows: int
    optimum_seconds: float
    optimum_is_exact: bool
    peer: str
    peer_processor_seconds: float
    ratio: float
    verified: bool
    seed: int
    environment: dict[str, str]
    faults: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """The result as plain data."""
        return asdict(self)


def run(rows: int) -> GridlockResult:
    """Measures; the result says whether its own answers were right."""
    before = environment()
    faults: list[str] = []
    seconds: dict[_Algorithm, dict[str, float]] = {_fifo: {}, bypass: {}}
    processor: dict[_Algorithm, dict[str, float]] = {_fifo: {}, bypass: {}}
    settles: dict[_Algorithm, dict[str, int]] = {_fifo: {}, bypass: {}}
    for kind, queue in _queues(rows).items():
        for algorithm in (_fifo, bypass):
            times, busy, chosen = _timed(algorithm, queue)
            seconds[algorithm][kind] = round(max(times), 3)
            processor[algorithm][kind] = round(median(busy), 3)
            settles[algorithm][kind] = len(chosen)
            found = _faults(queue, algorithm, chosen)
            faults += [f"{kind}, {algorithm.__name__.strip('_')}: {fault}" for fault in found]

    paying = payments(rows, 100, barred=0)
    _, peer_busy, expected = _timed(published, paying)
    _, busy, chosen = _timed(_fifo, paying)
    if chosen != expected:
        faults.append("payments: another set than the published algorithm's")
    optimum_rows = min(rows, OPTIMUM_ROWS)
    optimum_seconds, is_exact = _optimum(optimum_rows, faults)
    return GridlockResult(
        rows=rows,
        fifo_seconds=seconds[_fifo],
        fifo_processor_seconds=processor[_fifo],
        bypass_seconds=seconds[bypass],
        bypass_processor_seconds=processor[bypass],
        fifo_settles=settles[_fifo],
        bypass_settles=settles[bypass],
        optimum_rows=optimum_rows,
        optimum_seconds=optimum_seconds,
        optimum_is_exact=is_exact,
        peer="the published algorithm in plain Python, payments only",
        peer_processor_seconds=round(median(peer_busy), 3),
        ratio=round(median(peer_busy) / median(busy), 2),
        verified=not faults,
        seed=SEED,
        environment=before,
        faults=faults,
    )


def published(queue: QueueColumns) -> list[int]:
    """Bech and Soramaki's: pay everything; while a bank is short, take back its last payment."""
    payers, payees = queue.leg_debtor.tolist(), queue.leg_creditor.tolist()
    amounts, balances = queue.leg_amount.tolist(), queue.available.tolist()
    queue_by_bank: list[list[int]] = [[] for _ in balances]
    for row, (payer, payee, amount) in enumerate(zip(payers, payees, amounts, strict=True)):
        queue_by_bank[payer].append(row)
        balances[payer] -= amount
        balances[payee] += amount
    is_settled = False
    while not is_settled:
        is_settled = True
        for bank, queued in enumerate(queue_by_bank):
            while balances[bank] < 0:
                is_settled = False
                row = queued.pop()
                balances[bank] += amounts[row]
                balances[payees[row]] -= amounts[row]
    return sorted(row for queued in queue_by_bank for row in queued)


def _queues(rows: int) -> dict[str, QueueColumns]:
    return {
        "securities and cash, 100 accounts": securities_and_cash(rows, 100),
        "securities and cash, 1,000 accounts": securities_and_cash(rows, 1_000),
        "payments, 100 accounts": payments(rows, 100),
        "a chain that falls to the last": chain(rows, rows),
    }


def _fifo(queue: QueueColumns) -> list[int]:
    return _rows(fifo(queue))


def _rows(selected: np.ndarray) -> list[int]:
    return [int(row) for row in np.flatnonzero(selected)]


def _timed(
    algorithm: _Algorithm, queue: QueueColumns
) -> tuple[list[float], list[float], list[int]]:
    """Seconds by the clock and of the processor, run by run; and the answer."""
    times: list[float] = []
    busy: list[float] = []
    chosen: list[int] = []
    for _ in range(RUNS):
        # Nothing that a queue remembers of an earlier run may help.
        again = rest_of(queue, np.zeros(queue.rows, dtype=np.bool_))
        began, busy_before = perf_counter(), process_time()
        chosen = algorithm(again)
        busy.append(process_time() - busy_before)
        times.append(perf_counter() - began)
    return times, busy, chosen


def _faults(queue: QueueColumns, algorithm: _Algorithm, chosen: list[int]) -> list[str]:
    settled = np.zeros(queue.rows, dtype=np.bool_)
    settled[chosen] = True
    more = algorithm(rest_of(queue, settled))
    return [
        *faults_of_set(queue, chosen),
        *(faults_of_order(queue, chosen) if algorithm is _fifo else []),
        *([f"a second run settles {len(more)} more"] if more else []),
    ]


def _optimum(rows: int, faults: list[str]) -> tuple[float, bool]:
    queue = securities_and_cash(rows, 20)
    began = perf_counter()
    found = optimum(queue, instructions_max=rows, seconds_max=OPTIMUM_SECONDS_MAX)
    seconds = perf_counter() - began
    faults += [f"optimum: {fault}" for fault in faults_of_set(queue, _rows(found.selected))]
    if queue.settled_value(found.selected) < queue.settled_value(fifo(queue)):
        faults.append("optimum: worth less than what fifo settles")
    return round(seconds, 2), found.is_exact
