"""A clearing house that lies about instructions and sets: no trader signs, nobody's money moves."""

from dataclasses import replace
from itertools import count

import pytest

from contracts.typed_data import SetMessage
from ledger.books.postings import Register
from ledger.domain.accounts import participant_of
from ledger.domain.instructions import Priority, State
from ledger.domain.rules import Rules
from ledger.settlement.parts import share_of_cash
from nodes.consents import BOUND_SECONDS_MAX
from nodes.instruction_terms import instruction_id, part_id
from nodes.messages import Attestation, Disagreement, SetProposal, ShownInstruction
from nodes.network import RULE_VERSION
from nodes.trade_words import describe_trade_id
from tests.support.consortia import GROSS, capture, small_consortium, trades_of
from tests.support.orders import agree, balances, enter, give, terms

PARTIAL = Rules(partial=True, partial_minimum_cash_share=1)
VALID_SECONDS = 60


class Operator:
    """A clearing house that proposes what it likes."""

    def __init__(self, rules=PARTIAL):
        self.consortium = small_consortium(rules)
        self.house = self.consortium.clearing_house
        self._names = count(1)

    @property
    def deadline(self):
        return self.house.around.engine.chain_time() + VALID_SECONDS

    def agreed(self, label, *words, in_parts=False):
        """An instruction that both desks have agreed to, bound to rules and deadline."""
        label = f"{label}-{next(self._names)}"
        message = terms(self.consortium, label, *words)
        agree(self.consortium, message, in_parts=in_parts)
        return self.shown(label, message)

    def shown(self, label, message, **more):
        bound = replace(message, rule_version=RULE_VERSION, deadline=self.deadline)
        return ShownInstruction(bound, label, **more)

    def part(self, label, whole, number, quantity, **changes):
        """A part of a whole that is proposed."""
        unbound = replace(whole, rule_version=0, deadline=0)
        amount = share_of_cash(whole.quantity, whole.amount, quantity)
        message = replace(whole, id=part_id(whole.id, number), quantity=quantity, amount=amount)
        return self.shown(label, replace(message, **changes), whole=unbound)

    def trade(self, *row):
        """The proposal of a captured trade."""
        number, *words = row
        number = f"{number}{next(self._names)}"
        trades = trades_of(self.consortium.network, (number, *words))
        capture(self.consortium, trades)
        name = describe_trade_id(self.consortium.network, trades, 0)
        message = terms(self.consortium, number, *words)
        return self.shown(name, replace(message, id=instruction_id(name)), trade=trades)

    def set_of(self, *proposals, id=b"s" * 32, **changes):
        messages = tuple(each.instruction for each in proposals)
        sides, debtors = set(), set()
        for each in messages:
            for account, owed in ((each.deliverer, each.quantity), (each.receiver, each.amount)):
                sides.add(participant_of(account))
                debtors |= {participant_of(account)} if owed else set()
        message = SetMessage(
            id=id,
            instructions=messages,
            parties=tuple(sorted(debtors)),
            receivers=tuple(sorted(sides - debtors)),
            rule_version=RULE_VERSION,
            deadline=self.deadline,
        )
        return replace(message, **changes)

    def asks_set(self, party, *proposals, **changes):
        """The party's signature of a set, if it gives one."""
        answer = self.answers(party, *proposals, **changes)
        return answer.signature if isinstance(answer, Attestation) else None

    def answers(self, party, *proposals, own=None, **changes):
        """What the party answers when it is asked to sign a set."""
        number = self.consortium.network.participant_number(party)
        owed = [each for each in proposals if number in debtors_of(each.instruction)]
        shown = SetProposal(self.set_of(*proposals, **changes), tuple(owed if own is None else own))
        answer = self.consortium.bus.request(self.house.id, party, shown)
        assert isinstance(answer, Attestation | Disagreement)
        return answer

    def asks(self, party, proposal):
        """The same of a set of one, with the deadline that it claims."""
        return self.asks_set(party, proposal, deadline=proposal.instruction.deadline)

    def pass_time(self, seconds):
        clock = self.consortium.clock
        clock.not_before(clock.chain_time() + seconds)
        give(self.consortium, "C", Register.CASH, 1, "a block")


