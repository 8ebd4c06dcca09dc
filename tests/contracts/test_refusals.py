"""Each refusal of the contracts once, in the words of the table; and that nothing moved."""

import pytest

from contracts.abi import Array, encode_call, uint
from contracts.clients.participants import Admission, Participants
from contracts.clients.registers import Securities
from contracts.clients.settlement import NO_SIGNATURE
from contracts.deployment import participants_init_code, securities_init_code
from contracts.typed_data import InstructionMessage, RedemptionMessage
from ledger.chain.rpc.errors import revert_text
from ledger.domain.reasons import revert_texts
from ledger.model.settlement import ModelCycle
from nodes.keys import Key
from tests.support.twins import START, Sender, Twins, lines_of, new_chain, ref

SUPPLY_MAX = 2**63 - 1
seen: set[str] = set()


@pytest.fixture
def twins():
    built = Twins()
    seller, buyer = built.brokers[:2]
    built.issue(built.registrar, ref("shares"), [(1, seller.house, 100)], is_cash=False)
    built.issue(built.actor(buyer.bank), ref("cash"), [(1, buyer.house, 1_000)], is_cash=True)
    return built


def refuse(text, found):
    seen.add(found)
    assert found == text


def instruction(twins, **changes):
    seller, buyer = twins.brokers[:2]
    terms = {
        "id": ref("i"),
        "deliverer": seller.house,
        "receiver": buyer.house,
        "instrument": 1,
        "quantity": 10,
        "currency": 1,
        "amount": 100,
        "rule_version": 1,
        "deadline": START + 10,
    }
    return InstructionMessage(**(terms | changes))


def cycle(twins, **changes):
    seller, buyer = (broker.number for broker in twins.brokers[:2])
    terms = {
        "id": ref("c"),
        "root": ref("root"),
        "count": 1,
        "rule_version": 1,
        "deadline": START + 10,
        "parties": [seller, buyer],
        "securities_lines": [(1, seller << 8, -10), (1, buyer << 8, 10)],
        "cash_lines": [(1, seller << 8, 100), (1, buyer << 8, -100)],
        "signers": [seller, buyer],
    }
    return ModelCycle(**(terms | changes))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"rule_version": 2}, "settlement: other rule version"),
        ({"deadline": START - 1}, "settlement: late"),
        ({"quantity": 0, "amount": 0}, "settlement: nothing to settle"),
        ({"deliverer": 99 << 8}, "participants: unknown"),
        ({"quantity": 101}, "holdings: short"),
        ({"amount": 1_001}, "holdings: short"),
        ({"instrument": 4}, "holdings: unknown asset"),
    ],
)
def test_instruction_is_refused(twins, changes, text):
    refuse(
        text,
        twins.settle_instruction(
            twins.house, instruction(twins, **changes), tuple(twins.brokers[:2])
        ),
    )
    twins.check_balances()


def test_instruction_settles_at_its_deadline_and_not_a_second_later(twins):
    twins.clock.now = START + 10
    sides = tuple(twins.brokers[:2])

    assert twins.settle_instruction(twins.house, instruction(twins), sides) == ""

    twins.clock.now += 1
    refuse(
        "settlement: late",
        twins.settle_instruction(twins.house, instruction(twins, id=ref("j")), sides),
    )


def test_instruction_settles_once(twins):
    sides = tuple(twins.brokers[:2])
    assert twins.settle_instruction(twins.house, instruction(twins), sides) == ""

    later = instruction(twins, deadline=START + 99)
    for again in (instruction(twins), later):
        refuse("settlement: settled before", twins.settle_instruction(twins.house, again, sides))


def test_stranger_cannot_use_up_the_id_of_an_instruction(twins):
    seller, buyer, stranger = twins.brokers[:3]
    twins.issue(twins.registrar, ref("more"), [(1, stranger.house, 5)], is_cash=False)
    mine = {"deliverer": stranger.house, "receiver": stranger.house, "quantity": 1, "amount": 0}
    burning = instruction(twins, **mine)
    assert twins.settle_instruction(stranger, burning, (stranger, stranger)) == ""

    assert twins.settle_instruction(twins.house, instruction(twins), (seller, buyer)) == ""

    settlement = twins.contracts.settlement
    assert settlement.is_settled(instruction(twins).terms_hash())
    assert not settlement.is_settled(instruction(twins, id=ref("j")).terms_hash())


def test_instruction_needs_the_signature_of_each_debtor(twins):
    seller = twins.brokers[0]

    refuse(
        "settlement: not signed by the party",
        twins.settle_instruction(twins.house, instruction(twins), (seller, seller)),
    )


