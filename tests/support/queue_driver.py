"""The live queue driven by hand: what the clearing house does with it, over a dict of balances."""

from dataclasses import replace

from ledger.domain.instructions import Instruction, State
from ledger.domain.participants import Instrument
from ledger.domain.reasons import Reason
from ledger.domain.rules import QueueOrder, Rules
from ledger.settlement import lifecycle
from ledger.settlement.legs import EVERYBODY, Pot, PotKind, legs_of
from ledger.settlement.live_queue import LiveQueue
from ledger.settlement.parts import Part, largest_part


class QueueDriver:
    """Enters, changes and settles instructions by the live queue alone."""

    def __init__(self, order: QueueOrder, rules: Rules, instruments: dict[int, Instrument]):
        self.known: dict[str, Instruction] = {}
        self.balances: dict[Pot, int] = {}
        self.limits: dict[Pot, int] = {}
        self.queue = LiveQueue(order, self.available, self._state_of)
        self.now = 0
        self._rules = rules
        self._instruments = instruments

    def available(self, pot):
        if pot.kind is PotKind.LIMIT:
            return max(self.limits[pot] - self._paid(pot), 0)
        return self.balances.get(pot, 0)

    def put(self, instruction):
        self.known[instruction.label] = instruction
        if instruction.state.is_live:
            self.queue.put(instruction)
        else:
            self.queue.remove(instruction.label)

    def change(self, pot, amount):
        self.balances[pot] = self.balances.get(pot, 0) + amount
        if amount > 0:
            self.queue.credited([pot])
        elif pot.kind is PotKind.SECURITIES:
            self.queue.debited([pot])

    def set_limit(self, pot, amount):
        self.limits.pop(pot, None)
        if amount is not None:
            self.limits[pot] = amount
        self.queue.set_limits(dict(self.limits))

    def reinstate(self, participant):
        self.queue.suspended.discard(participant)
        self.queue.anything_may_have_changed()

    def work(self):
        self._fail(self.queue.late(self.now))
        settled = []
        while (label := self.queue.next_to_try()) is not None:
            outlook = self.queue.outlook(label)
            if outlook.reason is None:
                group = outlook.group
                settled.append(tuple(each.label for each in group))
                parts = [Part(each.open_quantity, each.open_amount) for each in group]
                self._settle(list(zip(group, parts, strict=True)))
            else:
                part = self._part(outlook)
                if part is not None:
                    settled.append((label,))
                    self._settle([(outlook.group[0], part)])
        return settled

    def fail_the_rest(self):
        self._fail(self.queue.live())

    def reason(self, label):
        return self.queue.outlook(label).reason

    def _settle(self, due):
        for each, part in due:
            self.put(lifecycle.settled(each, part, None))
        self.queue.credited(
            pot
            for each, part in due
            for pot in self.limits
            if self._paid_by(pot, each, part.amount) < 0
        )
        credited, debited = [], []
        for each, part in due:
            moved = replace(
                each,
                quantity=each.settled_quantity + part.quantity,
                amount=each.settled_amount + part.amount,
            )
            for debtor, creditor, amount in legs_of(moved, {}):
                self.balances[debtor] = self.balances.get(debtor, 0) - amount
                self.balances[creditor] = self.balances.get(creditor, 0) + amount
                credited.append(creditor)
                debited.append(debtor)
        assert all(balance >= 0 for balance in self.balances.values())
        self.queue.credited(credited)
        self.queue.debited(pot for pot in debited if pot.kind is PotKind.SECURITIES)

    def _part(self, outlook):
        [instruction, *others] = outlook.group
        if outlook.reason is not Reason.LACK or others or self.queue.is_behind(instruction):
            return None
        instrument = self._instruments[instruction.instrument]
        available = self.available(outlook.missing[0].pot)
        part = largest_part(instruction, available, instrument, self._rules)
        if part is None:
            return None
        rest = replace(
            instruction,
            quantity=instruction.settled_quantity + part.quantity,
            amount=instruction.settled_amount + part.amount,
        )
        return None if self.queue.missing([rest]) else part

    def _fail(self, instructions):
        for each in instructions:
            self.put(lifecycle.ended(each, State.FAILED, Reason.LATE))

    def _paid(self, pot):
        return sum(self._paid_by(pot, each, each.settled_amount) for each in self.known.values())

    def _paid_by(self, pot, each, amount):
        if each.currency != pot.asset:
            return 0
        paid = amount * (
            each.receiver == pot.account and pot.counterparty in (EVERYBODY, each.deliverer)
        )
        received = amount * (
            each.deliverer == pot.account and pot.counterparty in (EVERYBODY, each.receiver)
        )
        return paid - received

    def _state_of(self, label):
        known = self.known.get(label)
        return known.state if known else None
