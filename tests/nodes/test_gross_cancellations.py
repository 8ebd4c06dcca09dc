"""Cancellations under gross rules: what has not settled ends, what has settled is undone."""

from dataclasses import replace

import numpy as np
import pytest

from ledger.books.postings import Register
from ledger.domain.instructions import State
from nodes.invariants import violations
from tests.support.consortia import GROSS, capture, small_consortium, states, trades_of
from tests.support.orders import balances, give

NOTHING = {"A": 0, "B": 0, "C": 0}


def queued_trade():
    """A has sold ten that it does not have."""
    consortium = small_consortium(GROSS, shares={"A": 0, "B": 100, "C": 0})
    trade = trades_of(consortium.network, ("T1", "A", "B", 10, 1_000))
    capture(consortium, trade)
    consortium.clearing_house.work()
    assert states(consortium) == ["queued LACK"]
    return consortium, trade


def cancel(consortium, trade, position=0):
    capture(consortium, replace(trade, cancels=np.array([position + 1])))
    consortium.clearing_house.work()


def moved_nothing(consortium):
    give(consortium, "A", Register.SECURITIES, 10, "late")
    consortium.clearing_house.work()
    assert balances(consortium)[Register.SECURITIES] == {"A": 10, "B": 100, "C": 0}
    assert consortium.reconcile() == 0
    assert violations(consortium) == []


@pytest.mark.parametrize("is_held", [False, True])
def test_cancellation_of_a_trade_in_the_queue_ends_both(is_held):
    consortium, trade = queued_trade()
    desk = consortium.clearing_house.desk
    [instruction] = desk.instructions()
    if is_held:
        assert desk.hold(instruction.label) is None

    cancel(consortium, trade)

    assert states(consortium) == ["cancelled", "cancelled"]
    assert [each.state for each in desk.instructions()] == [State.CANCELLED]
    moved_nothing(consortium)


def test_cancellation_of_a_trade_that_failed_moves_nothing():
    consortium, trade = queued_trade()
    consortium.clearing_house.desk.end_of_day()

    cancel(consortium, trade)

    assert states(consortium) == ["cancelled", "cancelled"]
    assert [each.state for each in consortium.clearing_house.desk.instructions()] == [State.FAILED]
    moved_nothing(consortium)


def test_cancellation_that_comes_with_its_trade_ends_both():
    consortium = small_consortium(GROSS, shares={"A": 0, "B": 100, "C": 0})
    trade = trades_of(consortium.network, ("T1", "A", "B", 10, 1_000))
    both = type(trade).concatenate([trade, replace(trade, cancels=np.array([1]))])

    capture(consortium, both)
    consortium.clearing_house.work()

    assert states(consortium) == ["cancelled", "cancelled"]
    assert consortium.clearing_house.desk.instructions() == []
    moved_nothing(consortium)


def test_cancellation_of_a_trade_that_has_settled_undoes_it():
    consortium = small_consortium(GROSS)
    trade = trades_of(consortium.network, ("T1", "A", "B", 10, 1_000))
    capture(consortium, trade)
    consortium.clearing_house.work()
    assert balances(consortium)[Register.SECURITIES] == {"A": 90, "B": 110, "C": 100}

    cancel(consortium, trade)

    assert states(consortium) == ["settled", "settled"]
    assert balances(consortium)[Register.SECURITIES] == {"A": 100, "B": 100, "C": 100}
    assert consortium.reconcile() == 0
