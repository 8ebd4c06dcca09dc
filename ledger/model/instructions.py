"""Reference model of the queue of instructions: what settles, in which order, why the rest waits.

Settle the first instruction in queue order that can, then look again from the head, until none can.
Everything is looked at each time, and nothing is remembered but what was asked for and what moved.
"""

from dataclasses import dataclass, field

from ledger.domain.accounts import participant_of
from ledger.domain.instructions import Priority, State
from ledger.domain.reasons import Reason
from ledger.domain.rules import QueueOrder

SECURITIES, CASH = "securities", "cash"
Balance = tuple[str, int, int]
"""Register, asset, account."""
Limit = tuple[int, int, int]
"""Account, currency, and the account that it pays to; 0 for everybody."""
EVERYBODY = 0


@dataclass(slots=True)
class ModelInstruction:
    """What was entered, and what has become of it."""

    label: str
    arrival: int
    deliverer: int
    receiver: int
    instrument: int
    quantity: int
    currency: int
    amount: int
    priority: Priority = Priority.NORMAL
    may_be_partial: bool = False
    expires_at: int | None = None
    linked_to: tuple[str, ...] = ()
    holders: set[int] = field(default_factory=set)
    askers: set[int] = field(default_factory=set)
    end: State | None = None
    parts: list[tuple[int, int]] = field(default_factory=list)

    @property
    def sides(self) -> set[int]:
        """Both participants."""
        return {participant_of(self.deliverer), participant_of(self.receiver)}

    @property
    def open_quantity(self) -> int:
        """Units still to deliver."""
        return self.quantity - sum(quantity for quantity, _ in self.parts)

    @property
    def open_amount(self) -> int:
        """Minor units still to pay."""
        return self.amount - sum(amount for _, amount in self.parts)

    @property
    def state(self) -> State:
        """Where it stands."""
        if self.end is not None:
            return self.end
        if self.holders:
            return State.HELD
        return State.PARTIALLY_SETTLED if self.parts else State.QUEUED


@dataclass(frozen=True, slots=True)
class PartRules:
    """When parts settle: the least cash, and by instrument the settlement unit and least lot."""

    minimum_cash: int
    units: dict[int, tuple[int, int]] = field(default_factory=dict)