def debtors_of(message):
    sides = ((message.deliverer, message.quantity), (message.receiver, message.amount))
    return {participant_of(account) for account, owed in sides if owed}


@pytest.fixture(scope="module")
def operator():
    return Operator()


@pytest.fixture
def pair(operator):
    """Two honest instructions, each other way."""
    return (
        operator.agreed("I1", "A", "B", 10, 1_000),
        operator.agreed("I2", "B", "A", 5, 400),
    )


def test_honest_set_is_signed_by_all_its_debtors(operator, pair):
    assert operator.asks_set("A", *pair)
    assert operator.asks_set("B", *pair)


def test_set_with_an_instruction_twice_is_not_signed(operator, pair):
    assert not operator.asks_set("A", pair[0], *pair)


def test_set_with_a_trade_twice_under_two_names_is_not_signed(operator):
    trade = operator.trade("T1", "A", "B", 10, 1_000)
    other = replace(trade, instruction=replace(trade.instruction, id=b"2" * 32))

    assert operator.asks_set("A", trade)
    assert not operator.asks_set("A", trade, other, id=b"t" * 32)
    assert not operator.asks("A", other)


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 999},
        {"amount": 0},
        {"quantity": 11},
        {"quantity": 0},
        {"receiver": 3 << 8},
        {"id": b"x" * 32},
    ],
)
def test_set_with_changed_terms_is_not_signed(operator, pair, change):
    first, second = pair
    changed = replace(first, instruction=replace(first.instruction, **change))
    assert first.instruction != changed.instruction

    for party in "AB":
        owes = operator.consortium.network.participant_number(party)
        if owes in debtors_of(changed.instruction):
            assert not operator.asks_set(party, changed, second)


def test_set_with_changed_terms_of_a_trade_is_not_signed(operator):
    trade = operator.trade("T1", "A", "B", 10, 1_000)
    changed = replace(trade, instruction=replace(trade.instruction, amount=999))

    assert not operator.asks_set("A", changed)
    assert not operator.asks_set("B", changed)


def test_other_instruction_under_an_agreed_label_is_not_signed(operator, pair):
    strange = terms(operator.consortium, "I9", "A", "C", 10, 1)
    assert not operator.asks_set("A", operator.shown("I1", strange))
    assert not operator.asks("A", operator.shown("I1", strange))
    stolen = replace(strange, id=pair[0].instruction.id)
    assert not operator.asks_set("A", operator.shown("I1", stolen))


def test_set_that_shows_less_or_more_than_is_owed_is_not_signed(operator, pair):
    first, second = pair
    assert not operator.asks_set("A", first, second, own=[first])
    assert not operator.asks_set("A", first, second, own=[])
    assert not operator.asks_set("A", first, own=[first, second])


@pytest.mark.parametrize("version", [0, RULE_VERSION + 1])
def test_set_under_another_rule_version_is_not_signed(operator, pair, version):
    assert not operator.asks_set("A", *pair, rule_version=version)


@pytest.mark.parametrize("shift", [-VALID_SECONDS - 1, BOUND_SECONDS_MAX + 1])
def test_set_with_a_deadline_that_is_past_or_too_far_is_not_signed(operator, pair, shift):
    deadline = operator.deadline + shift
    moved = [
        replace(each, instruction=replace(each.instruction, deadline=deadline)) for each in pair
    ]
    assert not operator.asks_set("A", *moved, deadline=deadline)


def test_set_whose_instructions_claim_an_earlier_deadline_is_not_signed(operator):
    trade = operator.trade("T1", "A", "B", 10, 1_000)
    early = replace(trade, instruction=replace(trade.instruction, deadline=0))

    assert not operator.asks_set("A", early)


