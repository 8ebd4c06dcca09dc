"""Two-sided entry on a real consortium: sides, matches, cancellations, amendments, waiting."""

from datetime import timedelta

import msgspec
import pytest

from ledger.books.entered_sides import EnteredSides
from ledger.books.postings import Register
from ledger.domain.identifiers import isin_of_symbol
from ledger.domain.instructions import Priority, State
from ledger.domain.reasons import Reason
from ledger.settlement.matching import Wishes
from nodes.bus import UnreachableError
from nodes.entering import release
from nodes.invariants import violations
from nodes.messages import Allegement, AmendedSide, EnteredSide, Matched, WithdrawnSide
from tests.support.consortia import (
    DAY,
    GROSS,
    answering,
    consortium_of,
    small_consortium,
    small_network,
)
from tests.support.sides import (
    AMOUNT,
    enter,
    held_by,
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


def test_two_sides_find_each_other_and_settle(consortium):
    label = match(consortium)
    settle(consortium)

    house = consortium.clearing_house
    assert standing(consortium, label) == (State.SETTLED, None)
    assert house.matching.state_of("A", "S1") is house.matching.state_of("B", "P1") is State.SETTLED
    assert held_by(consortium, "A", Register.SECURITIES) == 90
    assert held_by(consortium, "B", Register.CASH) == 9_000
    assert (consortium.reconcile(), violations(consortium)) == (0, [])


@pytest.mark.parametrize(
    ("changes", "loser", "register"),
    [
        ({"amount": 0, "currency": ""}, "A", Register.SECURITIES),
        ({"quantity": 0, "isin": ""}, "B", Register.CASH),
    ],
)
def test_free_delivery_and_payment_match_too(consortium, changes, loser, register):
    before = held_by(consortium, loser, register)
    assert enter(consortium, "A", "S1", sale_of(consortium, **changes)) is None
    assert enter(consortium, "B", "P1", purchase_of(consortium, **changes)) is None
    settle(consortium)

    assert standing(consortium, "A:S1+B:P1") == (State.SETTLED, None)
    assert held_by(consortium, loser, register) < before


def test_amount_within_the_tolerance_settles_at_the_deliverers(consortium):
    enter(consortium, "B", "P1", purchase_of(consortium, amount=AMOUNT + 200))
    enter(consortium, "A", "S1", sale_of(consortium))
    settle(consortium)

    assert held_by(consortium, "B", Register.CASH) == 10_000 - AMOUNT


def test_unmatched_side_is_alleged_to_the_other_until_it_matches(consortium):
    sale = sale_of(consortium)
    enter(consortium, "A", "S1", sale)
    enter(consortium, "B", "P1", purchase_of(consortium, quantity=11, amount=AMOUNT + 201))

    alleged = consortium.trader("B").sides.allegements()
    assert alleged.total == 1
    assert alleged.sides == (Allegement("S1", sale, "P1", ("quantity", "amount")),)
    assert consortium.trader("C").sides.allegements().total == 0

    enter(consortium, "B", "P2", purchase_of(consortium))
    assert consortium.trader("B").sides.allegements().total == 0
    assert consortium.trader("A").sides.allegements().total == 1


def test_same_side_again_is_answered_the_same_and_other_content_is_refused(consortium):
    label = match(consortium)
    settle(consortium)

    assert enter(consortium, "A", "S1", sale_of(consortium)) is None
    other = enter(consortium, "A", "S1", sale_of(consortium, quantity=11))
    at_the_house = consortium.clearing_house.matching.enter(
        "A", EnteredSide("S1", sale_of(consortium, quantity=11), Wishes())
    )
    assert other.reason is at_the_house.reason is Reason.DUPLICATE
    assert [each.label for each in consortium.clearing_house.desk.instructions()] == [label]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"quantity": 0}, Reason.INVALID),
        ({"quantity": -1}, Reason.INVALID),
        ({"quantity": True}, Reason.INVALID),
        ({"amount": 10**15 + 1}, Reason.INVALID),
        ({"amount": "10"}, Reason.INVALID),
        ({"settlement_date": "2026-02-10"}, Reason.INVALID),
        ({"isin": "X"}, Reason.INVALID),
        ({"currency": ""}, Reason.INVALID),
        ({"deliverer_account": ""}, Reason.INVALID),
        ({"deliverer_account": "B"}, Reason.INVALID),
        ({"receiver": "B/client"}, Reason.INVALID),
        ({"common_reference": "R" * 201}, Reason.INVALID),
        ({"isin": isin_of_symbol("NOPE")}, Reason.UNKNOWN),
        ({"currency": "BRL"}, Reason.UNKNOWN),
        ({"receiver": "D"}, Reason.UNKNOWN),
        ({"deliverer_account": "A/client"}, Reason.UNKNOWN),
        ({"receiver": "REGISTRAR"}, Reason.UNAUTHORISED),
        ({"deliverer": "C", "deliverer_account": "C"}, Reason.UNAUTHORISED),
    ],
)
def test_side_that_makes_no_sense_is_refused_and_may_be_corrected(consortium, changes, reason):
    refusal = enter(consortium, "A", "S1", sale_of(consortium, **changes))

    assert refusal.reason is reason
    assert enter(consortium, "A", "S1", sale_of(consortium)) is None


