"""What a trader agrees to of a match: what it entered itself, once, and nothing else."""

from datetime import timedelta

import pytest

from contracts.typed_data import InstructionMessage
from ledger.domain.instructions import State
from ledger.settlement.matching import Wishes
from nodes.bus import UnreachableError
from nodes.instruction_terms import instruction_id
from nodes.messages import Accepted, Dissolved, Matched
from tests.support.consortia import DAY, GROSS, answering, small_consortium
from tests.support.sides import (
    AMOUNT,
    enter,
    match,
    purchase_of,
    sale_of,
    settle,
    standing,
)


@pytest.fixture
def consortium():
    built = small_consortium(GROSS)
    yield built
    built.close()


def instruction_for(consortium, label, **changes):
    network = consortium.network
    terms = {
        "id": instruction_id(label),
        "deliverer": network.account_number("A"),
        "receiver": network.account_number("B"),
        "instrument": 1,
        "quantity": 10,
        "currency": network.currency_number("CNY"),
        "amount": AMOUNT,
        "rule_version": 0,
        "deadline": 0,
    }
    return InstructionMessage(**(terms | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": AMOUNT + 201},
        {"quantity": 11},
        {"quantity": 0},
        {"amount": 0},
        {"instrument": 9},
        {"currency": 9},
        {"deliverer": 99 << 20},
        {"id": b"\x01" * 32},
    ],
)
def test_buyer_agrees_to_nothing_beyond_what_it_entered(consortium, changes):
    enter(consortium, "B", "P1", purchase_of(consortium))
    buyer = consortium.trader("B")
    message = Matched("P1", "L", instruction_for(consortium, "L", **changes), may_be_partial=False)

    assert buyer.sides.agree(message) != Accepted()
    contract = consortium.contracts.addresses.settlement
    terms = message.instruction.terms_words()
    assert not buyer.mandates.covers(contract, message.instruction.id, terms)


def test_seller_agrees_to_its_own_amount_alone(consortium):
    enter(consortium, "A", "S1", sale_of(consortium))
    less = instruction_for(consortium, "L", amount=AMOUNT - 1)

    assert consortium.trader("A").sides.agree(Matched("S1", "L", less, False)) != Accepted()


def test_one_side_agrees_to_one_instruction_and_to_no_parts_it_did_not_take(consortium):
    enter(consortium, "A", "S1", sale_of(consortium))
    agree = consortium.trader("A").sides.agree
    first, second = (instruction_for(consortium, label) for label in ("L1", "L2"))

    assert agree(Matched("S1", "L1", first, True)) != Accepted()
    assert agree(Matched("NONE", "L1", first, False)) != Accepted()
    assert agree(Matched("S1", "L1", first, False)) == Accepted()
    assert agree(Matched("S1", "L1", first, False)) == Accepted()
    assert agree(Matched("S1", "L2", second, False)) != Accepted()


def test_trader_agrees_to_nothing_of_a_side_that_it_took_back_or_whose_time_passed(consortium):
    now = consortium.clock.chain_time()
    enter(consortium, "A", "S1", sale_of(consortium))
    enter(consortium, "A", "S2", sale_of(consortium), Wishes(expires_at=now))
    consortium.trader("A").sides.withdraw("S1")
    consortium.clock.set(DAY, 9 * 3600 + 1)
    terms = instruction_for(consortium, "L")

    for reference in ("S1", "S2"):
        message = Matched(reference, "L", terms, False)
        assert consortium.trader("A").sides.agree(message) != Accepted()


def withholds(consortium, participant, label):
    return consortium.trader(participant).mandates.is_withheld(instruction_id(label))


def test_traders_sign_nothing_of_a_match_that_both_have_taken_back(consortium):
    label = match(consortium)
    consortium.trader("A").sides.withdraw("S1")
    assert not withholds(consortium, "A", label)
    assert not withholds(consortium, "B", label)

    consortium.trader("B").sides.withdraw("P1")
    assert withholds(consortium, "A", label)
    assert withholds(consortium, "B", label)


def test_trader_that_was_away_is_told_when_the_cancellation_is_asked_for_again(consortium):
    label = match(consortium)
    consortium.trader("A").sides.withdraw("S1")
    answering(consortium, "A", Dissolved, silence)
    assert consortium.trader("B").sides.withdraw("P1") is None
    assert not withholds(consortium, "A", label)

    answering(consortium, "A", Dissolved, consortium.trader("A").sides.dissolve)
    assert consortium.trader("B").sides.withdraw("P1") is None
    assert withholds(consortium, "A", label)


def test_traders_sign_nothing_of_a_match_of_a_later_day_that_was_cancelled(consortium):
    later = DAY + timedelta(days=1)
    enter(consortium, "A", "S1", sale_of(consortium, settlement_date=later))
    enter(consortium, "B", "P1", purchase_of(consortium, settlement_date=later))
    for participant, reference in (("A", "S1"), ("B", "P1")):
        consortium.trader(participant).sides.withdraw(reference)

    message = Matched("S1", "A:S1+B:P1", instruction_for(consortium, "A:S1+B:P1"), False)
    assert consortium.trader("A").sides.agree(message) != Accepted()


def test_match_of_a_later_day_that_one_side_wants_cancelled_settles_all_the_same(consortium):
    later = DAY + timedelta(days=1)
    enter(consortium, "A", "S1", sale_of(consortium, settlement_date=later))
    enter(consortium, "B", "P1", purchase_of(consortium, settlement_date=later))
    consortium.trader("A").sides.withdraw("S1")
    consortium.clock.set(later, 9 * 3600)
    settle(consortium)

    assert standing(consortium, "A:S1+B:P1") == (State.SETTLED, None)


def test_trader_takes_no_other_instruction_for_that_of_its_side(consortium):
    label = match(consortium)
    sides = consortium.trader("A").sides

    assert sides.dissolve(Dissolved("S1", "OTHER")) != Accepted()
    assert sides.dissolve(Dissolved("NONE", label)) != Accepted()
    assert not withholds(consortium, "A", label)


def silence(_message):
    raise UnreachableError


def test_match_comes_from_the_clearing_house_alone(consortium):
    enter(consortium, "A", "S1", sale_of(consortium))
    message = Matched("S1", "L", instruction_for(consortium, "L"), False)

    with pytest.raises(PermissionError, match="is not the clearing_house"):
        consortium.bus.request("B", "A", message)