def test_part_larger_than_what_is_open_is_not_signed(operator):
    whole = operator.agreed("P", "A", "B", 10, 1_000, in_parts=True).instruction

    for quantity in (0, 11, 20):
        amount = share_of_cash(10, 1_000, quantity)
        part = operator.part("P", whole, 1, 4)
        part = replace(
            part, instruction=replace(part.instruction, quantity=quantity, amount=amount)
        )
        assert not operator.asks("A", part)
        assert not operator.asks_set("A", part)
    assert operator.asks("A", operator.part("P", whole, 1, 4))


def test_part_with_another_share_of_the_cash_or_out_of_turn_is_not_signed(operator):
    whole = operator.agreed("P", "A", "B", 10, 1_000, in_parts=True).instruction

    assert not operator.asks("B", operator.part("P", whole, 1, 4, amount=401))
    assert not operator.asks("B", operator.part("P", whole, 2, 4))


@pytest.mark.parametrize("party", ["A", "B"])
@pytest.mark.parametrize("field", ["deliverer", "receiver", "instrument", "currency"])
@pytest.mark.parametrize("quantity", [4, 10])
def test_part_of_other_accounts_or_assets_than_its_whole_is_not_signed(
    operator, party, field, quantity
):
    whole = operator.agreed("P", "A", "B", 10, 1_000, in_parts=True).instruction
    other = {
        "deliverer": operator.consortium.network.account_number("C"),
        "receiver": operator.consortium.network.account_number("C"),
        "instrument": 2,
        "currency": 2,
    }
    lie = operator.part("P", whole, 1, quantity, **{field: other[field]})

    assert not operator.asks(party, lie)
    assert operator.asks(party, operator.part("P", whole, 1, quantity))


def test_free_delivery_in_parts_goes_to_nobody_else():
    operator = Operator()
    whole = operator.agreed("F", "A", "B", 10, 0, in_parts=True).instruction
    strange = operator.consortium.network.account_number("C")

    assert not operator.asks_set("A", operator.part("F", whole, 1, 10, receiver=strange))


def test_part_of_what_was_not_agreed_to_in_parts_is_not_signed(operator):
    whole = operator.agreed("W", "A", "B", 10, 1_000).instruction

    assert not operator.asks("A", operator.part("W", whole, 1, 4))
    assert not operator.asks_set("A", operator.part("W", whole, 1, 4))


def test_two_parts_or_a_part_and_the_whole_in_one_set_are_not_signed(operator):
    agreed = operator.agreed("P", "A", "B", 10, 1_000, in_parts=True)
    whole = agreed.instruction
    first, other = operator.part("P", whole, 1, 4), operator.part("P", whole, 1, 8)

    assert not operator.asks_set("A", first, other)
    assert not operator.asks_set("A", agreed, first)
    assert operator.asks_set("A", first)


def test_part_is_not_signed_while_another_may_still_settle(operator):
    agreed = operator.agreed("P", "A", "B", 10, 1_000, in_parts=True)
    whole = agreed.instruction
    assert operator.asks_set("A", operator.part("P", whole, 1, 4))

    assert not operator.asks("A", operator.part("P", whole, 1, 8))
    assert not operator.asks_set("A", operator.part("P", whole, 2, 4))
    assert not operator.asks_set("A", agreed)


def test_earlier_deadline_under_the_same_terms_frees_nothing(operator):
    whole = operator.agreed("P", "A", "B", 10, 1_000, in_parts=True).instruction
    part = operator.part("P", whole, 1, 4)
    far = replace(part, instruction=replace(part.instruction, deadline=operator.deadline + 10_000))
    assert operator.asks("A", far)
    assert operator.asks("A", part)

    operator.pass_time(VALID_SECONDS + 10)

    assert not operator.asks("A", operator.part("P", whole, 1, 8))


def test_instruction_that_the_desk_withholds_is_not_signed_until_it_is_allowed(operator, pair):
    a = operator.consortium.trader("A")
    a.withhold_instruction(pair[0].instruction.id)

    assert not operator.asks("A", pair[0])
    assert not operator.asks_set("A", *pair)

    a.allow_instruction(pair[0].instruction.id)
    assert operator.asks_set("A", *pair)