def test_reference_of_another_form_is_refused(consortium):
    for reference in ("", "a b", "R" * 25, "é"):
        assert enter(consortium, "A", reference, sale_of(consortium)).reason is Reason.INVALID


def test_side_of_or_against_a_suspended_participant_is_refused(consortium):
    consortium.clearing_house.suspend("B")

    assert enter(consortium, "A", "S1", sale_of(consortium)).reason is Reason.SUSPENDED
    assert enter(consortium, "B", "P1", purchase_of(consortium)).reason is Reason.SUSPENDED


def test_unmatched_side_is_withdrawn_by_its_own_side_alone_and_matches_no_more(consortium):
    enter(consortium, "A", "S1", sale_of(consortium))
    trader = consortium.trader("A")

    assert consortium.trader("B").sides.withdraw("S1").reason is Reason.UNKNOWN
    assert trader.sides.withdraw("S1") is None
    assert trader.sides.withdraw("S1") is None
    enter(consortium, "B", "P1", purchase_of(consortium))
    settle(consortium)

    assert consortium.clearing_house.matching.state_of("A", "S1") is State.CANCELLED
    assert consortium.clearing_house.matching.state_of("B", "P1") is State.UNMATCHED
    assert consortium.clearing_house.desk.instructions() == []


def test_matched_sides_are_cancelled_when_both_have_asked(consortium):
    label = match(consortium, Wishes(is_held=True))

    assert consortium.trader("A").sides.withdraw("S1") is None
    assert standing(consortium, label)[0] is State.HELD
    assert consortium.trader("B").sides.withdraw("P1") is None
    assert standing(consortium, label)[0] is State.CANCELLED
    assert consortium.trader("B").sides.withdraw("P1") is None


def test_what_has_settled_is_not_withdrawn(consortium):
    match(consortium)
    settle(consortium)

    assert consortium.trader("A").sides.withdraw("S1").reason is Reason.FINAL


def test_unmatched_side_is_amended_at_once(consortium):
    enter(consortium, "B", "P1", purchase_of(consortium, quantity=12))
    enter(consortium, "A", "S1", sale_of(consortium))
    amended = sale_of(consortium, quantity=12)

    for _ in range(2):
        assert consortium.trader("A").sides.amend("S1", "S2", amended) is None
    settle(consortium)

    assert consortium.clearing_house.matching.state_of("A", "S1") is State.CANCELLED
    assert standing(consortium, "A:S2+B:P1") == (State.SETTLED, None)


def test_side_is_amended_once_and_one_that_was_withdrawn_not_at_all(consortium):
    enter(consortium, "A", "S1", sale_of(consortium))
    enter(consortium, "A", "S4", sale_of(consortium, quantity=30))
    sides = consortium.trader("A").sides
    assert sides.amend("S1", "S2", sale_of(consortium, quantity=12)) is None
    assert sides.withdraw("S4") is None

    assert sides.amend("S1", "S3", sale_of(consortium, quantity=11)).reason is Reason.DUPLICATE
    assert sides.amend("S4", "S5", sale_of(consortium, quantity=31)).reason is Reason.FINAL
    state_of = consortium.clearing_house.matching.state_of
    assert [state_of("A", each) for each in ("S3", "S5")] == [None, None]


