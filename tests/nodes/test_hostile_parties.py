"""Parties that answer wrongly: their own trades wait, the others settle, the house goes on."""

import numpy as np
import pytest

from contracts.clients.settlement import NO_SIGNATURE
from ledger.books.cycles import SETTLED
from ledger.books.database import StorageError
from ledger.books.postings import Register
from ledger.domain.instructions import State
from ledger.domain.reasons import Reason, Rejected
from ledger.domain.rules import Rules
from nodes.bus import UnreachableError
from nodes.clock import SimulatedClock
from nodes.founding import open_consortium
from nodes.messages import (
    Affirmation,
    AffirmationRequest,
    Attestation,
    CycleProposal,
    Disagreement,
    SetProposal,
    SignedCycle,
    SignedSet,
    Statement,
    StatementRequest,
)
from tests.support.consortia import (
    DAY,
    GROSS,
    NET,
    answering,
    capture,
    small_consortium,
    small_network,
    states,
    trades_of,
)
from tests.support.orders import balances, enter, give

RING = (("T1", "A", "B", 10, 1_000), ("T2", "B", "C", 10, 1_000), ("T3", "C", "A", 10, 900))
UNKNOWN_TRADE = Disagreement(Rejected(Reason.DISPUTED), ("NOPE",))


def reopened(rules, path):
    return open_consortium(small_network(), rules, SimulatedClock.at(DAY), path)


@pytest.mark.parametrize(
    "answer",
    [Attestation(bytes(64)), Attestation(b""), UNKNOWN_TRADE, None],
    ids=["zero signature", "no signature", "names no trade of the cycle", "nothing"],
)
def test_party_that_does_not_sign_loses_its_trades_and_the_rest_settles(tmp_path, answer):
    consortium = small_consortium(path=tmp_path)
    capture(consortium, trades_of(consortium.network, *RING))
    answering(consortium, "A", CycleProposal, lambda _: answer)

    row = consortium.clearing_house.net.close()

    assert row.state == SETTLED
    assert states(consortium) == ["queued DISPUTED", "settled", "queued DISPUTED"]
    consortium.close()
    again = reopened(NET, tmp_path)
    assert states(again) == ["queued DISPUTED", "settled", "queued DISPUTED"]
    again.close()


def test_signature_of_another_key_is_no_signature():
    consortium = small_consortium()
    capture(consortium, trades_of(consortium.network, *RING))
    stranger, domain = consortium.nodes["B"].key, consortium.nodes["B"].settlement_domain()
    answering(
        consortium,
        "A",
        CycleProposal,
        lambda asked: Attestation(stranger.sign(domain.digest(asked.cycle.struct_hash()))),
    )

    consortium.clearing_house.net.close()

    assert states(consortium) == ["queued DISPUTED", "settled", "queued DISPUTED"]


def test_party_that_objects_again_and_again_is_cut_out_whole():
    consortium = small_consortium()
    rows = [(f"T{i}", "A", "B", 1, 10) for i in range(6)]
    capture(consortium, trades_of(consortium.network, *rows, ("T9", "B", "C", 1, 10)))
    names = [f"XNOV.2026-02-10.{consortium.network.instruments[0].isin}.T{i}" for i in range(6)]
    answering(
        consortium,
        "A",
        CycleProposal,
        lambda _: Disagreement(Rejected(Reason.DISPUTED), (names.pop(),)),
    )

    row = consortium.clearing_house.net.close()

    assert row.state == SETTLED
    assert states(consortium) == ["queued DISPUTED"] * 6 + ["settled"]


def test_bad_signature_of_an_instruction_leaves_it_waiting(tmp_path):
    consortium = small_consortium(GROSS, path=tmp_path)
    capture(consortium, trades_of(consortium.network, RING[0]))
    answering(consortium, "B", SetProposal, lambda _: Attestation(bytes(64)))

    consortium.clearing_house.desk.work()

    assert states(consortium) == ["queued DISPUTED"]
    consortium.close()
    again = reopened(GROSS, tmp_path)
    again.clearing_house.desk.work()
    assert states(again) == ["settled"]
    again.close()


def test_keeper_that_refuses_a_notice_keeps_nobody_from_settling():
    consortium = small_consortium()
    capture(consortium, trades_of(consortium.network, *RING))

    def refuse(_):
        raise PermissionError("not today")

    answering(consortium, "BANK-1", SignedCycle, refuse)

    assert consortium.clearing_house.net.close().state == SETTLED


