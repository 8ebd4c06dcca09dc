"""Streams of batches: positions, and the same trades after a restart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.books import batches
from ledger.books.batches import BatchStream, content_hash, decode_trades, encode_trades
from ledger.books.database import open_database
from ledger.clearing.columns import TradeColumns
from tests.support.trades import trade_columns, trade_row


def some(first, count):
    return TradeColumns.of_rows([trade_row(first + i, 256, 512, 1 + i, 7) for i in range(count)])


@given(trade_columns())
def test_trades_survive_encoding(trades):
    assert content_hash(decode_trades(encode_trades(trades))) == content_hash(trades)


@pytest.fixture
def small_memory(monkeypatch):
    """So little memory that most trades must come from the disk."""
    monkeypatch.setattr(batches, "RECENT_TRADES_MAX", 10)
    monkeypatch.setattr(batches, "SEGMENT_TRADES_MAX", 5)


@pytest.mark.parametrize("is_reopened", [False, True])
def test_trades_are_found_by_position_in_memory_and_on_disk(tmp_path, small_memory, is_reopened):
    database = open_database(tmp_path / "books.sqlite")
    stream, sizes = BatchStream(database, "s"), [3, 1, 1, 4, 2, 6, 1, 1, 1]
    for i, size in enumerate(sizes):
        with database.transaction() as session:
            stream.append(session, str(i), some(stream.end_position, size))
    if is_reopened:
        stream = BatchStream(database, "s")
    positions = np.array([19, 0, 7, 7, 3, 12, 18, 1])

    assert stream.end_position == sum(sizes)
    assert stream.trades_at(positions).numbers.tolist() == positions.tolist()
    assert stream.trades(2, 17).numbers.tolist() == list(range(2, 17))


@given(st.lists(st.integers(1, 9), max_size=12), st.data())
def test_any_window_of_any_batches_is_in_order(sizes, data):
    database = open_database(None)
    stream = BatchStream(database, "s")
    for i, size in enumerate(sizes):
        with database.transaction() as session:
            stream.append(session, str(i), some(stream.end_position, size))
    first = data.draw(st.integers(0, stream.end_position))
    end = data.draw(st.integers(first, stream.end_position + 3))

    expected = list(range(first, min(end, stream.end_position)))
    assert stream.trades(first, end).numbers.tolist() == expected