def test_amendment_that_could_not_be_entered_takes_nothing_back(consortium):
    enter(consortium, "A", "S1", sale_of(consortium))
    enter(consortium, "A", "S3", sale_of(consortium, quantity=30))
    amend, dear = consortium.trader("A").sides.amend, sale_of(consortium, amount=5_000)

    assert amend("S1", "S2", dear, Wishes(expires_at=1)).reason is Reason.LATE
    assert amend("S1", "S3", dear).reason is Reason.DUPLICATE
    at_the_house = AmendedSide("S1", EnteredSide("S3", dear, Wishes()))
    refused = consortium.clearing_house.handle("A", at_the_house)
    assert refused.refusal.reason is Reason.DUPLICATE
    assert consortium.clearing_house.matching.state_of("A", "S1") is State.UNMATCHED

    enter(consortium, "B", "P1", purchase_of(consortium))
    settle(consortium)
    assert standing(consortium, "A:S1+B:P1") == (State.SETTLED, None)


def test_side_is_amended_into_one_that_is_there_already(consortium):
    wider = sale_of(consortium, amount=5_000)
    enter(consortium, "A", "S1", sale_of(consortium))
    enter(consortium, "A", "S2", wider)

    assert consortium.trader("A").sides.amend("S1", "S2", wider) is None
    assert consortium.clearing_house.matching.state_of("A", "S1") is State.CANCELLED
    assert consortium.clearing_house.matching.state_of("A", "S2") is State.UNMATCHED


def test_refused_amendment_into_another_side_leaves_that_one_able_to_match(consortium):
    enter(consortium, "A", "S2", sale_of(consortium))
    refused = consortium.trader("A").sides.amend("NONE", "S2", sale_of(consortium))
    assert refused.reason is Reason.UNKNOWN

    enter(consortium, "B", "P1", purchase_of(consortium))
    settle(consortium)
    assert standing(consortium, "A:S2+B:P1") == (State.SETTLED, None)


def test_matched_side_is_amended_once_both_have_cancelled(consortium):
    match(consortium, Wishes(is_held=True))
    seller, buyer = consortium.trader("A").sides, consortium.trader("B").sides
    sale, purchase = (side(consortium, quantity=12) for side in (sale_of, purchase_of))

    waiting = seller.amend("S1", "S2", sale)
    assert waiting.reason is Reason.UNMATCHED
    assert "has to ask for cancellation as well" in waiting.detail
    assert buyer.amend("P1", "P2", purchase) is None
    assert seller.amend("S1", "S2", sale) is None
    settle(consortium)

    assert standing(consortium, "A:S1+B:P1")[0] is State.CANCELLED
    assert standing(consortium, "A:S2+B:P2") == (State.SETTLED, None)
    assert seller.amend("S2", "S3", sale).reason is Reason.FINAL
    assert seller.amend("S1", "S1", sale).reason is Reason.DUPLICATE


def test_hold_of_one_side_is_its_own_to_release(consortium):
    label = match(consortium, Wishes(is_held=True), Wishes(priority=Priority.URGENT))
    desk = consortium.clearing_house.desk
    settle(consortium)

    assert standing(consortium, label)[0] is State.HELD
    assert desk.get(label).priority is Priority.URGENT
    assert desk.get(label).held_by == {consortium.network.participant_number("A")}
    # Let go by the house alone, it settles no more than before: the side's own node signs nothing.
    assert desk.release(label, "A") is None
    settle(consortium)
    assert standing(consortium, label) == (State.QUEUED, Reason.DISPUTED)
    assert release(consortium, label, "A") is None
    settle(consortium)
    assert standing(consortium, label) == (State.SETTLED, None)


def test_match_of_a_later_day_waits_for_it(consortium):
    later = DAY + timedelta(days=1)
    enter(consortium, "A", "S1", sale_of(consortium, settlement_date=later))
    enter(consortium, "B", "P1", purchase_of(consortium, settlement_date=later))
    settle(consortium)
    assert consortium.clearing_house.desk.instructions() == []
    assert consortium.clearing_house.matching.state_of("A", "S1") is State.QUEUED

    consortium.clock.set(later, 9 * 3600)
    settle(consortium)
    assert standing(consortium, "A:S1+B:P1") == (State.SETTLED, None)


def test_match_of_a_later_day_is_cancelled_when_both_have_asked(consortium):
    later = DAY + timedelta(days=1)
    enter(consortium, "A", "S1", sale_of(consortium, settlement_date=later))
    enter(consortium, "B", "P1", purchase_of(consortium, settlement_date=later))
    consortium.trader("A").sides.withdraw("S1")
    assert consortium.clearing_house.matching.state_of("B", "P1") is State.QUEUED
    consortium.trader("B").sides.withdraw("P1")
    assert consortium.clearing_house.matching.state_of("B", "P1") is State.CANCELLED

    consortium.clock.set(later, 9 * 3600)
    settle(consortium)
    assert consortium.clearing_house.desk.instructions() == []