@dataclass(slots=True)
class ModelDesk:
    """The queue, over balances of its own. No parts without rules for them."""

    order: QueueOrder
    part_rules: PartRules | None = None
    now: int = 0
    instructions: dict[str, ModelInstruction] = field(default_factory=dict)
    balances: dict[Balance, int] = field(default_factory=dict)
    suspended: set[int] = field(default_factory=set)
    limits: dict[Limit, int] = field(default_factory=dict)
    silent: set[int] = field(default_factory=set)

    def hold(self, label: str, by: set[int]) -> None:
        """Some of its sides hold it."""
        if self.instructions[label].end is None:
            self.instructions[label].holders |= by

    def release(self, label: str, by: set[int]) -> None:
        """Some of its sides hold it no more."""
        self.instructions[label].holders -= by

    def cancel(self, label: str, by: set[int]) -> None:
        """Some of its sides ask for its end; it comes when all that owe something have."""
        each = self.instructions[label]
        if each.end is not None:
            return
        each.askers |= by
        owing = set()
        if each.quantity:
            owing.add(participant_of(each.deliverer))
        if each.amount:
            owing.add(participant_of(each.receiver))
        if owing <= each.askers:
            each.end = State.CANCELLED

    def prioritise(self, label: str, priority: Priority) -> None:
        """Gives it another priority."""
        if self.instructions[label].end is None:
            self.instructions[label].priority = priority

    def expire(self) -> None:
        """Whatever may not settle any more has failed."""
        for each in self._live():
            if each.expires_at is not None and self.now > each.expires_at:
                each.end = State.FAILED

    def fail_the_rest(self) -> None:
        """The day is over."""
        for each in self._live():
            each.end = State.FAILED

    def work(self) -> list[tuple[str, ...]]:
        """Settles what can; the labels of each settlement, in order."""
        self.expire()
        settled = []
        while (found := self._first_that_can()) is not None:
            settled.append(found)
        return settled

    def reason(self, label: str) -> Reason | None:
        """Why a live one waits; None when it could settle now."""
        group = self._together(self.instructions[label])
        if any(each.holders for each in group):
            own = self.instructions[label].holders
            return Reason.HELD if own else Reason.LINK
        if self._misses_a_link(group):
            return Reason.LINK
        if any(each.sides & self.suspended for each in group):
            return Reason.SUSPENDED
        short = self._short(group)
        if short:
            return short
        return Reason.BEHIND if self._is_behind(group) else None

    def paid(self, account: int, currency: int, to: int) -> int:
        """What an account has paid on balance, to somebody or to everybody."""
        total = 0
        for each in self.instructions.values():
            if each.currency == currency:
                amount = each.amount - each.open_amount
                if each.receiver == account and to in (EVERYBODY, each.deliverer):
                    total += amount
                if each.deliverer == account and to in (EVERYBODY, each.receiver):
                    total -= amount
        return total

    def _first_that_can(self) -> tuple[str, ...] | None:
        for each in self._queue():
            group = self._together(each)
            if any(self._signers(other) & self.silent for other in group):
                continue
            reason = self.reason(each.label)
            if reason is None:
                for other in group:
                    self._settle(other, other.open_quantity, other.open_amount)
                return tuple(other.label for other in group)
            if reason is Reason.LACK and len(group) == 1 and not self._is_behind(group):
                part = self._part(each)
                if part is not None:
                    self._settle(each, *part)
                    return (each.label,)
        return None

    def _signers(self, each: ModelInstruction) -> set[int]:
        return {participant_of(account) for _, _, account in self._owes(each)}

    def _part(self, each: ModelInstruction) -> tuple[int, int] | None:
        """The largest part that may settle."""
        if self.part_rules is None or not each.may_be_partial:
            return None
        unit, lot = self.part_rules.units.get(each.instrument, (1, 1))
        has = self._has(SECURITIES, each.instrument, each.deliverer)
        for quantity in range(each.open_quantity - 1, 0, -1):
            if quantity > has or quantity % unit or quantity < lot:
                continue
            exact_times_two = 2 * each.open_amount * quantity
            amount, rest = divmod(exact_times_two, 2 * each.open_quantity)
            amount += rest >= each.open_quantity
            if amount < self.part_rules.minimum_cash:
                return None
            covered = not self._short_of_cash([(each, amount)])
            return (quantity, amount) if covered else None
        return None

    def _settle(self, each: ModelInstruction, quantity: int, amount: int) -> None:
        for key, change in (
            ((SECURITIES, each.instrument, each.deliverer), -quantity),
            ((SECURITIES, each.instrument, each.receiver), quantity),
            ((CASH, each.currency, each.receiver), -amount),
            ((CASH, each.currency, each.deliverer), amount),
        ):
            self.balances[key] = self.balances.get(key, 0) + change
        each.parts.append((quantity, amount))
        if not each.open_quantity and not each.open_amount:
            each.end = State.SETTLED

    def _short(self, group: list[ModelInstruction]) -> Reason | None:
        """What is short when the whole group settles: securities, cash, or room under a limit."""
        for instrument, account in {(each.instrument, each.deliverer) for each in group}:
            change = 0
            for each in group:
                if each.instrument == instrument:
                    change -= each.open_quantity * (each.deliverer == account)
                    change += each.open_quantity * (each.receiver == account)
            if change < 0 and self._has(SECURITIES, instrument, account) + change < 0:
                return Reason.LACK
        return self._short_of_cash([(each, each.open_amount) for each in group])

    def _short_of_cash(self, payments: list[tuple[ModelInstruction, int]]) -> Reason | None:
        """The same of payments alone."""
        for currency, account in {(each.currency, each.receiver) for each, _ in payments}:
            change = 0
            for each, amount in payments:
                if each.currency == currency:
                    change -= amount * (each.receiver == account)
                    change += amount * (each.deliverer == account)
            if change < 0 and self._has(CASH, currency, account) + change < 0:
                return Reason.MONY
        for (account, currency, other), limit in self.limits.items():
            more = 0
            for each, amount in payments:
                if each.currency == currency:
                    payer, payee = each.receiver, each.deliverer
                    more += amount * (payer == account and other in (EVERYBODY, payee))
                    more -= amount * (payee == account and other in (EVERYBODY, payer))
            if more > 0 and self.paid(account, currency, other) + more > limit:
                return Reason.LIMIT
        return None

    def _has(self, register: str, asset: int, account: int) -> int:
        return self.balances.get((register, asset, account), 0)

    def _is_behind(self, group: list[ModelInstruction]) -> bool:
        """Whether one that is not of the group stands before a member in one of its queues."""
        if self.order is QueueOrder.BYPASS:
            return False
        labels = [each.label for each in group]
        for member in group:
            for earlier in self._queue():
                if earlier.label == member.label:
                    break
                if earlier.label not in labels and self._owes(earlier) & self._owes(member):
                    return True
        return False

    def _owes(self, each: ModelInstruction) -> set[Balance]:
        owes = set()
        if each.open_quantity:
            owes.add((SECURITIES, each.instrument, each.deliverer))
        if each.open_amount:
            owes.add((CASH, each.currency, each.receiver))
        return owes

    def _queue(self) -> list[ModelInstruction]:
        """Those that stand in queues, in order."""
        standing = []
        for each in self._live():
            group = self._together(each)
            if not any(other.holders for other in group) and not self._misses_a_link(group):
                standing.append(each)
        return sorted(standing, key=lambda each: (each.priority, each.arrival))

    def _together(self, each: ModelInstruction) -> list[ModelInstruction]:
        """Those that settle together, in queue order: bound by their links."""
        group = [each]
        for member in group:
            for other in self._live():
                if self._are_bound(member, other) and other not in group:
                    group.append(other)
        return sorted(group, key=lambda each: (each.priority, each.arrival))

    def _are_bound(self, one: ModelInstruction, other: ModelInstruction) -> bool:
        """Whether a link holds both: each names the other, or one does and they share a side."""
        names, is_named = other.label in one.linked_to, one.label in other.linked_to
        return (names and is_named) or ((names or is_named) and bool(one.sides & other.sides))

    def _misses_a_link(self, group: list[ModelInstruction]) -> bool:
        """Whether a member waits for one to come, or to settle by itself; or it came to nothing."""
        return any(
            self._is_missed(each, label) for each in group for label in each.linked_to
        ) or any(
            self._are_bound(each, other) and other.end in (State.CANCELLED, State.FAILED)
            for each in group
            for other in self.instructions.values()
        )

    def _is_missed(self, each: ModelInstruction, label: str) -> bool:
        known = self.instructions.get(label)
        if known is None:
            return True
        return known.end is not State.SETTLED and not (
            known.end is None and self._are_bound(each, known)
        )

    def _live(self) -> list[ModelInstruction]:
        return [each for each in self.instructions.values() if each.end is None]
