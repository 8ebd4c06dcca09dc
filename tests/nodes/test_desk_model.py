"""The desk of a real consortium and the literal model, side by side through random stories."""

import os
from random import Random

import pytest

from ledger.books.postings import Register
from ledger.domain.instructions import Priority
from ledger.domain.reasons import Reason
from ledger.domain.rules import QueueOrder, Rules
from ledger.model.instructions import CASH, SECURITIES, ModelDesk, ModelInstruction, PartRules
from ledger.settlement.legs import EVERYBODY, Pot, PotKind
from nodes.bus import UnreachableError
from nodes.invariants import violations
from nodes.messages import SetProposal
from nodes.state_hash import state_hash
from tests.support.consortia import small_consortium
from tests.support.orders import balances, enter, give, take, terms

STEPS_A_STORY = 25
STEPS = int(os.environ.get("NOVATE_TEST_STEPS", "5_000"))
LEAST_CASH = 2
RULES = Rules(partial=True, partial_minimum_cash_share=LEAST_CASH)
OPENING = {"A": 6, "B": 9, "C": 3}
LABELS = tuple(f"I{number}" for number in range(12))
REGISTERS = {CASH: Register.CASH, SECURITIES: Register.SECURITIES}
WORDS = {register: word for word, register in REGISTERS.items()}