def test_unmatched_side_fails_after_its_expiry_and_not_at_it(consortium):
    now = consortium.clock.chain_time()
    assert (
        enter(consortium, "B", "P0", purchase_of(consortium), Wishes(expires_at=now - 1)).reason
        is Reason.LATE
    )
    enter(consortium, "A", "S1", sale_of(consortium), Wishes(expires_at=now + 60))
    states = []
    for second in (9 * 3600 + 60, 9 * 3600 + 61):
        consortium.clock.set(DAY, second)
        settle(consortium)
        states.append(consortium.clearing_house.matching.state_of("A", "S1"))
    enter(consortium, "B", "P1", purchase_of(consortium))

    assert states == [State.UNMATCHED, State.FAILED]
    assert consortium.clearing_house.matching.state_of("B", "P1") is State.UNMATCHED
    assert consortium.trader("A").sides.withdraw("S1").reason is Reason.FINAL


def test_match_with_a_silent_trader_waits_and_enters_when_it_answers(consortium):
    enter(consortium, "A", "S1", sale_of(consortium))
    answering(consortium, "A", Matched, silence)
    enter(consortium, "B", "P1", purchase_of(consortium))
    settle(consortium)
    matching = consortium.clearing_house.matching
    assert matching.refusal_of("A:S1+B:P1").reason is Reason.SILENT
    assert consortium.clearing_house.desk.instructions() == []

    answering(consortium, "A", Matched, consortium.trader("A").sides.agree)
    settle(consortium)
    assert standing(consortium, "A:S1+B:P1") == (State.SETTLED, None)
    assert matching.refusal_of("A:S1+B:P1") is None


def silence(_message):
    raise UnreachableError


def test_match_whose_time_passes_before_it_is_in_the_queue_fails(consortium):
    now = consortium.clock.chain_time()
    answering(consortium, "A", Matched, silence)
    match(consortium, Wishes(expires_at=now + 60))
    consortium.clock.set(DAY, 9 * 3600 + 61)
    settle(consortium)

    matching = consortium.clearing_house.matching
    for participant, reference in (("A", "S1"), ("B", "P1")):
        assert matching.state_of(participant, reference) is State.FAILED
        assert matching.reason_of(participant, reference) is Reason.LATE
    assert consortium.clearing_house.desk.instructions() == []


def test_match_of_a_later_day_that_expires_before_it_fails(consortium):
    later, now = DAY + timedelta(days=1), consortium.clock.chain_time()
    sale, purchase = (of(consortium, settlement_date=later) for of in (sale_of, purchase_of))
    enter(consortium, "A", "S1", sale, Wishes(expires_at=now + 60))
    enter(consortium, "B", "P1", purchase)
    consortium.clock.set(DAY, 9 * 3600 + 61)
    settle(consortium)

    assert consortium.clearing_house.matching.state_of("B", "P1") is State.FAILED


def test_match_that_could_not_enter_the_queue_fails_at_the_end_of_the_day(consortium):
    later = DAY + timedelta(days=1)
    enter(consortium, "A", "S2", sale_of(consortium, settlement_date=later))
    enter(consortium, "B", "P2", purchase_of(consortium, settlement_date=later))
    answering(consortium, "A", Matched, silence)
    match(consortium)
    consortium.clearing_house.end_of_day()

    matching = consortium.clearing_house.matching
    assert matching.state_of("B", "P1") is State.FAILED
    assert matching.state_of("B", "P2") is State.QUEUED
    assert matching.refusal_of("A:S1+B:P1") is None


def test_side_whose_time_has_passed_matches_no_more(consortium):
    now = consortium.clock.chain_time()
    enter(consortium, "A", "S1", sale_of(consortium), Wishes(expires_at=now + 60))
    consortium.clock.set(DAY, 9 * 3600 + 61)
    enter(consortium, "B", "P1", purchase_of(consortium))

    matching = consortium.clearing_house.matching
    assert matching.state_of("A", "S1") is State.FAILED
    assert matching.state_of("B", "P1") is State.UNMATCHED


