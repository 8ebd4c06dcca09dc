"""Instructions that one operator enters for both sides, and replaces."""

import pytest

from ledger.domain.instructions import State
from ledger.domain.reasons import Reason
from ledger.domain.rules import Rules
from nodes.entering import Entered, WaitsForOther, enter, replace
from tests.support.consortia import small_consortium
from tests.support.instructions import entry_of


@pytest.fixture
def consortium():
    return small_consortium(Rules(auto_settle=False))


@pytest.fixture
def desk(consortium):
    return consortium.clearing_house.desk


def test_entry_that_was_cut_off_is_made_up_for_when_it_comes_again(consortium, desk):
    entry = entry_of(consortium, "IT", "A", "B", 5, 10)
    assert desk.enter(entry) is None
    assert desk.settle("IT") is Reason.DISPUTED

    assert enter(consortium, entry) == Entered("IT", was_known=True)

    assert desk.settle("IT") is None


def test_parts_are_agreed_to_by_both_sides(consortium, desk):
    entry = entry_of(consortium, "IT", "A", "B", 5, 10, may_be_partial=True)
    assert enter(consortium, entry) == Entered("IT", was_known=False)

    assert desk.settle("IT") is None


def test_payment_is_replaced_at_once_by_its_payer(consortium, desk):
    enter(consortium, entry_of(consortium, "OLD", "A", "B", 0, 10))
    entry = entry_of(consortium, "NEW", "A", "B", 0, 11)

    assert replace(consortium, "OLD", "A", entry) == WaitsForOther("OLD")
    assert desk.get("NEW") is None
    assert replace(consortium, "OLD", "B", entry) == Entered("NEW", was_known=False)
    assert replace(consortium, "OLD", "B", entry) == Entered("NEW", was_known=True)
    assert (desk.get("OLD").state, desk.settle("NEW")) == (State.CANCELLED, None)


def test_what_has_settled_meanwhile_is_not_replaced(consortium, desk):
    enter(consortium, entry_of(consortium, "OLD", "A", "B", 5, 10))
    entry = entry_of(consortium, "NEW", "A", "B", 6, 10)
    assert replace(consortium, "OLD", "A", entry) == WaitsForOther("OLD")
    assert desk.settle("OLD") is None

    assert replace(consortium, "OLD", "B", entry).reason is Reason.FINAL
    assert desk.get("NEW") is None


def test_replacement_under_the_same_label_is_refused(consortium):
    enter(consortium, entry_of(consortium, "OLD", "A", "B", 5, 10))

    refusal = replace(consortium, "OLD", "A", entry_of(consortium, "OLD", "A", "B", 5, 10))

    assert refusal.reason is Reason.INVALID