@pytest.mark.parametrize(
    "answer",
    [
        Affirmation({"x": None}),
        Affirmation({0.5: None}),
        Affirmation({-1: None}),
        Affirmation({7: None}),
        Affirmation(None),
        None,
    ],
    ids=["text", "fraction", "below", "beyond", "nothing", "no answer"],
)
def test_answer_that_makes_no_sense_affirms_nothing(answer):
    consortium = small_consortium()
    answering(consortium, "A", AffirmationRequest, lambda _: answer)
    capture(consortium, trades_of(consortium.network, *RING))

    assert states(consortium) == ["unaffirmed UNAFFIRMED", "captured", "unaffirmed UNAFFIRMED"]


@pytest.mark.parametrize(
    "answer",
    [Disagreement(None, 5), Disagreement(None, ([],)), Disagreement(None, None), Attestation(None)],
    ids=["a number", "a list in it", "none", "no signature"],
)
def test_disagreement_that_makes_no_sense_costs_its_party_its_trades_alone(answer):
    consortium = small_consortium()
    capture(consortium, trades_of(consortium.network, *RING))
    answering(consortium, "A", CycleProposal, lambda _: answer)

    assert consortium.clearing_house.net.close().state == SETTLED
    assert states(consortium) == ["queued DISPUTED", "settled", "queued DISPUTED"]


@pytest.mark.parametrize(
    "keys",
    [None, [1], np.array([[1]]), np.array([1.5]), np.array(["x"]), np.array([-1]), np.array([1])],
    ids=["nothing", "list", "square", "fraction", "text", "below zero", "of nobody"],
)
def test_statement_that_makes_no_sense_is_no_statement(keys):
    consortium = small_consortium()
    height = consortium.clearing_house.projection.height
    lie = Statement(height, keys, np.array([1]))
    answering(consortium, "REGISTRAR", StatementRequest, lambda _: lie)

    assert consortium.reconcile() == 0
    assert consortium.trader("A").breaks() == []


def test_statement_of_an_unknown_asset_is_a_break():
    consortium = small_consortium()
    a = consortium.trader("A")
    key = 77 << 32 | consortium.network.account_number("A")
    lie = Statement(a.projection.height, np.array([key]), np.array([5]))
    answering(consortium, "REGISTRAR", StatementRequest, lambda _: lie)

    a.reconcile()

    assert f"holding {key}" in [row.subject for row in a.breaks()]


@pytest.mark.parametrize("amount", [2**63 - 1, -(2**63)])
@pytest.mark.parametrize("register", Register)
def test_statement_of_more_than_there_can_be_is_a_break_like_others(register, amount):
    consortium = small_consortium(cash={"A": 1_000})
    capture(consortium, trades_of(consortium.network, *RING))
    a = consortium.trader("A")
    key = 1 << 32 | consortium.network.account_number("A")
    lie = Statement(a.projection.height, np.array([key]), np.array([amount]))
    answering(consortium, a.comparing.keeper(register), StatementRequest, lambda _: lie)

    consortium.reconcile()

    assert [each.version.at_risk > 0 for each in a.breaks()] == [True]


def test_statement_with_more_holdings_than_there_can_be_is_no_statement():
    consortium = small_consortium()
    a = consortium.trader("A")
    keys = (np.arange(1, 1_000) << 32) + consortium.network.account_number("A")
    lie = Statement(a.projection.height, keys, np.ones_like(keys))
    answering(consortium, "REGISTRAR", StatementRequest, lambda _: lie)

    assert a.reconcile() == 0


@pytest.mark.parametrize("asset", [0, -1, 1 << 30])
def test_asset_of_a_number_that_is_none_is_nothing(asset):
    network = small_network()
    for of in (network.instrument, network.currency):
        with pytest.raises(IndexError):
            of(asset)


def test_party_that_is_silent_once_is_asked_no_second_time_in_the_cycle():
    consortium = small_consortium()
    capture(consortium, trades_of(consortium.network, *RING))
    asked = []

    def silent(message):
        asked.append(message)
        raise UnreachableError("A is away")

    answering(consortium, "A", CycleProposal, silent)
    consortium.clearing_house.net.close()

    assert len(asked) == 1
    assert states(consortium) == ["queued SILENT", "settled", "queued SILENT"]


def submitted_by(consortium, sender, data):
    """Whether something that a node sends to the settlement contract comes to anything."""
    address = consortium.contracts.settlement.address
    return consortium.nodes[sender].outbox.send("mine", address, data).succeeded


