"""Streams of batches: positions, and the same trades after a restart."""

from dataclasses import replace
from threading import Thread

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.books import batches, recent_trades
from ledger.books.batches import BatchStream
from ledger.books.database import open_database
from ledger.books.trade_records import PackedTrades, RecordError, TradeRecord, content_hash
from ledger.clearing.columns import TradeColumns
from tests.support.trades import trade_columns, trade_row


def some(first, count):
    return TradeColumns.of_rows([trade_row(first + i, 256, 512, 1 + i, 7) for i in range(count)])


def same(left, right):
    return all(
        np.array_equal(column, getattr(right, name)) for name, column in left.columns().items()
    )


VALUES = st.one_of(st.integers(0, 300), st.integers(-(2**40), 2**40), st.integers(0, 2**63 - 1))


@given(trade_columns(), st.data())
def test_trades_survive_packing_and_encoding(trades, data):
    wide = data.draw(st.lists(VALUES, min_size=len(trades), max_size=len(trades)))
    trades = replace(trades, amounts=np.array(wide, dtype=np.int64))
    record = TradeRecord.of(PackedTrades.of(trades))

    assert same(record.checked().unpacked(), trades)
    assert record.content_hash == content_hash(trades)


@given(trade_columns())
def test_record_of_other_trades_than_its_hash_is_refused(trades):
    record = TradeRecord.of(PackedTrades.of(trades))
    other = TradeRecord.of(PackedTrades.of(TradeColumns.concatenate([trades, some(0, 1)])))

    for false in (
        replace(record, payload=other.payload),
        replace(record, content_hash=other.content_hash),
        replace(record, count=len(trades) + 1),
        replace(record, payload=record.payload[:-9]),
        replace(record, payload=b"nothing"),
    ):
        with pytest.raises(RecordError):
            false.checked()


@pytest.fixture
def small_segments(monkeypatch):
    """Segments so small that there are many."""
    monkeypatch.setattr(recent_trades, "SEGMENT_TRADES_MAX", 5)
    monkeypatch.setattr(recent_trades, "JOINED_SEGMENTS", 2)


@pytest.mark.parametrize("is_reopened", [False, True])
def test_trades_are_found_by_position_in_memory_and_on_disk(tmp_path, small_segments, is_reopened):
    database = open_database(tmp_path / "books.sqlite")
    stream, sizes = BatchStream(database, "s", 10), [3, 1, 1, 4, 2, 6, 1, 1, 1]
    for i, size in enumerate(sizes):
        with database.transaction() as session:
            stream.append(session, str(i), some(stream.end_position, size))
    if is_reopened:
        stream = BatchStream(database, "s", 10)
    positions = np.array([19, 0, 7, 7, 3, 12, 18, 1])

    assert stream.end_position == sum(sizes)
    assert stream.trades_at(positions).numbers.tolist() == positions.tolist()
    assert stream.trades(2, 17).numbers.tolist() == list(range(2, 17))


SIZES = st.lists(st.integers(1, 9), max_size=12)


def stream_of(sizes, recent_max=10):
    database = open_database(None)
    stream = BatchStream(database, "s", recent_max)
    for i, size in enumerate(sizes):
        with database.transaction() as session:
            stream.append(session, str(i), some(stream.end_position, size))
    return stream


@given(SIZES, st.data())
def test_any_window_of_any_batches_is_in_order(sizes, data):
    stream = stream_of(sizes)
    first = data.draw(st.integers(0, stream.end_position))
    end = data.draw(st.integers(first, stream.end_position + 3))

    expected = list(range(first, min(end, stream.end_position)))
    assert stream.trades(first, end).numbers.tolist() == expected


@given(SIZES.filter(any), st.data())
def test_any_positions_of_any_batches_are_in_the_order_asked_for(sizes, data):
    stream = stream_of(sizes)
    positions = data.draw(st.lists(st.integers(0, stream.end_position - 1), max_size=20))

    found = stream.trades_at(np.array(positions, dtype=np.int64))
    assert found.numbers.tolist() == positions


@pytest.fixture(scope="module", autouse=True)
def small_numbers():
    """Bounds so low that small tests pass them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "SMALL", 4)
        patch.setattr(batches, "FEW_BATCHES", 3)
        patch.setattr(recent_trades, "JOINED_SEGMENTS", 3)
        yield


@given(SIZES, st.data())
def test_records_hold_what_was_asked_for_large_batches_as_they_were_written(sizes, data):
    stream = stream_of(sizes)
    first = data.draw(st.integers(0, stream.end_position))
    end = data.draw(st.integers(first, stream.end_position))

    records = stream.records(first, end)
    numbers = [n for record in records for n in record.checked().unpacked().numbers.tolist()]
    assert numbers == list(range(first, end))
    found = [record.content_hash for record in records]
    for batch in stream.batches:
        is_whole = first <= batch.first_position and batch.first_position + batch.count <= end
        assert not is_whole or batch.count < 4 or batch.content_hash in found
    # Between two large batches there is one record at most.
    assert len(records) <= 2 * len([each for each in stream.batches if each.count >= 4]) + 1


@given(SIZES, st.integers(1, 20), st.data())
def test_batches_are_cut_where_they_end(sizes, count_max, data):
    stream = stream_of(sizes)
    ends = [batch.first_position + batch.count for batch in stream.batches]
    first = data.draw(st.integers(0, stream.end_position))

    later = [end for end in ends if end > first]
    fitting = [end for end in later if end <= first + count_max]
    expected = max(fitting) if fitting else min(later, default=first)
    assert stream.end_of_batches(first, count_max) == expected


def test_one_thread_reads_what_another_appends(tmp_path):
    database = open_database(tmp_path / "books.sqlite")
    stream, sizes = BatchStream(database, "s", 500), [1, 2, 300, 7] * 25

    def append():
        for i, size in enumerate(sizes):
            with database.transaction() as session:
                stream.append(session, str(i), some(stream.end_position, size))

    writer = Thread(target=append)
    writer.start()
    while stream.end_position < sum(sizes):
        end = stream.end_position
        first = max(end - 900, 0)
        assert stream.trades(first, end).numbers.tolist() == list(range(first, end))
        assert sum(record.count for record in stream.records(first, end)) == end - first
        assert stream.trades_at(np.arange(first, end, 7)).numbers.tolist() == list(
            range(first, end, 7)
        )
    writer.join()


@given(SIZES.filter(len))
def test_every_position_is_in_the_batch_that_brought_it(sizes):
    stream, first = stream_of(sizes), 0

    for i, size in enumerate(sizes):
        for position in (first, first + size - 1):
            found = stream.batch_of(position)
            assert (found.id, found.first_position, found.count) == (str(i), first, size)
        first += size
    assert stream.batch_of(first) is None