def test_all_that_is_wrong_in_a_set_is_named_and_nothing_else(operator, pair):
    withheld, strange = pair[0], terms(operator.consortium, "I9", "A", "C", 10, 1)
    operator.consortium.trader("A").withhold_instruction(withheld.instruction.id)
    trade, no_trade = (
        operator.trade("T1", "A", "B", 10, 1_000),
        operator.trade("T2", "A", "B", 1, 1),
    )
    cut = replace(no_trade, trade=no_trade.trade.take(slice(0, 0)))
    other = replace(trade, instruction=replace(trade.instruction, id=b"2" * 32), label="other")
    shown = (withheld, pair[1], operator.shown("I9", strange), trade, other, cut)

    answer = operator.answers("A", *shown)

    named = {withheld.label, "I9", "other", cut.label}
    assert {*answer.trades} == named


def test_flaw_is_found_under_a_label_that_is_shown_twice(operator):
    trade, no_trade = (
        operator.trade("T1", "A", "B", 10, 1_000),
        operator.trade("T2", "A", "B", 1, 1),
    )
    cut = replace(no_trade, trade=no_trade.trade.take(slice(0, 0)), label=trade.label)

    assert not operator.asks_set("A", trade, cut)
    assert not operator.asks_set("A", cut, trade)


def test_trade_that_the_desk_withholds_is_not_signed_under_any_name(operator):
    trade = operator.trade("T1", "A", "B", 10, 1_000)
    operator.consortium.trader("A").withhold_instruction(trade.instruction.id)
    renamed = replace(trade, instruction=replace(trade.instruction, id=b"2" * 32))

    assert not operator.asks("A", trade)
    assert not operator.asks("A", renamed)
    assert not operator.asks_set("A", renamed)


def test_settled_trade_is_not_signed_again():
    operator = Operator(GROSS)
    trade = operator.trade("T1", "A", "B", 10, 1_000)
    operator.house.desk.work()
    renamed = replace(trade, instruction=replace(trade.instruction, id=b"2" * 32))

    for party in "AB":
        for each in (trade, renamed):
            assert not operator.asks(party, each)
            assert not operator.asks_set(party, each)


def test_trade_of_no_row_or_of_two_is_not_signed(operator):
    trade = operator.trade("T1", "A", "B", 10, 1_000)
    none, both = trade.trade.take(slice(0, 0)), trade.trade.take([0, 0])

    assert not operator.asks("A", replace(trade, trade=none))
    assert not operator.asks("A", replace(trade, trade=both))


def test_nobodys_money_moves_by_a_set_that_some_did_not_sign(operator):
    first = operator.agreed("I1", "A", "B", 10, 1_000)
    forged = operator.shown("I2", terms(operator.consortium, "I2", "B", "A", 5, 1))
    message = operator.set_of(first, forged)
    digest = operator.house.settlement_domain().digest(message.struct_hash())
    given = [operator.asks_set(party, first, forged) for party in "AB"]
    settlement, before = operator.consortium.contracts.settlement, balances(operator.consortium)

    signatures = [each or operator.house.key.sign(digest) for each in given]
    data = settlement.settle_set_data(message, signatures)
    outcome = operator.house.outbox.send("lie", settlement.address, data)

    assert given == [None, None]
    assert not outcome.succeeded
    assert balances(operator.consortium) == before


def test_honest_settlement_goes_on_after_lies(operator):
    consortium = operator.consortium
    whole = operator.agreed("P", "A", "B", 10, 1_000, in_parts=True).instruction
    assert not operator.asks("A", operator.part("P", whole, 2, 4))

    urgent = {"priority": Priority.URGENT, "may_be_partial": True}
    assert enter(consortium, "P", "A", "B", 10, 1_000, **urgent) is None
    consortium.clearing_house.desk.work()

    assert consortium.clearing_house.desk.get("P").state is State.SETTLED
    assert consortium.reconcile() == 0