def test_free_delivery_needs_the_deliverer_alone(twins):
    seller = twins.brokers[0]

    assert (
        twins.settle_instruction(twins.house, instruction(twins, amount=0), (seller, seller)) == ""
    )


def test_debtor_that_submits_need_not_sign(twins):
    seller, buyer = twins.brokers[:2]

    assert twins.settle_instruction(seller, instruction(twins), (twins.house, buyer)) == ""


def test_forged_signature_is_refused(twins):
    buyer, message = twins.brokers[1], instruction(twins)
    digest = twins.settlement_domain().digest(message.struct_hash())
    settlement = twins.contracts.settlement
    high_s = uint(1) + uint(2**255 - 1)

    for forged, text in (
        (high_s, "signatures: high s"),
        (NO_SIGNATURE, "signatures: not recoverable"),
    ):
        data = settlement.settle_instruction_data(message, forged, buyer.key.sign(digest))
        receipt = twins.sender(twins.house).send(settlement.address, data)
        refuse(text, revert_text(receipt.output))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"rule_version": 2}, "settlement: other rule version"),
        ({"deadline": START - 1}, "settlement: late"),
        ({"count": 0}, "settlement: empty cycle"),
        (
            {"parties": [], "signers": [], "securities_lines": [], "cash_lines": []},
            "settlement: no parties",
        ),
        (
            {"securities_lines": [(1, 5 << 8, -1), (1, 1_024 << 8, 1)]},
            "holdings: unknown participant",
        ),
        ({"signers": [5]}, "settlement: signatures missing"),
        ({"signers": [5, 5]}, "settlement: not signed by the party"),
        ({"parties": [6, 5], "signers": [6, 5]}, "settlement: parties out of order"),
        ({"parties": [5, 5], "signers": [5, 5]}, "settlement: parties out of order"),
        ({"parties": [5], "signers": [5]}, "settlement: line of a stranger"),
        ({"securities_lines": [(1, 5 << 8, -10), (1, 6 << 8, 9)]}, "holdings: not zero-sum"),
        (
            {"securities_lines": [(1, 5 << 8, -10), (2, 6 << 8, 10)]},
            "holdings: not zero-sum",
        ),
        ({"securities_lines": [(1, 6 << 8, 10), (1, 5 << 8, -10)]}, "holdings: lines out of order"),
        (
            {"securities_lines": [(1, 5 << 8, -5), (1, 5 << 8, -5), (1, 6 << 8, 10)]},
            "holdings: lines out of order",
        ),
        ({"securities_lines": [(1, 5 << 8, -101), (1, 6 << 8, 101)]}, "holdings: short"),
        ({"cash_lines": [(1, 5 << 8, 1_001), (1, 6 << 8, -1_001)]}, "holdings: short"),
        ({"cash_lines": [(1, 5 << 8, 0)]}, "holdings: no amount"),
    ],
)
def test_cycle_is_refused_whole(twins, changes, text):
    refuse(text, twins.settle_cycle(twins.house, cycle(twins, **changes)))
    twins.check_balances()


def test_cycle_settles_once(twins):
    assert twins.settle_cycle(twins.house, cycle(twins)) == ""

    refuse("settlement: cycle id in use", twins.settle_cycle(twins.house, cycle(twins)))


def test_cycle_is_submitted_by_the_clearing_house_alone(twins):
    refuse(
        "settlement: not the clearing house",
        twins.settle_cycle(twins.brokers[0], cycle(twins)),
    )


def test_suspended_party_settles_nothing_until_it_is_reinstated(twins):
    seller, buyer = twins.brokers[:2]
    assert twins.suspend(twins.house, seller.number, reinstate=False) == ""

    refuse("participants: suspended", twins.settle_cycle(twins.house, cycle(twins)))
    refuse(
        "participants: suspended",
        twins.settle_instruction(twins.house, instruction(twins), (seller, buyer)),
    )

    assert twins.suspend(twins.house, seller.number, reinstate=True) == ""
    refuse("participants: not suspended", twins.suspend(twins.house, seller.number, reinstate=True))
    assert twins.settle_cycle(twins.house, cycle(twins)) == ""


def opened(twins, **changes):
    """A cycle that is open with nothing staged."""
    each = cycle(twins, **changes)
    assert twins.open_cycle(twins.house, each) == ""
    return each


