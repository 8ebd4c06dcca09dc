"""Sets on a consortium: circles without a cent, a party that is away, restarts, and what is cut."""

from dataclasses import replace

import pytest

from contracts.typed_data import InstructionMessage
from ledger.books.instructions import InstructionStore
from ledger.books.postings import Register
from ledger.domain.instructions import State
from ledger.domain.reasons import Reason, Rejected
from ledger.domain.rules import Gridlock, QueueOrder, Rules
from nodes.bus import UnreachableError
from nodes.clearing_house import resolving
from nodes.clearing_house.desk import Entry
from nodes.clock import SimulatedClock
from nodes.founding import open_consortium
from nodes.instruction_terms import instruction_id
from nodes.invariants import violations
from nodes.messages import Attestation, Disagreement, SetProposal
from nodes.trade_words import describe_trade_id
from tests.support.consortia import (
    DAY,
    GROSS,
    answering,
    capture,
    small_consortium,
    small_network,
    trades_of,
)
from tests.support.consortia import states as standings
from tests.support.orders import balances, enter, terms

NOTHING = {"A": 0, "B": 0, "C": 0}
RESOLVED = Rules(queue=QueueOrder.FIFO, gridlock=Gridlock.FIFO)
ALGORITHMS = (Gridlock.FIFO, Gridlock.OPTIMUM)


def poor(rules=RESOLVED, **more):
    return small_consortium(rules, shares=NOTHING, cash=NOTHING, **more)


def pay(consortium, label, payer, payee, amount, **more):
    """In a payment the receiver pays the deliverer."""
    assert enter(consortium, label, payee, payer, 0, amount, **more) is None


def states(consortium):
    return {each.label: each.state for each in consortium.clearing_house.desk.instructions()}


def settled(*labels):
    return dict.fromkeys(labels, State.SETTLED)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_circle_of_payments_settles_without_a_cent(algorithm):
    consortium = poor(Rules(gridlock=algorithm))
    for label, payer, payee in (("P1", "A", "B"), ("P2", "B", "C"), ("P3", "C", "A")):
        pay(consortium, label, payer, payee, 700)

    assert consortium.clearing_house.desk.work() == 3

    assert states(consortium) == settled("P1", "P2", "P3")
    assert balances(consortium)[Register.CASH] == NOTHING
    assert consortium.reconcile() == 0
    assert violations(consortium) == []


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_circle_over_shares_and_cash_settles_with_neither(algorithm):
    consortium = poor(Rules(gridlock=algorithm))
    assert enter(consortium, "D1", "A", "B", 10, 500) is None
    assert enter(consortium, "D2", "B", "C", 10, 500) is None
    assert enter(consortium, "D3", "C", "A", 10, 500) is None

    assert consortium.clearing_house.desk.work() == 3

    assert balances(consortium) == dict.fromkeys(Register, NOTHING)
    assert consortium.reconcile() == 0


@pytest.mark.parametrize(
    "answer", ["silent", Attestation(bytes(64)), Attestation(b""), None], ids=repr
)
def test_party_that_does_not_sign_a_set_keeps_nobody_else_from_settling(answer):
    consortium = poor()
    pay(consortium, "P1", "A", "B", 700)
    pay(consortium, "P2", "B", "A", 700)
    pay(consortium, "P3", "B", "C", 5)
    pay(consortium, "P4", "C", "B", 5)

    def away(message):
        if answer == "silent":
            raise UnreachableError("C is away")
        return answer

    honest = consortium.nodes["C"].handle
    answering(consortium, "C", SetProposal, away)
    assert consortium.clearing_house.desk.work() == 2

    desk = consortium.clearing_house.desk
    waiting = {"P3": State.QUEUED, "P4": State.QUEUED}
    assert states(consortium) == settled("P1", "P2") | waiting
    assert desk.get("P4").reason is (Reason.SILENT if answer == "silent" else Reason.DISPUTED)
    assert consortium.reconcile() == 0

    consortium.bus.register("C", honest)
    desk.work()
    assert states(consortium) == settled("P1", "P2", "P3", "P4")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("order", QueueOrder)
