"""What a signature binds to: one content, until it settles or can settle no more."""

from dataclasses import replace

import numpy as np
import pytest

from contracts.abi import Array
from contracts.clients.settlement import NO_SIGNATURE
from contracts.lines import Lines
from contracts.typed_data import InstructionMessage, RedemptionMessage, SetMessage
from ledger.books.cycles import ABANDONED, SETTLED
from ledger.books.postings import Cause, Origin, Register
from ledger.domain.accounts import holding_key
from ledger.domain.reasons import Reason
from nodes.bus import UnreachableError
from nodes.clock import SimulatedClock
from nodes.founding import open_consortium
from nodes.invariants import violations
from nodes.messages import CycleProposal, SignedCycle, SignedSet
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

RING = (("T1", "A", "B", 10, 1_000), ("T2", "B", "C", 10, 1_000), ("T3", "C", "A", 10, 900))
REFERENCE = b"r" * 32


def breaks_of(consortium):
    found = [row for node in consortium.nodes.values() for row in node.breaks()]
    return [(row.owner, row.kind.value) for row in found]


def lines(consortium, owner, amount):
    key = holding_key(1, consortium.network.account_number(owner))
    return Lines(np.array([key]), np.array([amount]))


def deposit(consortium, owner, register, amount, reference=REFERENCE):
    """An issue that its owner has asked for; the refusal, if any."""
    keeper = consortium.keeper(register, owner)
    mine = lines(consortium, owner, amount)
    refusal = consortium.trader(owner).expect_deposit(reference, register, mine)
    refusal = refusal or keeper.issue(reference, mine)
    consortium.catch_up()
    return refusal


def withdraw(consortium, owner, register, amount, reference=REFERENCE):
    """A redemption that its owner has agreed to; the refusal, if any."""
    account = consortium.network.account_number(owner)
    redemption = RedemptionMessage(reference, 1, account, amount)
    refusal = consortium.trader(owner).mandate_redemption(register, redemption)
    refusal = refusal or consortium.keeper(register, owner).redeem(redemption)
    consortium.catch_up()
    return refusal


def available(consortium, owner, register):
    key = holding_key(1, consortium.network.account_number(owner))
    return consortium.clearing_house.projection.holding(register, key)[0]


def silent_once(consortium, participant):
    honest, missed = consortium.nodes[participant].handle, []

    def answer(message):
        if not missed:
            missed.append(message)
            raise UnreachableError("once")
        return honest("CLEARING-HOUSE", message)

    answering(consortium, participant, CycleProposal, answer)


def test_trades_of_an_abandoned_cycle_settle_in_the_next():
    consortium = small_consortium(replace(NET, recuts_max=0))
    capture(consortium, trades_of(consortium.network, *RING))
    silent_once(consortium, "C")

    first = consortium.clearing_house.net.close()
    second = consortium.clearing_house.net.close()

    assert (first.state, second.state) == (ABANDONED, SETTLED)
    assert first.id == second.id
    assert states(consortium) == ["settled"] * 3
    assert consortium.reconcile() == 0


def test_cycle_that_failed_on_the_chain_is_followed_by_one_that_settles():
    consortium = small_consortium()
    capture(consortium, trades_of(consortium.network, *RING))
    debtor, house = consortium.trader("C"), consortium.clearing_house
    settlement = consortium.contracts.cash
    account = consortium.network.account_number("C")

    def hold_everything(_):
        data = settlement.hold_data(1, account, 10_000)
        assert debtor.outbox.send("hold", settlement.address, data).succeeded

    answering(consortium, "BANK-1", SignedCycle, hold_everything)
    first = house.net.close()
    assert first.state == ABANDONED
    data = settlement.release_data(1, account, 10_000)
    assert debtor.outbox.send("release", settlement.address, data).succeeded
    consortium.catch_up()
    consortium.bus.register("BANK-1", consortium.nodes["BANK-1"].handle)

    assert house.net.close().state == SETTLED
    assert states(consortium) == ["settled"] * 3
    assert consortium.reconcile() == 0
    assert violations(consortium) == []


def test_unsigned_cycle_neither_settles_nor_touches_books():
    consortium = small_consortium()
    capture(consortium, trades_of(consortium.network, *RING))
    house, settlement = consortium.clearing_house, consortium.contracts.settlement
    honest, forged = consortium.nodes["C"].handle, []

    def forge_first(message):
        nothing = Array.of_numbers([])
        bare = replace(message.cycle, parties=nothing, securities_lines=nothing, cash_lines=nothing)
        data = settlement.settle_cycle_data(bare, [])
        forged.append(house.outbox.send("bare", settlement.address, data))
        consortium.catch_up()
        return honest("CLEARING-HOUSE", message)

    answering(consortium, "C", CycleProposal, forge_first)

    assert house.net.close().state == SETTLED
    assert [outcome.revert for outcome in forged] == ["settlement: no parties"]
    assert states(consortium) == ["settled"] * 3
    assert consortium.reconcile() == 0


def test_restart_remembers_what_was_promised_and_what_has_settled(tmp_path):
    consortium = small_consortium(replace(NET, recuts_max=0), path=tmp_path)
    capture(consortium, trades_of(consortium.network, *RING))
    silent_once(consortium, "C")
    consortium.clearing_house.net.close()
    consortium.close()

    rules = replace(NET, recuts_max=0)
    again = open_consortium(small_network(), rules, SimulatedClock.at(DAY), tmp_path)
    assert again.clearing_house.net.close().state == SETTLED
    again.close()

    last = open_consortium(small_network(), rules, SimulatedClock.at(DAY), tmp_path)
    assert last.reconcile() == 0
    everything, now = np.arange(2), last.clock.chain_time()
    free = last.trader("A").blotter.is_free(everything, Cause(Origin.INSTRUCTION, b"x"), now)
    assert not free.any()
    last.close()