def staged(twins, **changes):
    """A cycle whose lines are all staged."""
    each = opened(twins, **changes)
    for lines, is_cash in ((each.securities_lines, False), (each.cash_lines, True)):
        if lines:
            assert twins.stage(twins.house, each.id, lines, is_cash=is_cash) == ""
    return each


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"rule_version": 2}, "settlement: other rule version"),
        ({"deadline": START - 1}, "settlement: late"),
        ({"count": 0}, "settlement: empty cycle"),
        ({"parties": [], "signers": []}, "settlement: no parties"),
        ({"signers": [5]}, "settlement: signatures missing"),
        ({"signers": [5, 5]}, "settlement: not signed by the party"),
    ],
)
def test_cycle_is_not_opened_unless_it_could_settle(twins, changes, text):
    refuse(text, twins.open_cycle(twins.house, cycle(twins, **changes)))


def test_cycle_is_staged_by_the_clearing_house_alone(twins):
    outsider = twins.brokers[0]
    refuse("settlement: not the clearing house", twins.open_cycle(outsider, cycle(twins)))
    each = opened(twins)
    lines = each.securities_lines
    for answer in (
        twins.stage(outsider, each.id, lines, is_cash=False),
        twins.stage(outsider, each.id, each.cash_lines, is_cash=True),
        twins.settle_staged(outsider, each.id, each.parties),
        twins.abort(outsider, each.id),
    ):
        refuse("settlement: not the clearing house", answer)


def test_one_cycle_is_open_at_a_time(twins):
    opened(twins)

    refuse(
        "settlement: another cycle is open",
        twins.open_cycle(twins.house, cycle(twins, id=ref("d"))),
    )


def test_nothing_is_staged_settled_or_aborted_but_the_open_cycle(twins):
    each = cycle(twins)
    for id in (each.id, bytes(32)):
        for answer in (
            twins.stage(twins.house, id, each.securities_lines, is_cash=False),
            twins.settle_staged(twins.house, id, each.parties),
            twins.abort(twins.house, id),
        ):
            refuse("settlement: cycle not open", answer)


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ([(1, 6 << 8, 10), (1, 5 << 8, -10)], "holdings: lines out of order"),
        ([(1, 5 << 8, -101)], "holdings: short"),
        ([(1, 5 << 8, 0)], "holdings: no amount"),
        ([(1, 5 << 8, -10), (2, 6 << 8, 10)], "holdings: not zero-sum"),
        ([(1, 7 << 8, 10)], "settlement: line of a stranger"),
        ([(1, 1_024 << 8, 10)], "holdings: unknown participant"),
    ],
)
def test_part_is_refused_whole(twins, lines, text):
    each = opened(twins)

    refuse(text, twins.stage(twins.house, each.id, lines, is_cash=False))
    twins.check_balances()


def test_parts_go_on_where_the_last_one_ended(twins):
    each = opened(twins)
    assert twins.stage(twins.house, each.id, [(1, 5 << 8, -10)], is_cash=False) == ""

    for lines, text in (
        ([(1, 5 << 8, -10)], "holdings: lines out of order"),
        ([(2, 5 << 8, 1)], "holdings: not zero-sum"),
    ):
        refuse(text, twins.stage(twins.house, each.id, lines, is_cash=False))


@pytest.mark.parametrize("lines", [[(1, 5 << 8, -9), (1, 6 << 8, 9)], []])
def test_only_the_lines_that_were_signed_settle(twins, lines):
    each = opened(twins)
    if lines:
        assert twins.stage(twins.house, each.id, lines, is_cash=False) == ""
    assert twins.stage(twins.house, each.id, each.cash_lines, is_cash=True) == ""

    refuse(
        "settlement: other lines than signed",
        twins.settle_staged(twins.house, each.id, each.parties),
    )
    twins.check_balances()


def test_lines_settle_in_the_parts_in_which_they_were_signed(twins):
    each = opened(twins)
    for line in each.securities_lines:
        assert twins.stage(twins.house, each.id, [line], is_cash=False) == ""
    assert twins.stage(twins.house, each.id, each.cash_lines, is_cash=True) == ""

    refuse(
        "settlement: other lines than signed",
        twins.settle_staged(twins.house, each.id, each.parties),
    )


def test_staged_cycle_settles_for_the_parties_that_signed(twins):
    each = staged(twins)

    refuse(
        "settlement: other parties than signed",
        twins.settle_staged(twins.house, each.id, [5]),
    )
    assert twins.suspend(twins.house, 5, reinstate=False) == ""
    refuse("participants: suspended", twins.settle_staged(twins.house, each.id, each.parties))


