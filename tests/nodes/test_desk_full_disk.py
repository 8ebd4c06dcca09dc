"""A disk that is full while the desk works: after it resumes, nothing is forgotten or too late."""

import pytest

from ledger.books.postings import Register
from ledger.chain.errors import StorageError
from ledger.domain.instructions import State
from ledger.domain.reasons import Reason
from ledger.domain.rules import Rules
from tests.support.consortia import DAY, small_consortium
from tests.support.orders import enter, give

POOR = {"A": 0, "B": 0, "C": 0}


def full_once(monkeypatch, owner, name):
    """The next call of something that writes finds no room."""

    def full(*_):
        monkeypatch.undo()
        raise StorageError("no room")

    monkeypatch.setattr(owner, name, full)


def test_expired_instruction_fails_though_the_disk_was_full_at_its_time(monkeypatch):
    consortium = small_consortium(Rules(), cash=POOR)
    house = consortium.clearing_house
    now = int(consortium.clock.business_time().timestamp())
    enter(consortium, "P", "B", "A", 0, 700, expires_at=now + 60)
    house.work()
    consortium.clock.set(DAY, 9 * 3600 + 600)
    full_once(monkeypatch, house.desk.book, "put")
    with pytest.raises(StorageError):
        house.work()

    house.resume()
    house.work()

    assert house.desk.get("P").state is State.FAILED
    assert house.desk.get("P").reason is Reason.LATE


def test_late_instruction_is_not_tried_even_before_anybody_failed_it():
    consortium = small_consortium(Rules(), cash=POOR)
    house = consortium.clearing_house
    now = int(consortium.clock.business_time().timestamp())
    enter(consortium, "P", "B", "A", 0, 700, expires_at=now + 60)
    house.work()
    consortium.clock.set(DAY, 9 * 3600 + 600)
    house.desk.book.queue.late(now + 600)
    give(consortium, "A", Register.CASH, 1_000, "cash")

    house.work()

    assert house.desk.get("P").state is State.FAILED


def test_instruction_settles_though_the_disk_was_full_when_it_was_due(monkeypatch):
    consortium = small_consortium(Rules())
    house = consortium.clearing_house
    enter(consortium, "P", "B", "A", 0, 700)
    full_once(monkeypatch, house.outbox, "put")
    with pytest.raises(StorageError):
        house.work()

    house.resume()
    house.work()

    assert house.desk.get("P").state is State.SETTLED
