"""Writes of many in one commit: all on disk when answered, and nobody fails for another."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event, Thread

import pytest
from sqlmodel import select

from ledger.books.database import StorageError, open_database
from ledger.books.interface import answers
from ledger.books.interface.answers import (
    KEYS_MAX,
    Answer,
    AnswerBook,
    AnswerRow,
    Asked,
)
from ledger.books.interface.group_commit import GroupCommit
from ledger.books.interface.tables import interface_tables


@pytest.fixture
def database(tmp_path):
    opened = open_database(tmp_path / "interface.sqlite", interface_tables())
    yield opened
    opened.close()


@pytest.fixture
def writer(database):
    opened = GroupCommit(database)
    yield opened
    opened.close()


def asked(key, at=1):
    return Asked("anybody", key, "POST /v1/trades", b"1", at)


def keep(key, session):
    session.add(AnswerRow(caller="a", key=key, fingerprint=b"", request="POST /", begun_at=1))


def keys(database):
    with database.reading() as session:
        return set(session.exec(select(AnswerRow.key)))


def test_many_threads_write_and_all_of_it_is_there(database, writer):
    with ThreadPoolExecutor(16) as pool:
        written = list(pool.map(lambda i: writer.submit(partial(keep, f"K{i}")), range(300)))
        for each in written:
            each.result()

    assert keys(database) == {f"K{i}" for i in range(300)}


def test_who_is_at_fault_fails_alone(database, writer):
    def fail(_):
        raise ZeroDivisionError

    going_on = Event()
    writer.submit(lambda _: going_on.wait())
    # What is submitted meanwhile is one group.
    written = [writer.submit(partial(keep, name)) for name in "AB"]
    failed = writer.submit(fail)
    written.append(writer.submit(partial(keep, "C")))
    going_on.set()
    for each in written:
        each.result()

    with pytest.raises(ZeroDivisionError):
        failed.result()
    assert keys(database) == {"A", "B", "C"}


def test_who_does_not_wait_any_more_takes_nothing_back(database, writer):
    written = writer.submit(partial(keep, "A"))

    assert not written.cancel()
    written.result()
    assert keys(database) == {"A"}


def test_what_is_left_for_later_is_written_soon_and_at_the_latest_on_closing(database):
    writer = GroupCommit(database)
    for name in "ABC":
        writer.later(partial(keep, name))
    writer.close()

    assert keys(database) == {"A", "B", "C"}
    with pytest.raises(StorageError):
        writer.submit(partial(keep, "D")).result()


def test_oldest_answers_go_when_there_are_too_many_or_too_large_ones(writer, monkeypatch):
    monkeypatch.setattr(answers, "PRUNED_EVERY", 1)
    monkeypatch.setattr(answers, "KEYS_MAX", 10)
    book = AnswerBook(writer)
    for place in range(20):
        assert book.begin(asked(f"K{place}", 100 + place)).result() is None
    assert book.begin(asked("K19", 120)).result() is not None
    assert book.begin(asked("K0", 120)).result() is None
    assert KEYS_MAX == 100_000

    monkeypatch.setattr(answers, "KEPT_BYTES_MAX", 50)
    book.answered(asked("K19", 119), Answer(200, (), bytes(range(256)))).result()
    book.begin(asked("NEW", 121)).result()
    assert book.begin(asked("K19", 121)).result() is None


def test_answer_that_is_too_large_is_known_without_its_body(writer, monkeypatch):
    monkeypatch.setattr(answers, "BODY_BYTES_MAX", 5)
    book = AnswerBook(writer)
    book.begin(asked("K")).result()
    book.answered(asked("K"), Answer(201, (("location", "/x"),), b"123456")).result()

    kept = book.begin(asked("K")).result()
    assert kept.answer == Answer(201, (("location", "/x"),), None)


def test_a_disk_that_takes_nothing_does_not_keep_the_books_open(database, monkeypatch):
    def full(**_):
        raise StorageError("the disk is full")

    writer, ended = GroupCommit(database), Event()
    monkeypatch.setattr(database, "transaction", full)
    writer.later(lambda _: None)

    def close():
        writer.close()
        ended.set()

    Thread(target=close, daemon=True).start()
    assert ended.wait(10)
