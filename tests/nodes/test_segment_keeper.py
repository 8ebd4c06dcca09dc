"""Keeping cycles: beside the clearing, in order, and nothing that goes wrong goes unsaid."""

from threading import Event, Thread

import pytest

from ledger.books.database import StorageError
from ledger.books.segments import SegmentStore
from nodes import segment_keeper
from nodes.segment_keeper import BACKLOG_MAX, SegmentKeeper
from tests.support.consortia import NET, capture, small_consortium, trades_of

PATIENCE = 10


class SlowStore(SegmentStore):
    """Writes nothing before it may."""

    def __init__(self, folder):
        super().__init__(folder)
        self.may_write = Event()

    def add(self, segment):
        assert self.may_write.wait(PATIENCE)
        super().add(segment)


class FullStore(SegmentStore):
    """Has room for so many cycles."""

    room = 0

    def add(self, segment):
        if not self.room:
            raise StorageError("no room")
        self.room -= 1
        super().add(segment)


@pytest.fixture
def consortium(tmp_path):
    consortium = small_consortium(NET, path=tmp_path / "state")
    yield consortium
    consortium.close()


def settle(consortium, count):
    """So many cycles more, of a trade each; the roots of all so far."""
    cycles = consortium.clearing_house.cycles
    for number in range(len(cycles.all()), len(cycles.all()) + count):
        trade = (f"T{number}", "AB"[number % 2], "BA"[number % 2], 1, 1)
        capture(consortium, trades_of(consortium.network, trade))
        consortium.clearing_house.net.close()
    consortium.catch_up()
    return [row.root for row in cycles.all()]


def kept_in(folder):
    return SegmentStore(folder).roots()


def test_clearing_does_not_wait_for_a_cycle_to_be_kept(consortium, tmp_path):
    store = SlowStore(tmp_path / "slow")
    keeper = SegmentKeeper(consortium.clearing_house, store)

    for _ in range(BACKLOG_MAX):
        roots = settle(consortium, 1)
        keeper.keep_settled()
    assert store.roots() == set()

    store.may_write.set()
    keeper.close()
    assert kept_in(tmp_path / "slow") == set(roots)
    assert consortium.reconcile() == 0


def test_clearing_waits_when_too_many_cycles_are_behind(consortium, tmp_path):
    store = SlowStore(tmp_path / "slow")
    keeper = SegmentKeeper(consortium.clearing_house, store)
    roots = settle(consortium, BACKLOG_MAX + 1)
    clearing = Thread(target=keeper.keep_settled)
    clearing.start()

    clearing.join(0.3)
    assert clearing.is_alive()

    store.may_write.set()
    clearing.join(PATIENCE)
    assert not clearing.is_alive()
    keeper.close()
    assert kept_in(tmp_path / "slow") == set(roots)


def test_full_disk_is_said_at_the_next_call_and_the_cycle_is_kept_once_there_is_room(
    consortium, tmp_path
):
    store = FullStore(tmp_path / "full")
    store.room = 2
    keeper = SegmentKeeper(consortium.clearing_house, store)
    roots = settle(consortium, 4)

    def until_said():
        while True:
            keeper.keep_settled()

    with pytest.raises(StorageError, match="no room"):
        until_said()
    assert store.roots() == set(roots[:2])
    store.room = 9
    keeper.keep_settled()
    keeper.close()

    assert kept_in(tmp_path / "full") == set(roots)


def test_what_goes_wrong_last_is_said_by_close(consortium, tmp_path):
    keeper = SegmentKeeper(consortium.clearing_house, FullStore(tmp_path / "full"))
    settle(consortium, 1)
    keeper.keep_settled()

    with pytest.raises(StorageError, match="no room"):
        keeper.close()


def test_closed_consortium_has_kept_every_cycle(tmp_path):
    consortium = small_consortium(NET, path=tmp_path / "state")
    roots = settle(consortium, 3)
    consortium.close()

    assert kept_in(tmp_path / "state" / "segments") == set(roots)


def test_while_much_waits_to_be_cleared_cycles_wait_to_be_kept(consortium, tmp_path, monkeypatch):
    folder = tmp_path / "segments"
    keeper = SegmentKeeper(consortium.clearing_house, SegmentStore(folder))
    monkeypatch.setattr(segment_keeper, "MUCH_TRADES", 1)
    roots = settle(consortium, 2)
    capture(consortium, trades_of(consortium.network, ("W", "A", "B", 1, 1)))

    keeper.keep_settled()
    assert kept_in(folder) == set()

    settle_all = [*roots, *settle(consortium, BACKLOG_MAX)[2:]]
    capture(consortium, trades_of(consortium.network, ("X", "A", "B", 1, 1)))
    keeper.keep_settled()
    keeper.close()
    assert kept_in(folder) == set(settle_all)
