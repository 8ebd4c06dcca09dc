"""Large payloads in a file beside the database: on disk before their rows, and nowhere else."""

import resource
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.books import payload_file
from ledger.books.batches import BatchStream
from ledger.books.database import StorageError, open_database
from ledger.books.payload_file import PayloadFile, Place
from ledger.books.trade_records import RecordError
from ledger.clearing.columns import TradeColumns
from tests.support.trades import trade_row

FILE = "s.trades"


@pytest.fixture(autouse=True)
def file_for_all_but_the_smallest(monkeypatch):
    """Three trades take 144 bytes in a row, ten more."""
    monkeypatch.setattr(payload_file, "IN_FILE", 200)


def some(first, count):
    return TradeColumns.of_rows([trade_row(first + i, 256, 512, 1 + i, 7) for i in range(count)])


def append(database, stream, *counts):
    with database.transaction() as session:
        end, parts = stream.end_position, []
        for count in counts:
            parts.append((str(end), some(end, count)))
            end += count
        stream.append_all(session, parts)


def reopened(tmp_path):
    database = open_database(tmp_path / "books.sqlite")
    return database, BatchStream(database, "s", 1)


def numbers(stream):
    return stream.trades(0, stream.end_position).numbers.tolist()


@contextmanager
def full_disk(bytes_max):
    """Files of this process may not grow beyond a size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_max, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_large_batches_are_in_the_file_and_small_ones_in_their_rows(tmp_path):
    database, stream = reopened(tmp_path)
    append(database, stream, 100, 1, 50)
    append(database, stream, 1)
    append(database, stream, 70)
    size = (tmp_path / FILE).stat().st_size

    assert size > 50 * 10
    database.close()
    database, stream = reopened(tmp_path)
    assert numbers(stream) == list(range(222))
    assert [number for _, part in stream.read_all() for number in part.numbers] == list(range(222))
    append(database, stream, 30)
    assert (tmp_path / FILE).stat().st_size > size
    assert sum(record.checked().count for record in stream.records(0, 252)) == 252


def test_what_was_rolled_back_is_written_over(tmp_path):
    database, stream = reopened(tmp_path)
    append(database, stream, 40)
    end = (tmp_path / FILE).stat().st_size

    def fail():
        with database.transaction() as session:
            stream.append(session, "x", some(40, 90))
            raise KeyError("after the file was written")

    with pytest.raises(KeyError):
        fail()
    assert (tmp_path / FILE).stat().st_size > end
    append(database, stream, 41)
    append(database, stream, 42)

    assert numbers(stream) == numbers(reopened(tmp_path)[1]) == list(range(123))


@pytest.mark.parametrize("tail", [b"x", b"\xff" * 5_000])
def test_torn_tail_of_a_crash_is_written_over(tmp_path, tail):
    database, stream = reopened(tmp_path)
    append(database, stream, 40)
    database.close()
    with (tmp_path / FILE).open("ab") as file:
        file.write(tail)

    database, stream = reopened(tmp_path)
    append(database, stream, 41)

    database.close()
    assert numbers(reopened(tmp_path)[1]) == list(range(81))


def test_disk_that_does_not_take_it_refuses_the_batch_whole_and_takes_it_later(tmp_path):
    database, stream = reopened(tmp_path)
    append(database, stream, 40)
    size = (tmp_path / FILE).stat().st_size
    with full_disk(size + 100), pytest.raises(StorageError, match="File too large"):
        append(database, stream, 90)
    assert stream.end_position == 40

    append(database, stream, 90)

    assert numbers(stream) == numbers(reopened(tmp_path)[1]) == list(range(130))


def test_file_that_was_cut_off_or_lost_is_named(tmp_path):
    database, stream = reopened(tmp_path)
    append(database, stream, 40)
    file = tmp_path / FILE
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    with pytest.raises(StorageError, match=f"{FILE} has no"):
        list(reopened(tmp_path)[1].read_all())
    file.unlink()
    with pytest.raises(StorageError, match="No such file"):
        list(reopened(tmp_path)[1].read_all())
    file.write_bytes(content[:-9] + b"\x01" + content[-8:])
    with pytest.raises(RecordError, match="not those of its hash"):
        list(reopened(tmp_path)[1].read_all())


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_payloads_are_read_as_they_were_written(tmp_path_factory, payloads):
    file = PayloadFile(tmp_path_factory.mktemp("payloads") / "file")
    places = file.write(7, payloads)

    assert [file.read(place) for place in places] == payloads
    assert places == [
        Place(7 + sum(map(len, payloads[:i])), len(each)) for i, each in enumerate(payloads)
    ]


def test_batches_in_memory_need_no_file():
    database = open_database(None)
    stream = BatchStream(database, "s")
    append(database, stream, 100)

    assert stream.trades_at(np.array([99, 5])).numbers.tolist() == [99, 5]