def test_staged_lines_that_do_not_add_up_never_settle_though_all_signed(twins):
    each = staged(twins, securities_lines=[(1, 5 << 8, -10), (1, 6 << 8, 9)])

    refuse("holdings: not zero-sum", twins.settle_staged(twins.house, each.id, each.parties))
    assert twins.abort(twins.house, each.id) == ""
    twins.check_balances()


def test_staged_cycle_settles_at_its_deadline_and_not_a_second_later(twins):
    each = staged(twins)
    twins.clock.now = each.deadline + 1

    refuse("settlement: late", twins.settle_staged(twins.house, each.id, each.parties))
    assert twins.abort(twins.brokers[3], each.id) == ""
    twins.check_balances()


def test_cycle_settles_once_whether_in_one_call_or_in_parts(twins):
    each = staged(twins)
    assert twins.settle_cycle(twins.house, cycle(twins)) == ""

    refuse("settlement: cycle id in use", twins.settle_staged(twins.house, each.id, each.parties))
    assert twins.abort(twins.house, each.id) == ""
    refuse("settlement: cycle id in use", twins.open_cycle(twins.house, each))


def test_only_the_clearing_house_suspends(twins):
    refuse(
        "participants: not the clearing house",
        twins.suspend(twins.registrar, 5, reinstate=False),
    )


def test_line_with_stray_bits_is_refused(twins):
    chain, key = twins.chain, Key.of_seed("twins", "registrar of another register")
    sender = Sender(chain, key)
    address = sender.send(
        None, securities_init_code(twins.contracts.addresses.participants)
    ).contract
    register = Securities(twins.w3, address)
    assert sender.send(address, register.bind_settlement_data(key.address)).succeeded
    stray = Array.of_numbers([(1 << 128) | (1 << 96) | (5 << 72) | 5])

    for call in (
        encode_call("book(bytes32,uint256[])", ref("x"), stray),
        encode_call("stage(bytes32,uint256,uint256[])", ref("x"), uint(1), stray),
        encode_call("move(bytes32,uint256[])", ref("x"), Array.of_numbers([1 << 159])),
    ):
        receipt = sender.send(address, call)
        refuse("holdings: malformed line", revert_text(receipt.output))


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ([(1, 5 << 8, -1)], "holdings: debit in an issue"),
        ([(1, 5 << 8, 0)], "holdings: no amount"),
        ([(4, 5 << 8, 1)], "holdings: unknown asset"),
        ([(1, 99 << 8, 1)], "participants: unknown"),
        ([(2, 5 << 8, 1), (1, 5 << 8, 1)], "holdings: lines out of order"),
        ([(1, 5 << 8, SUPPLY_MAX - 99)], "holdings: issue above the cap"),
    ],
)
def test_issue_is_refused(twins, lines, text):
    data = twins.contracts.securities.issue_data(ref("x"), lines_of(lines))
    receipt = twins.sender(twins.registrar).send(twins.contracts.addresses.securities, data)

    refuse(text, revert_text(receipt.output))


def test_as_much_may_be_issued_as_the_cap_allows(twins):
    assert (
        twins.issue(twins.registrar, ref("x"), [(1, 5 << 8, SUPPLY_MAX - 100)], is_cash=False) == ""
    )


def test_reference_is_used_once(twins):
    refuse(
        "holdings: reference in use",
        twins.issue(twins.registrar, ref("shares"), [(1, 5 << 8, 1)], is_cash=False),
    )


def test_only_issuers_issue(twins):
    line = [(1, 5 << 8, 1)]
    refuse("securities: not the registrar", twins.issue(twins.house, ref("x"), line, is_cash=False))
    refuse("cash: not a bank", twins.issue(twins.house, ref("x"), line, is_cash=True))
    refuse(
        "cash: not the settlement bank", twins.issue(twins.actor(4), ref("x"), line, is_cash=True)
    )


def test_redemption_needs_the_owner(twins):
    redemption = RedemptionMessage(ref("r"), 1, 5 << 8, 10)

    refuse(
        "register: not signed by the owner",
        twins.redeem(twins.registrar, redemption, twins.house, is_cash=False),
    )
    assert twins.redeem(twins.registrar, redemption, twins.actor(5), is_cash=False) == ""


def test_only_the_owner_holds_and_releases(twins):
    hold = {"is_cash": False, "release": False}
    refuse("register: not the owner", twins.hold(twins.house, 1, 5 << 8, 10, **hold))
    assert twins.hold(twins.actor(5), 1, 5 << 8, 60, **hold) == ""
    refuse("holdings: short", twins.hold(twins.actor(5), 1, 5 << 8, 41, **hold))
    refuse(
        "holdings: not held",
        twins.hold(twins.actor(5), 1, 5 << 8, 61, is_cash=False, release=True),
    )