def test_disputed_instruction_keeps_its_party_from_nothing_else(algorithm, order):
    consortium = poor(Rules(queue=order, gridlock=algorithm))
    desk = consortium.clearing_house.desk
    pay(consortium, "P1", "A", "B", 700)
    pay(consortium, "P2", "B", "A", 700)
    pay(consortium, "P3", "C", "A", 5)
    for number in range(2):
        label = f"BAD{number}"
        never_agreed = terms(consortium, label, "C", "A", 0, 5 - 3 * number)
        assert desk.enter(Entry(label=label, message=never_agreed)) is None
        consortium.trader("C").mandate_instruction(never_agreed)

    assert desk.work() == 2

    assert states(consortium) == settled("P1", "P2") | dict.fromkeys(
        ("P3", "BAD0", "BAD1"), State.QUEUED
    )
    assert desk.get("BAD0").reason is Reason.DISPUTED
    assert consortium.reconcile() == 0


def test_party_that_names_one_after_another_loses_all_of_a_run():
    consortium = poor(Rules(queue=QueueOrder.BYPASS, gridlock=Gridlock.OPTIMUM, recuts_max=2))
    for number in range(5):
        pay(consortium, f"A{number}", "C", "A", 10)
        pay(consortium, f"C{number}", "A", "C", 10)
    pay(consortium, "P1", "A", "B", 7)
    pay(consortium, "P2", "B", "A", 7)

    def names_one(message):
        named = (message.own[0].label,)
        return Disagreement(Rejected(Reason.DISPUTED, "not that one"), named)

    answering(consortium, "C", SetProposal, names_one)

    assert consortium.clearing_house.desk.work() == 2
    assert states(consortium)["P1"] is State.SETTLED


def test_silent_party_of_a_circle_is_waited_for_and_nothing_moves():
    consortium = poor()
    pay(consortium, "P1", "A", "B", 700)
    pay(consortium, "P2", "B", "A", 700)
    honest = consortium.nodes["B"].handle

    def away(_):
        raise UnreachableError("B is away")

    answering(consortium, "B", SetProposal, away)
    assert consortium.clearing_house.desk.work() == 0
    assert balances(consortium)[Register.CASH] == NOTHING

    consortium.bus.register("B", honest)
    assert consortium.clearing_house.desk.work() == 2


def test_instruction_whose_time_has_passed_is_in_no_set():
    consortium = poor(Rules())
    now = int(consortium.clock.business_time().timestamp())
    pay(consortium, "P1", "A", "B", 700, expires_at=now + 5)
    pay(consortium, "P2", "B", "A", 700)
    consortium.clock.not_before(now + 6)

    assert consortium.clearing_house.desk.resolve(Gridlock.FIFO).settled == ()
    assert states(consortium) == {"P1": State.FAILED, "P2": State.QUEUED}


def test_link_to_one_that_came_to_nothing_outlives_a_restart(tmp_path):
    consortium = small_consortium(Rules(), path=tmp_path)
    pay(consortium, "P1", "A", "B", 99_999, linked_to=("P2",))
    pay(consortium, "P2", "B", "A", 1)
    consortium.clearing_house.desk.cancel("P1", "A")
    consortium.clearing_house.desk.work()
    assert consortium.clearing_house.desk.get("P2").reason is Reason.LINK
    consortium.close()

    again = open_consortium(small_network(), Rules(), SimulatedClock.at(DAY), tmp_path)
    again.clearing_house.desk.work()

    assert again.clearing_house.desk.get("P2").reason is Reason.LINK
    again.close()


def test_linked_ones_that_a_full_set_would_part_stay_out_of_it(monkeypatch):
    monkeypatch.setattr(resolving, "SET_MAX", 3)
    consortium = small_consortium(Rules(auto_settle=False))
    for number in range(3):
        pay(consortium, f"P{number}", "A", "B", 1)
    pay(consortium, "L1", "A", "B", 1, linked_to=("L2",))
    pay(consortium, "P3", "A", "B", 1)
    pay(consortium, "L2", "B", "A", 1)
    desk = consortium.clearing_house.desk

    monkeypatch.setattr(resolving, "SET_MAX", 4)
    first = desk.resolve(Gridlock.BYPASS)
    assert first.settled[:3] == ("P0", "P1", "P2")
    assert not {"L1", "L2"} & set(first.settled)
    assert not first.is_exact
    assert set(desk.resolve(Gridlock.BYPASS).settled) >= {"L1", "L2"}