def test_party_that_submits_first_what_all_have_signed_settles_nothing():
    consortium = small_consortium(GROSS)
    capture(consortium, trades_of(consortium.network, RING[0]))
    settlement, came_to_something = consortium.contracts.settlement, []

    def submit_first(signed):
        [instruction] = signed.set.instructions
        tries = (
            settlement.settle_set_data(signed.set, signed.signatures),
            settlement.settle_instruction_data(instruction, *signed.signatures),
            settlement.settle_instruction_data(instruction, *reversed(signed.signatures)),
        )
        senders = ("A", "B", "BANK-1", "REGISTRAR")
        came_to_something.extend(
            submitted_by(consortium, sender, data) for sender in senders for data in tries
        )

    answering(consortium, "REGISTRAR", SignedSet, submit_first)
    consortium.clearing_house.desk.work()

    assert came_to_something == [False] * 12
    assert states(consortium) == ["settled"]


def reverted_at_first(consortium, register, owner, amount):
    """Keeps what is signed first, and holds the owner's balance on the chain just before it."""
    seen, contract = [], register_of(consortium, register)
    account, trader = consortium.network.account_number(owner), consortium.trader(owner)

    def hold(signed):
        if not seen:
            trader.outbox.send("hold", contract.address, contract.hold_data(1, account, amount))
        seen.append(signed)

    def release():
        trader.outbox.send("release", contract.address, contract.release_data(1, account, amount))
        consortium.catch_up()

    answering(consortium, "REGISTRAR", SignedSet, hold)
    return seen, release


def register_of(consortium, register):
    contracts = consortium.contracts
    return contracts.cash if register is Register.CASH else contracts.securities


def test_payment_that_reverted_and_was_cancelled_is_not_settled_by_its_payee():
    consortium = small_consortium(Rules())
    desk, settlement = consortium.clearing_house.desk, consortium.contracts.settlement
    seen, release = reverted_at_first(consortium, Register.CASH, "A", 10_000)
    assert enter(consortium, "PAY", "B", "A", 0, 700) is None
    desk.work()
    assert desk.get("PAY").state is State.QUEUED
    assert desk.cancel("PAY", "A") is None
    release()

    first = seen[0]
    whole = settlement.settle_set_data(first.set, first.signatures)
    alone = settlement.settle_instruction_data(
        first.set.instructions[0], NO_SIGNATURE, first.signatures[0]
    )

    assert not submitted_by(consortium, "B", whole)
    assert not submitted_by(consortium, "B", alone)
    assert balances(consortium)[Register.CASH]["A"] == 10_000


def test_part_that_reverted_and_the_sides_settled_between_themselves_counts():
    rules = Rules(partial=True, partial_minimum_cash_share=1)
    consortium = small_consortium(rules, shares={"A": 40, "B": 0, "C": 0})
    desk, settlement = consortium.clearing_house.desk, consortium.contracts.settlement
    seen, release = reverted_at_first(consortium, Register.SECURITIES, "A", 30)
    assert enter(consortium, "P", "A", "B", 100, 1_000, may_be_partial=True) is None
    desk.work()
    assert desk.get("P").parts == 0

    release()
    [part] = seen[0].set.instructions
    digest = consortium.clearing_house.settlement_domain().digest(part.struct_hash())
    signatures = [consortium.nodes[side].key.sign(digest) for side in "AB"]
    data = settlement.settle_instruction_data(part, *signatures)
    assert submitted_by(consortium, "B", data)
    consortium.catch_up()
    give(consortium, "A", Register.SECURITIES, 60, "the rest")
    desk.work()
    desk.work()

    settled = desk.get("P")
    assert (settled.state, settled.parts) == (State.SETTLED, 2)
    assert balances(consortium)[Register.SECURITIES] == {"A": 0, "B": 100, "C": 0}
    assert balances(consortium)[Register.CASH]["A"] == 11_000


def refuse(_):
    raise PermissionError("not by me")


def have_no_room(_):
    raise StorageError("no room on my disk")


@pytest.mark.parametrize("answer", [refuse, have_no_room])
@pytest.mark.parametrize("message", [AffirmationRequest, CycleProposal])
def test_party_that_refuses_or_has_no_room_stops_nobody_else(answer, message):
    consortium = small_consortium()
    answering(consortium, "A", message, answer)
    capture(consortium, trades_of(consortium.network, *RING))

    assert consortium.clearing_house.net.close().state == SETTLED
    assert consortium.reconcile() == 0
    consortium.close()


@pytest.mark.parametrize("answer", [refuse, have_no_room])
@pytest.mark.parametrize("keeper", ["BANK-1", "REGISTRAR"])
def test_keeper_that_refuses_a_statement_is_as_one_that_is_away(answer, keeper):
    consortium = small_consortium(cash={"A": 1_000})
    answering(consortium, keeper, StatementRequest, answer)

    assert consortium.reconcile() == 0
    consortium.close()