def test_account_number_that_would_alias_another_is_refused(twins):
    data = twins.contracts.securities.hold_data((1 << 224) | 1, 5 << 8, 1)
    receipt = twins.sender(twins.actor(5)).send(twins.contracts.addresses.securities, data)
    refuse("holdings: unknown asset", revert_text(receipt.output))


def test_registers_are_closed_to_everybody_but_settlement(twins):
    securities = twins.contracts.securities.address
    for data in (
        encode_call("book(bytes32,uint256[])", ref("x"), Array.of_numbers([])),
        encode_call("stage(bytes32,uint256,uint256[])", ref("x"), uint(1), Array.of_numbers([])),
        encode_call("book_staged(bytes32,uint256)", ref("x"), uint(1)),
        encode_call("drop_staged(bytes32,uint256)", ref("x"), uint(1)),
        encode_call("move(bytes32,uint256[])", ref("x"), Array.of_numbers([])),
        encode_call(
            "transfer(bytes32,uint256,uint256,uint256,uint256)",
            ref("x") + uint(1) + uint(5 << 8) + uint(6 << 8) + uint(1),
        ),
    ):
        receipt = twins.sender(twins.house).send(securities, data)
        refuse("register: not the settlement contract", revert_text(receipt.output))
    receipt = twins.sender(twins.house).send(
        securities, twins.contracts.securities.bind_settlement_data(bytes(20))
    )
    refuse("register: not the deployer", revert_text(receipt.output))


def test_instrument_is_registered_once_and_by_the_registrar(twins):
    securities = twins.contracts.securities
    for isins, sender, text in (
        (["US0378331005"], twins.registrar, "holdings: asset code in use"),
        ([""], twins.registrar, "holdings: no asset code"),
        (["DE0005140008"], twins.house, "securities: not the registrar"),
    ):
        receipt = twins.sender(sender).send(
            securities.address, securities.register_instruments_data(isins)
        )
        refuse(text, revert_text(receipt.output))


def test_administration_ends_for_good(twins):
    deployer = Sender(twins.chain, Key.of_seed("twins", "deployer"))
    admission = Admission("NEW", b"\x01" * 20, "broker", 3)
    participants = twins.contracts.participants

    assert participants.administrator() == bytes(20)
    for data in (
        participants.admit_data([admission]),
        participants.renounce_administration_data(),
    ):
        receipt = deployer.send(participants.address, data)
        refuse("participants: not the administrator", revert_text(receipt.output))


@pytest.mark.parametrize(
    ("admission", "text"),
    [
        (Admission("A", b"\x01" * 20, "broker", 0), "participants: identifier in use"),
        (Admission("B", b"\x02" * 20, "broker", 0), "participants: signer in use"),
        (Admission("B", bytes(20), "broker", 0), "participants: no signer"),
        (Admission("", b"\x03" * 20, "broker", 0), "participants: no identifier"),
    ],
)
def test_participant_is_admitted_once(admission, text):
    chain = new_chain()
    deployer = Sender(chain, Key.of_seed("twins", "deployer"))
    address = deployer.send(None, participants_init_code()).contract
    participants = Participants(None, address)  # type: ignore[arg-type] # nothing is read
    first = Admission("A", b"\x02" * 20, "broker", 0)
    assert deployer.send(address, participants.admit_data([first])).succeeded

    receipt = deployer.send(address, participants.admit_data([admission]))

    refuse(text, revert_text(receipt.output))


# Not provoked: bounds that no test can reach in reasonable time, and another chain's id.
OUT_OF_REACH = {
    "holdings: full",
    "participants: full",
    "register: no settlement contract",
    "signatures: other chain",
    "holdings: unknown account",
}


# Provoked in test_sets.py.
BY_SETS = {"holdings: overflow", "settlement: amount above the cap", "settlement: empty set"}


def test_nothing_is_included_in_a_cycle_that_has_not_settled(twins):
    inclusion = twins.contracts.inclusion
    data = inclusion.included_data(ref("never"), 0, 1, bytes(32), bytes(88), [])

    receipt = twins.sender(twins.house).send(inclusion.address, data)

    refuse("inclusion: cycle has not settled", revert_text(receipt.output))


def test_every_refusal_was_provoked():
    assert revert_texts() - seen - OUT_OF_REACH - BY_SETS == set()
