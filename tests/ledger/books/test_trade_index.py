"""The index finds every trade by its identity, in memory or in files, and forgets none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.books.trade_index import NOT_FOUND, TradeIndex

SIZES = st.lists(st.integers(0, 40), max_size=25)


RUN = 64
"""Runs so small that many are filled."""


def prints_of(count, seed=0):
    return np.random.default_rng(seed).integers(0, 2**64, count, dtype=np.uint64)


@pytest.mark.parametrize("folder", ["memory", "disk"])
@given(sizes=SIZES)
def test_every_trade_is_found_where_it_stands(tmp_path_factory, folder, sizes):
    index = TradeIndex(tmp_path_factory.mktemp("index") if folder == "disk" else None, RUN)
    prints, first = prints_of(sum(sizes)), 0
    for size in sizes:
        index.add(prints[first : first + size], first)
        first += size

    assert index.find(prints).tolist() == list(range(sum(sizes)))
    assert (index.find(prints_of(100, seed=1)) == NOT_FOUND).all()
    assert all(index.find_all(each) == [place] for place, each in enumerate(prints[:5]))


def test_shared_fingerprint_gives_one_position_and_all_of_them():
    index, prints = TradeIndex(None, RUN), prints_of(300)
    prints[[7, 70, 200]] = prints[7]
    for first in range(0, 300, 30):
        index.add(prints[first : first + 30], first)

    assert index.find(prints[7:8]).tolist() == [200]
    assert index.find_all(prints[7]) == [7, 70, 200]


def test_full_runs_leave_the_memory_and_no_file_behind(tmp_path):
    index = TradeIndex(tmp_path, RUN)
    index.add(prints_of(1_000), 0)

    assert len(index._full) == 1_000 // RUN
    assert all(isinstance(run.entries, np.memmap) for run in index._full)
    assert list(tmp_path.iterdir()) == []


def test_index_stays_in_memory_where_no_file_can_be_written(tmp_path):
    index, prints = TradeIndex(tmp_path / "missing", RUN), prints_of(200)
    index.add(prints, 0)

    assert index.find(prints).tolist() == list(range(200))
