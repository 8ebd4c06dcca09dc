"""Reconciliation at scale: seconds in which three versions of a market's records are compared.

Trades, positions and movements of securities and cash, each as own records, ledger and statement
have them, in three different orders. Breaks of all kinds are planted at seeded places; the
comparison must find exactly these, each with its kind and its records.

The peer gets the same tables in the same run: full outer joins by name with pyarrow, and the rows
whose terms differ. It does less: what goes by a wrong name it reports as two that are missing, and
it tells no kinds.
"""

from dataclasses import asdict, dataclass, field
from statistics import median
from time import perf_counter, process_time
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from ledger.clearing.columns import Column
from ledger.reconciliation.codes import NOBODY
from ledger.reconciliation.records import Layout, Records
from ledger.reconciliation.three_way import Differences, compare
from loadtests.benchmarks.environment import environment, peak_memory_bytes
from loadtests.benchmarks.reconcile_sets import Found, Market, RecordSet

RUNS: Final = 5


@dataclass(frozen=True, slots=True)
class ReconcileResult:
    """The outcome.

    Attributes:
        records: in each of the three versions, before anything was planted.
        kinds: how many breaks of each kind were planted, and found.
        making_seconds: what it took to make the records.
        seconds: the comparison by the clock, the slowest of five runs.
        processor_seconds: the processor's time, median of five.
        peer_seconds: the peer's time by the clock, median of five.
        ratio: of that to the median of ours.
    """

    records: int
    planted: int
    found: int
    kinds: dict[str, int]
    making_seconds: float
    seconds: float
    processor_seconds: float
    peer: str
    peer_seconds: float
    ratio: float
    verified: bool
    peak_memory_bytes: int
    seed: int
    environment: dict[str, str]
    faults: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """The result as plain data."""
        return asdict(self)


def run(records: int, planted: int, seed: int) -> ReconcileResult:
    """Measures; the result says whether exactly what was planted was found."""
    before = environment()
    began = perf_counter()
    market = Market(records, planted, seed)
    sets = market.sets()
    making = perf_counter() - began
    times, busy, peer_times = [], [], []
    faults: list[str] = []
    found: set[Found] = set()
    tables = [_tables_of(each) for each in sets]
    for _ in range(RUNS):
        began, busy_before = perf_counter(), process_time()
        differences = [compare(*each.versions, each.layout) for each in sets]
        times.append(perf_counter() - began)
        busy.append(process_time() - busy_before)
        found = _named(sets, differences)
        if found != market.planted or sum(map(len, differences)) != len(found):
            missed, false = len(market.planted - found), len(found - market.planted)
            faults.append(f"{missed} of the planted breaks not found, {false} false")
        began = perf_counter()
        differing = sum(_peer(each.layout, three) for each, three in zip(sets, tables, strict=True))
        peer_times.append(perf_counter() - began)
        if differing < len(market.planted):
            faults.append(f"the peer finds {differing} rows that differ")
    kinds: dict[str, int] = {}
    for *_, kind, _ in sorted(found, key=lambda each: each[4].value):
        kinds[kind.value] = kinds.get(kind.value, 0) + 1
    return ReconcileResult(
        records=records,
        planted=len(market.planted),
        found=len(found),
        kinds=kinds,
        making_seconds=round(making, 2),
        seconds=round(max(times), 3),
        processor_seconds=round(median(busy), 3),
        peer=f"pyarrow {pa.__version__}, full outer joins by name",
        peer_seconds=round(median(peer_times), 3),
        ratio=round(median(peer_times) / median(times), 2),
        verified=not faults,
        peak_memory_bytes=peak_memory_bytes(),
        seed=seed,
        environment=before,
        faults=faults,
    )


def _named(sets: list[RecordSet], differences: list[Differences]) -> set[Found]:
    """What was found, by the numbers of the records."""
    return {
        (
            each.name,
            _number(each.numbers[0], ours),
            _number(each.numbers[1], ledger),
            _number(each.numbers[2], statement),
            kind,
            dissenter,
        )
        for each, found in zip(sets, differences, strict=True)
        for ours, ledger, statement, kind, dissenter in found
    }


def _number(numbers: Column, row: int) -> int:
    return NOBODY if row == NOBODY else int(numbers[row])


def _tables_of(records: RecordSet) -> list[Any]:
    return [_table(each, records.layout) for each in records.versions]


def _table(records: Records, layout: Layout) -> Any:  # noqa: ANN401 # a pyarrow table
    return pa.table({name: records.columns[name] for name in layout.names})


def _peer(layout: Layout, tables: list[Any]) -> int:
    """How many rows of the joins with the ledger differ."""
    ours, ledger, statement = tables
    names = [field.name for field in layout.identity]
    differing = 0
    for side in (ours, statement):
        joined = side.join(ledger, keys=names, join_type="full outer", right_suffix=" there")
        differs = None
        for term in layout.terms:
            same = pc.equal(joined[term.name], joined[f"{term.name} there"])
            other = pc.fill_null(pc.invert(same), fill_value=True)
            differs = other if differs is None else pc.or_(differs, other)
        differing += joined.filter(differs).num_rows
    return differing
