"""Segments: whole or not there, never changed, and each trade found by its identity."""

import resource
from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.books.database import StorageError
from ledger.books.segment_index import RunError
from ledger.books.segments import Found, SegmentError, SegmentStore
from ledger.clearing.columns import COLUMN_NAMES
from tests.support.forked import forked
from tests.support.segments import add_many, made_segment, made_segments


def identities(segment):
    trades = segment.trades
    columns = (trades.dates, trades.instruments, trades.numbers)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def check_found(store, segments):
    for segment in segments:
        for identity, position in zip(identities(segment), segment.positions.tolist(), strict=True):
            assert store.find(*identity) == Found(segment.root, position)


def test_segment_is_read_as_it_was_written(tmp_path):
    store, segment = SegmentStore(tmp_path), made_segment(7, 1_000, 20_000, step=3)
    store.add(segment)

    again = store.read(segment.root)

    for name in COLUMN_NAMES:
        assert (getattr(again.trades, name) == getattr(segment.trades, name)).all()
    assert (again.positions == segment.positions).all()
    empty = {"positions": None, "trades": None}
    assert replace(again, **empty) == replace(segment, **empty)
    assert store.roots() == {segment.root}


def test_segment_that_is_added_again_stays_as_it_is(tmp_path):
    store, segment = SegmentStore(tmp_path), made_segment(1, 0, 50)
    store.add(segment)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}

    store.add(segment)
    SegmentStore(tmp_path).add(segment)

    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=40), st.integers(1, 4))
def test_every_trade_is_found_and_no_other_in_segments_of_any_sizes(tmp_path_factory, sizes, step):
    folder = tmp_path_factory.mktemp("segments")
    store, segments = SegmentStore(folder), list(made_segments(sizes, step))
    for segment in segments:
        store.add(segment)

    for either in (store, SegmentStore(folder)):
        check_found(either, segments)
        for date, instrument, number in identities(segments[-1]):
            assert either.find(date + 1, instrument, number) is None
            assert either.find(date, instrument + 1, number) is None
            assert either.find(date, instrument, number + 1) is None
    assert len(list((folder / "index").iterdir())) <= 8 * 4


def test_cancellation_does_not_hide_its_trade(tmp_path):
    store, segment = SegmentStore(tmp_path), made_segment(1, 0, 10)
    trades = segment.trades
    for name in ("dates", "instruments", "numbers"):
        getattr(trades, name)[9] = getattr(trades, name)[2]
    trades.cancels[9] = 3
    store.add(segment)
    alone = replace(made_segment(2, 10, 1), positions=np.array([10]))
    alone.trades.cancels[0] = 1
    store.add(alone)

    assert store.find(*identities(segment)[2]) == Found(segment.root, 2)
    assert store.find(*identities(alone)[0]) == Found(alone.root, 10)


def test_index_that_was_lost_is_made_again_and_leftovers_go(tmp_path):
    store, segments = SegmentStore(tmp_path), list(made_segments([30] * 9))
    for segment in segments[:7]:
        store.add(segment)
    small_runs = {path.name: path.read_bytes() for path in (tmp_path / "index").iterdir()}
    store.add(segments[7])
    assert len(list((tmp_path / "index").iterdir())) == 1
    for name, content in small_runs.items():
        (tmp_path / "index" / name).write_bytes(content)
    again = SegmentStore(tmp_path)
    check_found(again, segments[:8])
    again.add(segments[8])
    assert len(list((tmp_path / "index").iterdir())) == 2

    for path in (tmp_path / "index").iterdir():
        path.unlink()
    lost = SegmentStore(tmp_path)
    assert not any(lost.has(segment.root) for segment in segments)
    for segment in segments:
        lost.add(segment)
    check_found(SegmentStore(tmp_path), segments)


def test_missing_segment_and_damaged_files_are_named(tmp_path):
    store, segment = SegmentStore(tmp_path), made_segment(1, 0, 500)
    store.add(segment)
    path, whole = store.path(segment.root), store.path(segment.root).read_bytes()
    for damaged in (b"", whole[:-9], whole[: len(whole) // 2], b"x" * len(whole)):
        path.write_bytes(damaged)
        with pytest.raises(SegmentError, match=r"is damaged"):
            store.read(segment.root)
        with pytest.raises(SegmentError, match=r"is damaged"):
            store.find(*identities(segment)[0])
    path.unlink()
    with pytest.raises(SegmentError, match="is missing"):
        store.read(segment.root)
    assert not store.has(segment.root)
    run = next((tmp_path / "index").iterdir())
    run.write_bytes(run.read_bytes()[:-1])
    with pytest.raises(RunError, match="is damaged"):
        SegmentStore(tmp_path)


@pytest.mark.parametrize("patience", [1, 7, 40, 130])
def test_process_killed_at_any_moment_leaves_whole_segments(tmp_path, patience):
    with forked(add_many, tmp_path) as process:
        said = [process.stdout.readline().strip() for _ in range(patience)]
    segments = list(made_segments([40] * (patience + 2)))
    store = SegmentStore(tmp_path)

    check_found(store, segments[:patience:9])
    assert [segment.root.hex() for segment in segments[:patience]] == said
    for root in store.roots():
        assert len(store.read(root).trades) == 40
    for segment in segments:
        store.add(segment)
    check_found(SegmentStore(tmp_path), segments[-3:])


@contextmanager
def full_disk(bytes_max):
    """Files of this process may not grow beyond a size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_max, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_cycle_that_the_disk_does_not_take_leaves_nothing_and_is_kept_later(tmp_path):
    store, segment = SegmentStore(tmp_path), made_segment(1, 0, 1_000)
    with full_disk(4_096), pytest.raises(StorageError, match="File too large"):
        store.add(segment)
    assert not store.has(segment.root)
    assert not any(path.is_file() for path in tmp_path.rglob("*"))

    store.add(segment)

    check_found(SegmentStore(tmp_path), [segment])


@pytest.mark.deep
def test_trade_among_five_million_is_found_in_milliseconds(tmp_path):
    store = SegmentStore(tmp_path)
    segments = made_segments([100_000] * 50)
    some = []
    for segment in segments:
        store.add(segment)
        identity = identities(replace(segment, trades=segment.trades.take(slice(70, 71))))
        some.append((identity[0], Found(segment.root, int(segment.positions[70]))))
    store = SegmentStore(tmp_path)
    seconds = []
    for identity, found in some:
        began = perf_counter()
        assert store.find(*identity) == found
        seconds.append(perf_counter() - began)

    assert sorted(seconds)[len(seconds) // 2] < 0.02