class SideBySide:
    """A consortium and the model, told the same."""

    def __init__(self, order, seed):
        rules = Rules(**{**_fields(RULES), "queue": order})
        self.consortium = small_consortium(rules, shares=OPENING, cash=OPENING)
        self.house, self.chance = self.consortium.clearing_house, Random(seed)
        self.model = ModelDesk(order, PartRules(LEAST_CASH), now=self._now())
        self.silent, self.moved = set(), 0
        account = self.consortium.network.account_number
        for owner, amount in OPENING.items():
            for word in REGISTERS:
                self.model.balances[word, 1, account(owner)] = amount
        for party in OPENING:
            self._may_fall_silent(party)

    def step(self):
        acts = [self.enters] * 5 + [self.changes] * 4 + [self.asks] * 3
        acts += [self.prioritises, self.stands, self.limits, self.passes, self.falls_silent]
        self.chance.choice(acts)()
        settled = self.model.work()
        live = {label for label, each in self.model.instructions.items() if each.end is None}
        assert self.house.desk.work() == sum(map(len, settled))
        self.compare(live)

    def enters(self):
        chance, number = self.chance, len(self.model.instructions)
        if number == len(LABELS):
            return
        label, kind = LABELS[number], chance.choice(["dvp", "dvp", "fop", "pay"])
        words = (
            *chance.sample(sorted(OPENING), 2),
            0 if kind == "pay" else chance.randint(1, 9),
            0 if kind == "fop" else chance.randint(1, 9),
        )
        lives_for = chance.choice([None, None, None, chance.randrange(6)])
        more = {
            "priority": chance.choice(list(Priority)),
            "may_be_partial": chance.random() < 0.5,
            "expires_at": None if lives_for is None else self._now() + lives_for,
            "linked_to": tuple(chance.sample(LABELS, chance.choice([0, 0, 0, 0, 1, 2]))),
        }
        is_held = chance.random() < 0.1
        refusal = enter(self.consortium, label, *words, is_held=is_held, **more)
        message = terms(self.consortium, label, *words)
        known = ModelInstruction(
            label=label,
            arrival=number,
            deliverer=message.deliverer,
            receiver=message.receiver,
            instrument=message.instrument,
            quantity=message.quantity,
            currency=message.currency,
            amount=message.amount,
            **more,
        )
        if known.sides & self.model.suspended:
            assert refusal is not None
            assert refusal.reason is Reason.SUSPENDED
            return
        assert refusal is None
        known.holders = set(known.sides) if is_held else set()
        self.model.instructions[label] = known
        # The same again changes nothing; other content is refused.
        assert enter(self.consortium, label, *words, is_held=is_held, **more) is None

    def asks(self):
        label, verb = (
            self._any_label(),
            self.chance.choice(["hold", "release", "release", "cancel"]),
        )
        if label is None:
            return
        known = self.model.instructions[label]
        by = self.chance.choice(sorted(OPENING))
        number = self.consortium.network.participant_number(by)
        refusal = getattr(self.house.desk, verb)(label, by)
        if known.end is not None:
            assert refusal is not None
            assert refusal.reason is Reason.FINAL
        elif number not in known.sides:
            assert refusal is not None
            assert refusal.reason is Reason.UNAUTHORISED
        else:
            assert refusal is None
            getattr(self.model, verb)(label, {number})

    def prioritises(self):
        label, priority = self._any_label(), self.chance.choice(list(Priority))
        if label is not None:
            self.house.desk.prioritise(label, priority)
            self.model.prioritise(label, priority)

    def changes(self):
        owner, word = self.chance.choice(sorted(OPENING)), self.chance.choice(sorted(REGISTERS))
        amount, self.moved = self.chance.randint(1, 12), self.moved + 1
        key = (word, 1, self.consortium.network.account_number(owner))
        if self.chance.random() < 0.75:
            give(self.consortium, owner, REGISTERS[word], amount, f"m{self.moved}")
            self.model.balances[key] += amount
        elif self.model.balances[key] >= amount:
            refusal = take(self.consortium, owner, REGISTERS[word], amount, f"m{self.moved}")
            assert refusal is None
            self.model.balances[key] -= amount

    def stands(self):
        party = self.chance.choice(sorted(OPENING))
        number = self.consortium.network.participant_number(party)
        if number in self.model.suspended:
            assert self.house.reinstate(party) is None
            self.model.suspended.discard(number)
        elif self.chance.random() < 0.5:
            assert self.house.suspend(party) is None
            self.model.suspended.add(number)

    def limits(self):
        payer, payee = self.chance.sample(sorted(OPENING), 2)
        account = self.consortium.network.account_number
        to = self.chance.choice([EVERYBODY, account(payee)])
        amount = self.chance.choice([None, self.chance.randrange(12)])
        self.house.desk.book.set_limit(Pot(PotKind.LIMIT, 1, account(payer), to), amount)
        self.model.limits.pop((account(payer), 1, to), None)
        if amount is not None:
            self.model.limits[account(payer), 1, to] = amount

    def passes(self):
        clock = self.consortium.clock
        clock.not_before(clock.chain_time() + self.chance.randint(1, 3))
        self.model.now = self._now()

    def falls_silent(self):
        party = self.chance.choice(sorted(OPENING))
        number = self.consortium.network.participant_number(party)
        if self.silent:
            self.silent.clear()
            self.model.silent.clear()
        else:
            self.silent.add(party)
            self.model.silent.add(number)

    def compare(self, live):
        desk = self.house.desk
        for label, known in self.model.instructions.items():
            instruction = desk.get(label)
            assert instruction.state is known.state, label
            assert instruction.parts == len(known.parts)
            assert (instruction.open_quantity, instruction.open_amount) == (
                known.open_quantity,
                known.open_amount,
            )
            if label in live and instruction.reason is not Reason.SILENT:
                assert instruction.reason is self.model.reason(label), label
        assert len(desk.instructions()) == len(self.model.instructions)
        for register, by_owner in balances(self.consortium).items():
            for owner, amount in by_owner.items():
                account = self.consortium.network.account_number(owner)
                assert amount == self.model.balances[WORDS[register], 1, account]

    def end(self):
        self.silent.clear()
        self.model.silent.clear()
        self.model.work()
        self.model.fail_the_rest()
        self.house.desk.end_of_day()
        self.compare(set())
        assert not any(each.state.is_live for each in self.house.desk.instructions())
        assert self.consortium.reconcile() == 0
        assert violations(self.consortium) == []
        return state_hash(self.consortium)

    def close(self):
        self.consortium.close()

    def _any_label(self):
        known = sorted(self.model.instructions)
        return self.chance.choice(known) if known else None

    def _may_fall_silent(self, party):
        honest = self.consortium.nodes[party].handle

        def handle(sender, message):
            if party in self.silent and isinstance(message, SetProposal):
                raise UnreachableError(f"{party} is away")
            return honest(sender, message)

        self.consortium.bus.register(party, handle)

    def _now(self):
        return int(self.consortium.clock.business_time().timestamp())


def _fields(rules):
    return {name: getattr(rules, name) for name in rules.__slots__}


def played(order, seed, length):
    """A story to its end; the hash of the state that it came to."""
    both = SideBySide(order, seed)
    try:
        for _ in range(length):
            both.step()
        return both.end()
    finally:
        both.close()


@pytest.mark.parametrize("order", QueueOrder)
@pytest.mark.parametrize("seed", range(3))
def test_desk_does_what_the_literal_model_does(order, seed):
    played(order, seed, STEPS_A_STORY)


def test_same_story_comes_to_the_same_state_hash():
    hashes = {played(QueueOrder.FIFO, 7, STEPS_A_STORY) for _ in range(2)}
    assert len(hashes) == 1


@pytest.mark.deep
@pytest.mark.parametrize("order", QueueOrder)
def test_desk_does_what_the_literal_model_does_for_very_long(order):
    for seed in range(STEPS // STEPS_A_STORY):
        played(order, seed, STEPS_A_STORY)
