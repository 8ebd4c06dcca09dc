"""Sets of instructions: what settles together though nothing could alone; what is refused."""

import numpy as np
import pytest

from contracts.events import Moved, SetSettled, decode_event
from contracts.typed_data import InstructionMessage, SetMessage
from ledger.books.postings import Register
from nodes.ledger_feed import posting_of
from tests.support.twins import START, Twins, ref

SUPPLY_MAX = 2**63 - 1
SELLER, BUYER, THIRD, OUTSIDER = 5, 6, 7, 8


@pytest.fixture
def twins():
    built = Twins()
    built.issue(built.registrar, ref("shares"), [(1, SELLER << 8, 100)], is_cash=False)
    for number, amount in ((SELLER, 10), (BUYER, 1_000), (THIRD, 50)):
        bank = built.actor(built.actor(number).bank)
        built.issue(bank, ref(f"cash {number}"), [(1, number << 8, amount)], is_cash=True)
    return built


def dvp(name, deliverer, receiver, quantity, amount, **changes):
    terms = {
        "id": ref(name),
        "deliverer": deliverer << 8,
        "receiver": receiver << 8,
        "instrument": 1,
        "quantity": quantity,
        "currency": 1,
        "amount": amount,
        "rule_version": 0,
        "deadline": 0,
    }
    return InstructionMessage(**(terms | changes))


def pay(name, payer, payee, amount, **changes):
    return dvp(name, payee, payer, 0, amount, instrument=0, **changes)


def together(*instructions, parties=(SELLER, BUYER, THIRD), receivers=(), **changes):
    terms = {
        "id": ref("set"),
        "instructions": instructions,
        "parties": parties,
        "receivers": receivers,
        "rule_version": 1,
        "deadline": START + 10,
    }
    return SetMessage(**(terms | changes))


def settle(twins, message, signers=None, sender=None):
    answer = twins.settle_set(sender or twins.house, message, signers or list(message.parties))
    twins.check_balances()
    return answer


CIRCLE = (
    pay("a", SELLER, BUYER, 2_000),
    pay("b", BUYER, THIRD, 2_000),
    pay("c", THIRD, SELLER, 2_000),
)
DELIVERY = dvp("d", SELLER, BUYER, 10, 100)


def test_circle_of_payments_that_nobody_could_make_first_settles_together(twins):
    before = {key: holding.available for key, holding in twins.cash.holdings.items()}

    assert settle(twins, together(*CIRCLE)) == ""

    assert {key: holding.available for key, holding in twins.cash.holdings.items()} == before
    settlement = twins.contracts.settlement
    assert all(settlement.is_settled(each.terms_hash()) for each in CIRCLE)


def test_circle_over_securities_and_cash_settles_together(twins):
    onwards = dvp("e", BUYER, THIRD, 10, 40)

    assert settle(twins, together(onwards, DELIVERY)) == ""

    assert twins.securities.available(1, THIRD << 8) == 10
    assert twins.cash.available(1, SELLER << 8) == 110


@pytest.mark.parametrize(
    ("instructions", "text"),
    [
        ((*CIRCLE, pay("d", THIRD, SELLER, 51)), "holdings: short"),
        ((dvp("d", SELLER, BUYER, 101, 1),), "holdings: short"),
        ((DELIVERY, DELIVERY), "settlement: settled before"),
        ((dvp("d", SELLER, BUYER, 0, 0),), "settlement: nothing to settle"),
        ((dvp("d", SELLER, BUYER, 1, 1, instrument=4),), "holdings: unknown asset"),
        ((dvp("d", SELLER, BUYER, 1, 1, currency=0),), "holdings: unknown asset"),
        ((dvp("d", SELLER, BUYER, SUPPLY_MAX + 1, 1),), "settlement: amount above the cap"),
        ((dvp("d", SELLER, BUYER, 1, SUPPLY_MAX + 1),), "settlement: amount above the cap"),
        ((dvp("d", OUTSIDER, BUYER, 1, 1),), "settlement: not signed by the party"),
        ((dvp("d", SELLER, OUTSIDER, 1, 1),), "settlement: not signed by the party"),
        ((dvp("d", SELLER, OUTSIDER, 1, 0),), "settlement: line of a stranger"),
        ((pay("d", BUYER, OUTSIDER, 1),), "settlement: line of a stranger"),
        ((dvp("d", SELLER, 1_024, 1, 0),), "settlement: line of a stranger"),
        ((dvp("d", 2**24 - 1, BUYER, 1, 1),), "settlement: not signed by the party"),
        ((), "settlement: empty set"),
    ],
)
def test_set_is_refused_whole(twins, instructions, text):
    assert settle(twins, together(*instructions)) == text
    assert not any(
        twins.contracts.settlement.is_settled(each.terms_hash()) for each in instructions
    )