def test_id_of_another_instruction_is_refused_and_changes_nothing():
    consortium = small_consortium(Rules())
    pay(consortium, "P1", "A", "B", 99_999)
    stolen = terms(consortium, "P1", "C", "B", 0, 1)

    refusal = consortium.clearing_house.desk.enter(Entry(label="P9", message=stolen))

    assert refusal.reason is Reason.DUPLICATE
    assert consortium.clearing_house.desk.get("P1").amount == 99_999
    assert consortium.clearing_house.desk.get("P9") is None


def test_instruction_that_moves_nothing_is_refused():
    consortium = small_consortium(Rules())
    nothing = InstructionMessage(instruction_id("N"), 256, 512, 1, 0, 1, 0, 0, 0)

    refusal = consortium.clearing_house.desk.enter(Entry(label="N", message=nothing))

    assert refusal.reason is Reason.INVALID


def test_instruction_between_an_account_and_itself_is_refused():
    consortium = small_consortium(Rules())
    for quantity, amount in ((10, 0), (0, 10), (10, 10)):
        itself = terms(consortium, "I", "A", "A", quantity, amount)
        refusal = consortium.clearing_house.desk.enter(Entry(label="I", message=itself))
        assert refusal.reason is Reason.INVALID


@pytest.mark.parametrize("mark", ["", ".cancel"])
def test_instruction_with_the_name_of_a_trade_is_refused(mark):
    consortium = small_consortium(Rules())
    trades = trades_of(consortium.network, ("T1", "A", "B", 10, 1_000))
    name = describe_trade_id(consortium.network, trades, 0) + mark

    assert enter(consortium, name, "B", "A", 0, 5).reason is Reason.INVALID


def test_trade_whose_id_another_instruction_has_fails_and_leaves_that_one_as_it_is():
    consortium = small_consortium(GROSS)
    rows = (("T1", "A", "B", 10, 1_000), ("T2", "A", "B", 1, 10))
    trades = trades_of(consortium.network, *rows)
    name = describe_trade_id(consortium.network, trades, 0)
    other = replace(terms(consortium, "X", "B", "A", 0, 99_999), id=instruction_id(name))
    desk = consortium.clearing_house.desk
    assert desk.enter(Entry(label="X", message=other)) is None

    capture(consortium, trades)
    desk.work()

    assert standings(consortium) == ["failed DUPLICATE", "settled"]
    assert desk.get("X").amount == 99_999
    assert desk.get("X").state is State.QUEUED
    assert [each.arrival for each in desk.instructions()] == [0, 1]
    assert consortium.reconcile() == 0


def test_instructions_go_on_arriving_behind_the_last_one_after_a_restart(tmp_path):
    consortium = small_consortium(Rules(), path=tmp_path)
    pay(consortium, "P1", "A", "B", 99_999)
    pay(consortium, "P2", "A", "B", 99_999)
    store = InstructionStore(consortium.clearing_house.database)
    with consortium.clearing_house.database.transaction() as session:
        store.put(session, [replace(store.get("P2"), arrival=7)])
    consortium.close()

    again = open_consortium(small_network(), Rules(), SimulatedClock.at(DAY), tmp_path)
    pay(again, "P3", "A", "B", 1)

    assert again.clearing_house.desk.get("P3").arrival == 8
    again.close()


@pytest.mark.deep
def test_ten_thousand_payments_in_circles_settle_as_one_set():
    consortium = poor(Rules(auto_settle=False))
    for number in range(9_999):
        pay(consortium, f"P{number}", "ABC"[number % 3], "BCA"[number % 3], 1_000)

    assert len(consortium.clearing_house.desk.resolve(Gridlock.FIFO).settled) == 9_999
    assert balances(consortium)[Register.CASH] == NOTHING
    assert consortium.reconcile() == 0
