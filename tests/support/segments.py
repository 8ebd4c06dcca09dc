"""Segments for tests, all from a seed."""

import hashlib

import numpy as np

from ledger.books.segments import Segment, SegmentStore
from ledger.clearing.columns import TradeColumns
from ledger.clearing.commitment import Commitment, cut_salt_key


def made_trades(first, count, seed=0):
    """Trades with distinct identities, between nine participants in seven instruments."""
    random = np.random.default_rng((seed, first))
    numbers = np.arange(first, first + count) * 3
    zeros, ones = np.zeros(count, dtype=np.int64), np.ones(count, dtype=np.int64)
    sellers = random.integers(1, 10, count)
    buyers = (sellers + random.integers(0, 8, count)) % 9 + 1
    quantities, prices = random.integers(1, 99, count), random.integers(1, 99, count) * 1_000_000
    return TradeColumns(
        dates=zeros + 739_811,
        instruments=random.integers(1, 8, count),
        numbers=numbers,
        sellers=sellers << 8,
        buyers=buyers << 8,
        quantities=quantities,
        prices=prices,
        currencies=ones,
        amounts=quantities * prices // 10_000,
        times=np.sort(random.integers(0, 86_400_000, count)),
        cancels=zeros,
    )


def made_segment(number, first, count, step=1):
    """A cycle over some trades; with a step above 1, some positions are left out."""
    cycle_id = hashlib.sha256(b"cycle %d" % number).digest()
    salt_key = cut_salt_key(b"k" * 32, cycle_id, b"cut")
    trades = made_trades(first, count)
    positions = first * step + np.arange(count) * step
    root = Commitment(trades, salt_key, cycle_id).root
    end = int(positions[-1]) + 1
    return Segment(number, cycle_id, root, first * step, end, salt_key, positions, trades)


def made_segments(sizes, step=1):
    """Consecutive cycles of these sizes."""
    first = 0
    for number, size in enumerate(sizes, start=1):
        yield made_segment(number, first, size, step)
        first += size


def add_many(folder):
    """Adds segments, and says of each that it is there."""
    store = SegmentStore(folder)
    for segment in made_segments([40] * 400):
        if not store.has(segment.root):
            store.add(segment)
        print(segment.root.hex(), flush=True)