def test_stranger_that_uses_the_id_of_an_instruction_changes_nothing_for_its_parties():
    consortium = small_consortium(GROSS, shares={"A": 0, "B": 0, "C": 5})
    network, settlement = consortium.network, consortium.contracts.settlement
    capture(consortium, trades_of(network, RING[0]))
    account = network.account_number("C")
    [row] = consortium.clearing_house.desk.instructions()
    burning = InstructionMessage(row.id, account, account, 1, 1, 1, 0, 1, 2**40)
    data = settlement.settle_instruction_data(burning, NO_SIGNATURE, NO_SIGNATURE)
    assert consortium.trader("C").outbox.send("burn", settlement.address, data).succeeded
    consortium.catch_up()

    assert deposit(consortium, "A", Register.SECURITIES, 10) is None
    consortium.clearing_house.desk.work()
    consortium.catch_up()

    assert states(consortium) == ["settled"]
    assert consortium.reconcile() == 0
    assert violations(consortium) == []


def test_issue_under_the_same_reference_by_another_bank_is_not_what_was_expected():
    consortium = small_consortium()
    wanted = lines(consortium, "A", 50)
    consortium.trader("A").expect_deposit(REFERENCE, Register.CASH, wanted)
    assert deposit(consortium, "B", Register.CASH, 7) is None

    assert consortium.bank("BANK-1").keeper.issue(REFERENCE, wanted).reason is Reason.DUPLICATE

    consortium.catch_up()
    assert consortium.reconcile() == 0
    assert available(consortium, "A", Register.CASH) == 10_000


def test_mandate_for_cash_destroys_no_shares():
    consortium = small_consortium()
    account = consortium.network.account_number("A")
    redemption = RedemptionMessage(REFERENCE, 1, account, 50)
    assert consortium.trader("A").mandate_redemption(Register.CASH, redemption) is None

    assert consortium.registrar.keeper.redeem(redemption).reason is Reason.DISPUTED
    assert consortium.bank("BANK-1").keeper.redeem(redemption) is None

    consortium.catch_up()
    assert available(consortium, "A", Register.SECURITIES) == 100
    assert available(consortium, "A", Register.CASH) == 9_950


def test_same_issue_again_changes_nothing_and_another_one_is_refused():
    consortium = small_consortium()

    assert deposit(consortium, "A", Register.CASH, 10) is None
    assert deposit(consortium, "A", Register.CASH, 10) is None
    assert deposit(consortium, "A", Register.CASH, 500).reason is Reason.DUPLICATE
    assert deposit(consortium, "C", Register.CASH, 7).reason is Reason.DUPLICATE
    assert deposit(consortium, "B", Register.CASH, 7).reason is Reason.DUPLICATE
    assert deposit(consortium, "A", Register.SECURITIES, 3) is None

    assert available(consortium, "A", Register.CASH) == 10_010
    assert available(consortium, "A", Register.SECURITIES) == 103
    assert consortium.reconcile() == 0


def test_reference_of_a_refused_redemption_is_not_used_for_another():
    consortium = small_consortium()

    assert withdraw(consortium, "A", Register.CASH, 10_001).reason is Reason.MONY
    assert withdraw(consortium, "A", Register.CASH, 10).reason is Reason.DUPLICATE
    assert deposit(consortium, "A", Register.CASH, 10).reason is Reason.DUPLICATE

    assert available(consortium, "A", Register.CASH) == 10_000
    assert consortium.reconcile() == 0


def test_same_redemption_again_changes_nothing():
    consortium = small_consortium()

    assert withdraw(consortium, "A", Register.CASH, 9_000) is None
    assert withdraw(consortium, "A", Register.CASH, 9_000) is None

    assert available(consortium, "A", Register.CASH) == 1_000
    assert consortium.reconcile() == 0


def test_owner_that_does_not_answer_redeems_nothing():
    consortium = small_consortium()
    consortium.bus.silence("A")

    assert withdraw(consortium, "A", Register.CASH, 10).reason is Reason.SILENT


@pytest.mark.parametrize("sender", ["C", "CLEARING-HOUSE"])
@pytest.mark.parametrize("recipient", ["A", "BANK-1", "REGISTRAR"])
def test_instruction_without_legs_or_from_a_stranger_is_not_taken(sender, recipient):
    consortium = small_consortium(GROSS)
    network = consortium.network
    capture(consortium, trades_of(network, RING[0]))
    [row] = consortium.clearing_house.desk.instructions()
    a, b = network.account_number("A"), network.account_number("B")
    empty = InstructionMessage(row.id, a, b, 1, 0, 1, 0, 1, 0)

    nobodys = SetMessage(b"s" * 32, (empty,), (), (a >> 8, b >> 8), 1, 0)

    with pytest.raises(PermissionError, match=r"without legs|is not the clearing_house"):
        consortium.bus.request(sender, recipient, SignedSet(nobodys, ()))

    consortium.clearing_house.desk.work()
    assert (states(consortium), consortium.reconcile()) == (["settled"], 0)


def test_consent_to_a_redemption_is_for_the_keeper_alone():
    consortium = small_consortium()
    account = consortium.network.account_number("A")
    redemption = RedemptionMessage(REFERENCE, 1, account, 50)
    consortium.trader("A").mandate_redemption(Register.CASH, redemption)
    stranger = consortium.bank("BANK-2")
    stranger.keeper._is_kept[consortium.network.participant_number("A")] = True

    refusal = stranger.keeper.redeem(redemption)

    assert refusal.reason is Reason.UNSIGNED
    assert "keeps no cash of A" in refusal.detail
