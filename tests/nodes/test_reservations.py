"""Reservations: set aside in the owner's name, once under each reference, and no break."""

import pytest

from ledger.books.postings import Register
from ledger.domain.identifiers import isin_of_symbol
from ledger.domain.reasons import Reason
from nodes.invariants import violations
from nodes.movement import Movement
from tests.support.consortia import small_consortium


@pytest.fixture
def consortium():
    opened = small_consortium(shares={"A": 10}, cash={"A": 2_000})
    yield opened
    opened.close()


@pytest.fixture
def owner(consortium):
    return consortium.trader("A")


def reservation(owner, number, amount, register=Register.CASH):
    account = owner.network.account_number("A")
    return Movement(number.to_bytes(32, "big"), register, 1, account, amount)


def held(consortium, register=Register.CASH):
    consortium.catch_up()
    contract = {
        Register.CASH: consortium.contracts.cash,
        Register.SECURITIES: consortium.contracts.securities,
    }[register]
    return contract.holding(1, consortium.network.account_number("A"))


@pytest.mark.parametrize(("register", "total"), [(Register.CASH, 2_000), (Register.SECURITIES, 10)])
def test_what_is_set_aside_is_held_and_comes_back(consortium, owner, register, total):
    assert owner.reserve(reservation(owner, 1, 7, register)) is None
    assert held(consortium, register) == (total - 7, 7)
    assert owner.unreserve(reservation(owner, 2, 5, register)) is None
    assert held(consortium, register) == (total - 2, 2)


def test_same_reservation_again_changes_nothing_also_when_nothing_is_left(consortium, owner):
    assert [owner.reserve(reservation(owner, 1, 2_000)) for _ in range(3)] == [None] * 3
    assert held(consortium) == (0, 2_000)

    assert [owner.unreserve(reservation(owner, 1, 2_000)) for _ in range(2)] == [None] * 2
    assert held(consortium) == (2_000, 0)


def test_other_content_under_a_reference_is_refused_also_after_a_refusal(owner):
    assert owner.reserve(reservation(owner, 1, 2_001)).reason is Reason.MONY
    assert owner.reserve(reservation(owner, 1, 1)).reason is Reason.DUPLICATE
    assert owner.unreserve(reservation(owner, 2, 1)).reason is Reason.HELD
    assert owner.unreserve(reservation(owner, 2, 2)).reason is Reason.DUPLICATE


def test_more_securities_than_there_are_is_a_lack(owner):
    refusal = owner.reserve(reservation(owner, 1, 11, Register.SECURITIES))

    assert refusal.reason is Reason.LACK
    assert refusal.detail == f"A {isin_of_symbol('X')}: 10 is available"


def test_only_the_owner_sets_aside_and_the_contract_has_the_last_word(consortium, owner):
    refusal = consortium.trader("B").reserve(reservation(owner, 1, 7))

    assert refusal is not None
    assert held(consortium) == (2_000, 0)


def test_reservations_make_no_break_and_keep_the_invariants(consortium, owner):
    owner.reserve(reservation(owner, 1, 1_500))
    owner.reserve(reservation(owner, 1, 10, Register.SECURITIES))
    owner.unreserve(reservation(owner, 2, 300))

    assert consortium.reconcile() == 0
    assert violations(consortium) == []
