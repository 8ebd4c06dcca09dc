"""The live queue looks only at what may have changed, and settles what the literal rule settles."""

import os
from collections import Counter

import pytest
from hypothesis import event, given

from ledger.domain.accounts import participant_of
from ledger.domain.instructions import Instruction, State
from ledger.domain.participants import Instrument
from ledger.domain.rules import QueueOrder, Rules
from ledger.model.instructions import CASH, SECURITIES, ModelDesk, ModelInstruction, PartRules
from ledger.settlement import lifecycle
from ledger.settlement.legs import Pot, PotKind
from tests.support.instruction_stories import (
    CURRENCY,
    LABELS,
    Asks,
    Changes,
    Enters,
    Limits,
    Passes,
    Prioritises,
    Stands,
    random_story,
    stories,
)
from tests.support.queue_driver import QueueDriver

STEPS, STEPS_A_STORY = int(os.environ.get("NOVATE_TEST_STEPS", "500_000")), 40
LEAST_CASH = 2
UNITS = {1: (1, 1), 2: (2, 4)}
INSTRUMENTS = {
    number: Instrument("", "", "CNY", minimum_lot=lot, settlement_unit=unit)
    for number, (unit, lot) in UNITS.items()
}
RULES = Rules(partial=True, partial_minimum_cash_share=LEAST_CASH)


class Both:
    """The live queue and the model, through the same story."""

    def __init__(self, order):
        self.driver = QueueDriver(order, RULES, INSTRUMENTS)
        self.model = ModelDesk(order, PartRules(LEAST_CASH, UNITS))
        self.settled = Counter()

    def follow(self, step):
        driver, model = self.driver, self.model
        before = {label: each.state for label, each in driver.known.items()}
        match step:
            case Enters():
                self._enter(step)
            case Asks(verb, label, by) if label in driver.known:
                known = model.instructions[label]
                accounts = (known.deliverer, known.receiver)
                asking = accounts if by is None else accounts[by : by + 1]
                numbers = frozenset(map(participant_of, asking))
                getattr(model, verb)(label, set(numbers))
                changes = {
                    "hold": lifecycle.held,
                    "release": lifecycle.released,
                    "cancel": lifecycle.cancelled,
                }
                self._change(label, lambda each: changes[verb](each, numbers))
            case Prioritises(label, priority) if label in driver.known:
                model.prioritise(label, priority)
                self._change(label, lambda each: lifecycle.prioritised(each, priority))
            case Changes(instrument, account, amount):
                kind, asset = (
                    (PotKind.CASH, CURRENCY)
                    if instrument is None
                    else (PotKind.SECURITIES, instrument)
                )
                key = (CASH if instrument is None else SECURITIES, asset, account)
                amount = max(amount, -model.balances.get(key, 0))
                model.balances[key] = model.balances.get(key, 0) + amount
                driver.change(Pot(kind, asset, account), amount)
            case Stands(participant, True):
                model.suspended.add(participant)
                driver.queue.suspended.add(participant)
            case Stands(participant, False):
                model.suspended.discard(participant)
                driver.reinstate(participant)
            case Limits(payer, payee, amount):
                model.limits.pop((payer, CURRENCY, payee), None)
                if amount is not None:
                    model.limits[payer, CURRENCY, payee] = amount
                driver.set_limit(Pot(PotKind.LIMIT, CURRENCY, payer, payee), amount)
            case Passes(seconds):
                model.now += seconds
                driver.now += seconds
        expected = model.work()
        assert driver.work() == expected
        self.settled.update(label for group in expected for label in group)
        self.compare(before)

    def compare(self, before):
        driver, model = self.driver, self.model
        for label, known in model.instructions.items():
            instruction = driver.known[label]
            assert instruction.state is known.state, label
            assert instruction.parts == len(known.parts)
            assert instruction.open_quantity == known.open_quantity
            assert instruction.open_amount == known.open_amount
            if known.end is None:
                assert driver.reason(label) is model.reason(label), label
            earlier = before.get(label, instruction.state)
            assert earlier.is_live or earlier is instruction.state
        for (register, asset, account), balance in model.balances.items():
            kind = PotKind.CASH if register == CASH else PotKind.SECURITIES
            assert driver.balances.get(Pot(kind, asset, account), 0) == balance
        assert len(driver.queue) == sum(e.end is None for e in model.instructions.values())

    def _enter(self, step):
        number = len(self.driver.known)
        if number == len(LABELS):
            return
        label, (deliverer, receiver) = LABELS[number], step.sides
        numbers = frozenset(map(participant_of, step.sides)) if step.is_held else frozenset()
        expires_at = None if step.lives_for is None else self.driver.now + step.lives_for
        terms = {
            "label": label,
            "arrival": number,
            "deliverer": deliverer,
            "receiver": receiver,
            "instrument": step.instrument,
            "quantity": step.quantity,
            "currency": CURRENCY,
            "amount": step.amount,
            "priority": step.priority,
            "may_be_partial": step.may_be_partial,
            "expires_at": expires_at,
            "linked_to": step.linked_to,
        }
        self.model.instructions[label] = ModelInstruction(**terms, holders=set(numbers))
        state = State.HELD if numbers else State.QUEUED
        self.driver.put(Instruction(id=label.encode(), held_by=numbers, state=state, **terms))

    def _change(self, label, change):
        live = self.driver.queue.get(label)
        if live is not None:
            self.driver.put(change(live))


@pytest.mark.parametrize("order", QueueOrder)
@given(story=stories)
def test_live_queue_settles_what_the_literal_rule_settles_in_the_same_order(order, story):
    both = Both(order)
    for step in story:
        both.follow(step)
    event(f"settled: {min(both.settled.total(), 9)}")

    both.model.fail_the_rest()
    both.driver.fail_the_rest()

    both.compare({})
    assert not any(each.state.is_live for each in both.driver.known.values())


@pytest.mark.deep
@pytest.mark.parametrize("order", QueueOrder)
def test_live_queue_settles_what_the_literal_rule_settles_for_very_long(order):
    for seed in range(STEPS // STEPS_A_STORY):
        both = Both(order)
        for step in random_story(seed, STEPS_A_STORY):
            both.follow(step)


@pytest.mark.parametrize("order", QueueOrder)
@given(story=stories)
def test_parts_of_an_instruction_add_up_to_the_whole(order, story):
    both = Both(order)
    for step in story:
        both.follow(step)

    for each in both.model.instructions.values():
        assert all(quantity >= 0 and amount >= 0 for quantity, amount in each.parts)
        if each.state is State.SETTLED:
            quantities, amounts = zip(*each.parts, strict=True)
            assert (sum(quantities), sum(amounts)) == (each.quantity, each.amount)
