"""Segments: how fast cycles are kept, how large they are, and how fast a trade is found in them.

    .venv/bin/python -m loadtests.benchmarks.segments --trades 100000000 --cycle 1000000

The trades are made, from a seed: 60 participants, 300 instruments of unequal share, prices near a
level of each instrument. Only keeping and finding are timed. The answer is verified: every trade
that is looked for is found in its cycle at its position, and others are not found.
"""

import argparse
import hashlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any, Final

import numpy as np

from ledger.books.segments import Found, Segment, SegmentStore
from ledger.clearing.columns import TradeColumns
from loadtests.benchmarks.environment import environment, peak_memory_bytes

PARTICIPANTS: Final = 60
INSTRUMENTS: Final = 300
LOOKUPS: Final = 500
SEED: Final = 7
DATE: Final = 739_811

Identity = tuple[int, int, int]


def made_trades(random: np.random.Generator, first: int, count: int) -> TradeColumns:
    """Trades with distinct numbers, in order of time."""
    instruments = random.zipf(1.3, count) % INSTRUMENTS + 1
    sellers = random.integers(1, PARTICIPANTS + 1, count)
    buyers = (sellers - 1 + random.integers(1, PARTICIPANTS, count)) % PARTICIPANTS + 1
    quantities = random.integers(1, 50, count) * 100
    prices = (instruments % 85 + 5) * 1_000_000 + random.integers(-200, 200, count) * 10_000
    zeros = np.zeros(count, dtype=np.int64)
    return TradeColumns(
        dates=zeros + DATE,
        instruments=instruments,
        numbers=np.arange(first, first + count) * 10 + random.integers(0, 10, count),
        sellers=sellers << 8,
        buyers=buyers << 8,
        quantities=quantities,
        prices=prices,
        currencies=zeros + 1,
        amounts=quantities * prices // 10_000,
        times=np.sort(random.integers(0, 60_000, count)) + first // 20,
        cancels=zeros,
    )


def run(trades: int, per_cycle: int) -> dict[str, Any]:
    """Keeps so many trades, a cycle after another, and looks for some of them."""
    before = environment()
    with TemporaryDirectory(prefix="novate-bench-") as name:
        folder, random = Path(name), np.random.default_rng(SEED)
        store, seconds, busy, wanted = SegmentStore(folder), 0.0, 0.0, []
        for number, first in enumerate(range(0, trades, per_cycle), start=1):
            made = made_trades(random, first, min(per_cycle, trades - first))
            root = hashlib.sha256(b"%d" % number).digest()
            positions = np.arange(first, first + len(made))
            end = first + len(made)
            began, busy_before = perf_counter(), process_time()
            store.add(Segment(number, root, root, first, end, root, positions, made))
            seconds += perf_counter() - began
            busy += process_time() - busy_before
            for row in random.integers(0, len(made), -(-LOOKUPS * per_cycle // trades)).tolist():
                identity = (DATE, int(made.instruments[row]), int(made.numbers[row]))
                wanted.append((identity, Found(root, first + row)))
        random.shuffle(wanted)
        found, right = _look(SegmentStore(folder), wanted)
        sizes = {
            "segments": sum(path.stat().st_size for path in folder.glob("*.parquet")),
            "index": sum(path.stat().st_size for path in (folder / "index").iterdir()),
        }
    return {
        "trades": trades,
        "trades_a_cycle": per_cycle,
        "kept_a_second": round(trades / seconds),
        "kept_ns_of_processor_a_trade": round(1e9 * busy / trades),
        "bytes_a_trade": {name: round(size / trades, 2) for name, size in sizes.items()},
        "lookup_ms": found,
        "verified": right,
        "peak_memory_bytes": peak_memory_bytes(),
        "environment": before,
    }


def _look(
    store: SegmentStore, wanted: list[tuple[Identity, Found]]
) -> tuple[dict[str, float], bool]:
    milliseconds, right = [], True
    for identity, expected in wanted:
        began = perf_counter()
        found = store.find(*identity)
        milliseconds.append(1_000 * (perf_counter() - began))
        right &= found == expected
        right &= store.find(identity[0] + 1, *identity[1:]) is None
    p50, p90, p99 = np.percentile(milliseconds, [50, 90, 99]).round(2).tolist()
    return {"p50": p50, "p90": p90, "p99": p99, "max": round(max(milliseconds), 2)}, right


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measures segments.")
    parser.add_argument("--trades", type=int, default=5_000_000)
    parser.add_argument("--cycle", type=int, default=100_000)
    arguments = parser.parse_args()
    print(json.dumps(run(arguments.trades, arguments.cycle), indent=1))  # noqa: T201 # its result
