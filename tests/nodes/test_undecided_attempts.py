"""Attempts that a failure cut off after they were kept: decided before anything else changes."""

from dataclasses import replace

import numpy as np
import pytest

from ledger.books.postings import Register
from ledger.domain.instructions import Priority, State
from ledger.domain.reasons import Reason
from ledger.domain.rules import Rules
from nodes.clock import SimulatedClock
from nodes.founding import open_consortium
from nodes.messages import CycleProposal
from tests.support.consortia import (
    DAY,
    NET,
    answering,
    capture,
    small_consortium,
    small_network,
    trades_of,
)
from tests.support.orders import balances, enter

SHORT_SECONDS = 5


@pytest.fixture
def cut_off(tmp_path):
    """A payment of which it is not known whether it has settled; the house lives on."""
    consortium = small_consortium(Rules(), path=tmp_path)
    now = int(consortium.clock.business_time().timestamp())
    expires_at = now + SHORT_SECONDS
    assert enter(consortium, "P", "B", "A", 0, 700, expires_at=expires_at) is None
    fail_once(consortium)
    with pytest.raises(OSError, match="gone for a moment"):
        consortium.clearing_house.desk.work()
    return consortium


def fail_once(consortium):
    outbox = consortium.clearing_house.outbox
    honest = outbox.deliver

    def fails(intent):
        outbox.deliver = honest
        raise OSError("the engine is gone for a moment")

    outbox.deliver = fails


def ask(desk, act):
    return {
        "cancel": lambda: desk.cancel("P", "A"),
        "hold": lambda: desk.hold("P", "A"),
        "prioritise": lambda: desk.prioritise("P", Priority.URGENT, "A"),
    }[act]()


@pytest.mark.parametrize("act", ["cancel", "hold", "prioritise"])
def test_what_may_have_settled_is_decided_before_its_sides_change_it(cut_off, act, tmp_path):
    desk = cut_off.clearing_house.desk
    assert desk.get("P").state is State.QUEUED

    assert ask(desk, act).reason is Reason.FINAL

    assert desk.get("P").state is State.SETTLED
    assert balances(cut_off)[Register.CASH]["A"] == 9_300
    cut_off.close()
    again = open_consortium(small_network(), Rules(), SimulatedClock.at(DAY), tmp_path)
    assert again.clearing_house.desk.get("P").state is State.SETTLED
    again.close()


def test_change_that_comes_before_it_can_be_decided_changes_nothing(cut_off):
    desk = cut_off.clearing_house.desk
    fail_once(cut_off)

    with pytest.raises(OSError, match="gone for a moment"):
        desk.cancel("P", "A")

    assert desk.get("P").state is State.QUEUED
    assert desk.work() == 0
    assert desk.get("P").state is State.SETTLED
    cut_off.close()


def test_what_may_have_settled_does_not_fail_when_its_time_passes(cut_off, tmp_path):
    desk, clock = cut_off.clearing_house.desk, cut_off.clock
    clock.not_before(clock.chain_time() + SHORT_SECONDS + 1)

    desk.work()

    assert desk.get("P").state is State.SETTLED
    cut_off.close()
    again = open_consortium(small_network(), Rules(), SimulatedClock.at(DAY), tmp_path)
    assert again.reconcile() == 0
    again.close()


def left_its_cycle(path):
    """A trade that nobody attested: its instruction settles on its own, and is cut off."""
    consortium = small_consortium(NET, path=path)
    trade = trades_of(consortium.network, ("T1", "A", "B", 10, 1_000))
    honest = {party: consortium.nodes[party].handle for party in "AB"}
    for party in honest:
        answering(consortium, party, CycleProposal, lambda _: None)
    capture(consortium, trade)
    consortium.clearing_house.net.close()
    for party, handle in honest.items():
        consortium.bus.register(party, handle)
    return consortium, replace(trade, cancels=np.array([1]))


def cut_off_at_work(consortium):
    fail_once(consortium)
    with pytest.raises(OSError, match="gone for a moment"):
        consortium.clearing_house.desk.work()


@pytest.mark.parametrize("is_cut_off_first", [True, False])
def test_trade_that_may_have_settled_is_decided_before_its_cancellation(tmp_path, is_cut_off_first):
    consortium, cancellation = left_its_cycle(tmp_path)
    house = consortium.clearing_house
    if is_cut_off_first:
        cut_off_at_work(consortium)
        capture(consortium, cancellation)
    else:
        capture(consortium, cancellation)
        cut_off_at_work(consortium)

    house.net.close()

    assert house.desk.instructions()[0].state is State.SETTLED
    consortium.close()
    again = open_consortium(small_network(), NET, SimulatedClock.at(DAY), tmp_path)
    assert again.clearing_house.desk.instructions()[0].state is State.SETTLED
    assert again.reconcile() == 0
    again.close()