@pytest.mark.parametrize(
    ("changes", "signers", "text"),
    [
        ({"rule_version": 2}, None, "settlement: other rule version"),
        ({"deadline": START - 1}, None, "settlement: late"),
        ({}, [SELLER], "settlement: signatures missing"),
        ({}, [SELLER, THIRD], "settlement: not signed by the party"),
        ({"parties": (BUYER, SELLER)}, None, "settlement: parties out of order"),
        ({"parties": (BUYER, BUYER)}, None, "settlement: parties out of order"),
        ({"parties": (BUYER, 99)}, [BUYER, BUYER], "participants: unknown"),
        ({"parties": (SELLER,)}, None, "settlement: not signed by the party"),
        ({"receivers": (OUTSIDER, THIRD)}, None, "settlement: parties out of order"),
        ({"receivers": (THIRD, THIRD)}, None, "settlement: parties out of order"),
        ({"receivers": (99,)}, None, "participants: unknown"),
    ],
)
def test_set_needs_its_debtors_in_order_and_in_time(twins, changes, signers, text):
    message = together(DELIVERY, **({"parties": (SELLER, BUYER)} | changes))

    assert settle(twins, message, signers) == text


def test_receiver_of_a_free_delivery_or_a_payment_need_not_sign(twins):
    free = dvp("f", SELLER, OUTSIDER, 5, 0)
    paid = pay("p", SELLER, THIRD, 10)
    message = together(free, paid, parties=(SELLER,), receivers=(THIRD, OUTSIDER))

    assert settle(twins, message) == ""


def test_suspended_receiver_holds_the_set_up_until_it_is_reinstated(twins):
    message = together(pay("p", SELLER, THIRD, 10), parties=(SELLER,), receivers=(THIRD,))
    assert twins.suspend(twins.house, THIRD, reinstate=False) == ""

    assert settle(twins, message) == "participants: suspended"
    assert twins.suspend(twins.house, THIRD, reinstate=True) == ""
    assert settle(twins, message) == ""


def test_set_is_submitted_by_the_clearing_house_alone(twins):
    answer = settle(twins, together(*CIRCLE), sender=twins.actor(SELLER))

    assert answer == "settlement: not the clearing house"


def test_set_settles_at_its_deadline_and_not_a_second_later(twins):
    twins.clock.now = START + 11
    assert settle(twins, together(*CIRCLE)) == "settlement: late"

    assert settle(twins, together(*CIRCLE, deadline=START + 11)) == ""


def test_instruction_settles_once_whether_alone_or_in_a_set(twins):
    sides = (twins.actor(SELLER), twins.actor(BUYER))
    alone = dvp("d", SELLER, BUYER, 10, 100, rule_version=1, deadline=START + 10)
    other = dvp("e", SELLER, BUYER, 10, 100, rule_version=1, deadline=START + 10)
    assert twins.settle_instruction(twins.house, alone, sides) == ""

    assert settle(twins, together(DELIVERY)) == "settlement: settled before"
    assert settle(twins, together(other)) == ""
    assert twins.settle_instruction(twins.house, other, sides) == "settlement: settled before"
    again = together(other, id=ref("another"))
    assert settle(twins, again) == "settlement: settled before"


def test_what_is_set_aside_or_earmarked_covers_nothing(twins):
    assert twins.hold(twins.actor(SELLER), 1, SELLER << 8, 95, is_cash=False, release=False) == ""

    assert settle(twins, together(DELIVERY)) == "holdings: short"
    assert settle(twins, together(dvp("e", SELLER, BUYER, 5, 50))) == ""


def test_signature_of_another_set_is_refused(twins):
    message, other = together(DELIVERY), together(DELIVERY, id=ref("other"))
    digest = twins.settlement_domain().digest(other.struct_hash())
    signatures = [twins.actor(party).key.sign(digest) for party in message.parties]
    data = twins.contracts.settlement.settle_set_data(message, signatures)

    receipt = twins.sender(twins.house).send(twins.contracts.settlement.address, data)

    assert b"settlement: not signed by the party" in receipt.output


def test_credits_that_no_word_could_hold_on_the_way_are_refused(twins):
    rest = SUPPLY_MAX - 100
    assert twins.issue(twins.registrar, ref("r"), [(1, SELLER << 8, rest)], is_cash=False) == ""
    there = [dvp(f"{i}", SELLER, BUYER, SUPPLY_MAX, 0) for i in range(3)]
    back = [dvp(f"{i}", BUYER, SELLER, SUPPLY_MAX, 0) for i in range(3, 5)]

    assert settle(twins, together(*there, *back)) == "holdings: overflow"
    assert settle(twins, together(*there[:2], back[0])) == ""


def test_events_of_a_set_say_what_moved_and_what_was_signed(twins):
    message = together(*CIRCLE, DELIVERY)
    digest = twins.settlement_domain().digest(message.struct_hash())
    signatures = [twins.actor(party).key.sign(digest) for party in message.parties]
    settlement = twins.contracts.settlement
    data = settlement.settle_set_data(message, signatures)
    logs = twins.sender(twins.house).send(settlement.address, data).logs

    delivered, paid, settled = (decode_event(log.topics, log.data) for log in logs)

    assert isinstance(delivered, Moved)
    assert isinstance(paid, Moved)
    posting = posting_of(Register.CASH, paid)
    assert posting.available.tolist() == [100, -100]
    assert not posting.held.any()
    assert np.array_equal(delivered.moves.amounts, [10])
    assert settled == SetSettled(
        message.id, digest, tuple((each.id, each.terms_hash()) for each in message.instructions)
    )