def test_matches_of_later_days_are_not_read_before_they_are_due(consortium, monkeypatch):
    later = DAY + timedelta(days=1)
    for number in range(3):
        terms = {"settlement_date": later, "common_reference": f"R{number}", "quantity": 1}
        enter(consortium, "A", f"S{number}", sale_of(consortium, **terms))
        enter(consortium, "B", f"P{number}", purchase_of(consortium, **terms))
    read = []
    original = EnteredSides.of_instruction
    monkeypatch.setattr(
        EnteredSides,
        "of_instruction",
        lambda self, label: read.append(label) or original(self, label),
    )

    settle(consortium)
    assert read == []
    consortium.clock.set(later, 9 * 3600)
    settle(consortium)
    assert read == [f"A:S{number}+B:P{number}" for number in range(3)]


def test_match_whose_side_was_suspended_meanwhile_waits_until_it_is_reinstated(consortium):
    later = DAY + timedelta(days=1)
    enter(consortium, "A", "S1", sale_of(consortium, settlement_date=later))
    enter(consortium, "B", "P1", purchase_of(consortium, settlement_date=later))
    consortium.clearing_house.suspend("B")
    consortium.clock.set(later, 9 * 3600)
    settle(consortium)
    label = "A:S1+B:P1"
    assert consortium.clearing_house.matching.refusal_of(label).reason is Reason.SUSPENDED

    consortium.clearing_house.reinstate("B")
    settle(consortium)
    assert standing(consortium, label) == (State.SETTLED, None)


@pytest.mark.parametrize("receiver_account", ["", "A"])
def test_transfer_from_an_account_to_itself_is_refused(consortium, receiver_account):
    same = {"receiver": "A", "receiver_account": receiver_account}

    assert enter(consortium, "A", "OUT", sale_of(consortium, **same)).reason is Reason.INVALID


def test_one_participant_may_enter_both_sides_of_a_transfer_between_its_accounts():
    network = msgspec.structs.replace(small_network(), accounts=("A/client",))
    consortium = consortium_of(network, GROSS, None)
    terms = {"receiver": "A", "receiver_account": "A/client", "amount": 0, "currency": ""}
    assert enter(consortium, "A", "OUT", sale_of(consortium, **terms)) is None
    into = {"is_deliverer": False, **terms}
    assert enter(consortium, "A", "IN", sale_of(consortium, **into)) is None
    settle(consortium)

    assert consortium.clearing_house.matching.state_of("A", "IN") is State.SETTLED
    assert held_by(consortium, "A", Register.SECURITIES) == 90
    assert (consortium.reconcile(), violations(consortium)) == (0, [])
    consortium.close()


def test_side_is_linked_to_no_instruction_of_others(consortium):
    later = DAY + timedelta(days=1)
    label = match(consortium, Wishes(is_held=True))
    enter(consortium, "A", "S2", sale_of(consortium, settlement_date=later))
    enter(consortium, "B", "P2", purchase_of(consortium, settlement_date=later))
    stranger = sale_of(consortium, deliverer="C", deliverer_account="C")

    for foreign in (label, "A:S2+B:P2"):
        refusal = enter(consortium, "C", "S1", stranger, Wishes(linked_to=("LATER", foreign)))
        assert refusal.reason is Reason.UNAUTHORISED
    assert enter(consortium, "C", "S1", stranger, Wishes(linked_to=("LATER",))) is None
    own = sale_of(consortium, quantity=1)
    assert enter(consortium, "A", "S3", own, Wishes(linked_to=(label, "A:S2+B:P2"))) is None


def test_side_is_the_same_again_after_others_took_the_label_that_it_is_linked_to(consortium):
    stranger = sale_of(consortium, deliverer="C", deliverer_account="C")
    wishes = Wishes(linked_to=("A:S1+B:P1",))
    assert enter(consortium, "C", "S1", stranger, wishes) is None
    match(consortium, Wishes(is_held=True))

    assert enter(consortium, "C", "S1", stranger, wishes) is None


def test_garbage_instead_of_a_side_is_refused(consortium):
    house = consortium.clearing_house.id
    for side, wishes in ((None, Wishes()), (sale_of(consortium), None), ("x", 3)):
        answer = consortium.bus.request("A", house, EnteredSide("S1", side, wishes))
        assert answer.refusal.reason is Reason.INVALID
    answer = consortium.bus.request("A", house, WithdrawnSide("S1"))
    assert answer.refusal.reason is Reason.UNKNOWN
