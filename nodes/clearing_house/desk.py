"""The instruction desk of the clearing house: what comes in, what waits, and what settles when.

Whatever changes, ``work`` is called once: it looks again at all that may have become possible, and
at nothing else. Reasons of what waits are never kept: they are worked out when somebody asks.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from contracts.typed_data import InstructionMessage
from ledger.books.database import UnitOfWork
from ledger.books.instructions import REVERTED, SETTLED, InstructionStore
from ledger.books.intake import Intake, TradeStanding
from ledger.books.postings import FinalBlock, PostingKind, Register
from ledger.clearing.columns import TradeColumns
from ledger.domain.accounts import account_of, asset_of, holding_key
from ledger.domain.instructions import Instruction, Priority, State
from ledger.domain.reasons import Reason, Rejected
from ledger.domain.rules import Gridlock, Rules
from ledger.settlement import lifecycle
from ledger.settlement.legs import Pot, PotKind, participants_in
from ledger.settlement.lifecycle import Sides
from ledger.settlement.live_queue import LiveQueue
from ledger.settlement.outlook import Outlook
from ledger.settlement.parts import Part, largest_part
from nodes.clearing_house.limits import LimitBook
from nodes.clearing_house.resolving import Resolution, Resolver
from nodes.clearing_house.settling import Due, NotSettled, Settled, Settling
from nodes.instruction_terms import (
    instruction_of_terms,
    instruction_of_trade,
    next_terms,
    whole_terms,
)
from nodes.network import RULE_VERSION
from nodes.node import Node
from nodes.trade_words import describe_trade_id

_REGISTERS: Final = {
    PotKind.SECURITIES: Register.SECURITIES,
    PotKind.CASH: Register.CASH,
}
_KINDS: Final = {register: kind for kind, register in _REGISTERS.items()}
_OF_CYCLES: Final = frozenset(
    {PostingKind.BOOKED, PostingKind.STAGED_BOOKED, PostingKind.STAGED_DROPPED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An instruction as it is entered: both its sides have agreed to it.

    Attributes:
        message: its terms; rule version and deadline are zero.
        is_held: both sides hold it from the start.
        expires_at: last second of business time (since 1970); None: the rules decide.
        linked_to: labels of those that settle together with it, or not at all.
    """

    label: str
    message: InstructionMessage
    priority: Priority = Priority.NORMAL
    is_held: bool = False
    may_be_partial: bool = False
    expires_at: int | None = None
    linked_to: tuple[str, ...] = ()


class InstructionDesk:
    """Instructions from entry to finality."""

    def __init__(
        self, house: Node, intake: Intake, rules: Rules, suspended: AbstractSet[int]
    ) -> None:
        self._house = house
        self._intake = intake
        self._rules = rules
        self._store = InstructionStore(house.database)
        self.settling = Settling(house, intake, rules)
        self.queue = LiveQueue(rules.queue, self.available, self._state_of)
        self.limits = LimitBook(house.database, self._store)
        self.queue.limits = self.limits.all()
        self._resolver = Resolver(
            self.queue, self.available_of_many, self.settle_together, self._note, rules
        )
        self._last_run_at = self._now()
        self._has_changed = True
        self.queue.suspended.update(suspended)
        self._publish(self._store.live())

    # What is asked of the desk.

    def enter(self, entry: Entry) -> Rejected | None:
        """Takes an instruction in; the same again changes nothing.

        Refuses other content under its label, sides that are suspended, and a time that is past.
        """
        instruction = self._instruction(entry)
        known = self._store.get(entry.label)
        if known is not None:
            same = _as_entered(known) == _as_entered(instruction)
            return None if same else Rejected(Reason.DUPLICATE, f"{entry.label} has other content")
        if self.queue.suspended.intersection(participants_in(instruction)):
            return Rejected(Reason.SUSPENDED, f"a side of {entry.label} is suspended")
        if entry.expires_at is not None and entry.expires_at < self._now():
            return Rejected(Reason.LATE, f"{entry.label} expires before it is entered")
        self._put([instruction])
        return None

    def hold(self, label: str, by: str | None = None) -> Rejected | None:
        """Puts an instruction on hold for one side, or both: not tried, and in nobody's way."""
        return self._change(label, by, lifecycle.held)

    def release(self, label: str, by: str | None = None) -> Rejected | None:
        """Takes a side's hold away, or both."""
        return self._change(label, by, lifecycle.released)

    def prioritise(self, label: str, priority: Priority, by: str | None = None) -> Rejected | None:
        """Gives an instruction another priority; its arrival stays."""
        return self._change(label, by, lambda each, _: lifecycle.prioritised(each, priority))

    def cancel(self, label: str, by: str) -> Rejected | None:
        """Asks for cancellation; until everybody who owes something has, it may still settle."""
        return self._change(label, by, lifecycle.cancelled)

    def settle(self, label: str) -> Reason | None:
        """Tries one instruction now; says why it has not settled, None when it has."""
        self._expire()
        instruction = self.queue.get(label)
        if instruction is None:
            ended = self._store.get(label)
            if ended is None:
                return Reason.UNKNOWN
            return None if ended.state is State.SETTLED else ended.reason or Reason.FINAL
        self._try(label)
        live = self.get(label)
        return None if live is None or live.state is State.SETTLED else live.reason

    def resolve(self, algorithm: Gridlock) -> Resolution:
        """One run of a gridlock algorithm over the queue; what it finds settles as one set."""
        return self._resolver.resolve(algorithm)

    def work(self) -> int:
        """Looks again at all that may have become possible; returns how many have settled."""
        self._expire()
        self._retry_noted()
        settled = self._try_candidates() if self._rules.auto_settle else 0
        while self._run_is_due():
            self._last_run_at, self._has_changed = self._now(), False
            found = self.resolve(self._rules.gridlock)
            if not found.settled:
                break
            settled += len(found.settled)
            settled += self._try_candidates() if self._rules.auto_settle else 0
        return settled

    def end_of_day(self) -> None:
        """Tries the queue once more, whatever else the rules say, then fails what is left."""
        self._expire()
        self._try_candidates()
        self.work()
        self._fail(self.queue.live())

    # What is known.

    def get(self, label: str) -> Instruction | None:
        """An instruction as of now."""
        return self._as_of_now(self._store.get(label))

    def by_id(self, id: bytes) -> Instruction | None:
        """The same, by its id on the chain."""
        return self._as_of_now(self._store.by_id(id))

    def instructions(self) -> list[Instruction]:
        """Every instruction as of now, by arrival."""
        return [self._with_reason(each) for each in self._store.all()]

    def outlook(self, label: str) -> Outlook:
        """Whether a live instruction could settle now, and what would make it. Raises KeyError."""
        return self.queue.outlook(label)

    def available(self, pot: Pot) -> int:
        """What is in a pot now, as of the last final block."""
        if pot.kind is PotKind.LIMIT:
            return self.limits.headroom(pot)
        key = holding_key(pot.asset, pot.account)
        return self._house.projection.holding(_REGISTERS[pot.kind], key)[0]

    def available_of_many(self, pots: Sequence[Pot]) -> list[int]:
        """The same of many pots."""
        found = dict.fromkeys(pots, 0)
        for kind, register in _REGISTERS.items():
            of_kind = [pot for pot in found if pot.kind is kind]
            keys = np.array(
                [holding_key(pot.asset, pot.account) for pot in of_kind], dtype=np.int64
            )
            amounts = self._house.projection.available_of(register, keys).tolist()
            found.update(zip(of_kind, amounts, strict=True))
        for pot in found:
            if pot.kind is PotKind.LIMIT:
                found[pot] = self.limits.headroom(pot)
        return list(found.values())

    # What the house tells its desk.

    def enter_trades(
        self, session: UnitOfWork, trades: Sequence[tuple[int, TradeColumns, Reason | None]]
    ) -> None:
        """Takes trades in that settle on their own: position, a row of columns, why it left."""
        entered = []
        for arrival, (position, trade, reason) in enumerate(trades, self._store.next_arrival):
            label = describe_trade_id(self._house.network, trade, 0)
            instruction = instruction_of_trade(label, arrival, position, trade)
            entered.append(replace(instruction, reason=reason, rule_version=RULE_VERSION))
        self._keep(session, entered)

    def cancel_trades(self, session: UnitOfWork, positions: Iterable[int]) -> None:
        """Cancels the live instructions of trades that were cancelled."""
        gone = set(positions)
        if not gone:
            return
        ended = [
            lifecycle.ended(each, State.CANCELLED)
            for each in self.queue.live()
            if each.position in gone
        ]
        self._keep(session, ended)

    def standing_of(self, exception: TradeStanding) -> TradeStanding:
        """Where a trade stands that does not settle in a cycle."""
        instruction = self.by_id(exception.instruction) if exception.instruction else None
        if instruction is None:
            return exception
        return TradeStanding(instruction.state.value, instruction.reason, instruction.id)

    def confirmed(self, block: FinalBlock) -> None:
        """A final block is in the books: whoever waits for what came in is looked at again."""
        for posting in block.postings:
            self._has_changed = True
            if posting.kind in _OF_CYCLES:
                self.queue.anything_may_have_changed()
                continue
            kind = _KINDS[posting.register]
            keys = posting.keys[posting.available > 0].tolist()
            self.queue.credited(Pot(kind, asset_of(key), account_of(key)) for key in keys)

    def suspend(self, participant: int) -> None:
        """A participant is suspended now."""
        self.queue.suspended.add(participant)

    def reinstate(self, participant: int) -> None:
        """A participant is in good standing again."""
        self.queue.suspended.discard(participant)
        self._has_changed = True
        self.queue.anything_may_have_changed()

    def resume(self) -> None:
        """Finishes the attempts that a crash cut off."""
        for attempt, outcome in self.settling.resume():
            self.take_outcome(attempt.number, outcome)

    # How it goes on.

    def settle_together(self, instructions: Sequence[Instruction]) -> Settled | NotSettled:
        """Settles instructions, all of them or none."""
        return self._attempt([Due(each, next_terms(each)) for each in instructions])

    def _attempt(self, due: Sequence[Due]) -> Settled | NotSettled:
        number = self.settling.store.next_number
        outcome = self.settling.settle(due)
        if self.settling.store.next_number > number:
            self.take_outcome(number, outcome)
        return outcome

    def take_outcome(self, number: int, outcome: Settled | NotSettled) -> None:
        """Keeps what became of an attempt, in one commit, and lets the books follow."""
        if isinstance(outcome, Settled):
            state, block, messages = SETTLED, outcome.block, outcome.messages
        else:
            state, block, messages = REVERTED, None, outcome.before
        changed = [self._settled(label, each, block) for label, each in messages.items()]
        with self._house.database.transaction() as session:
            self.settling.store.conclude(session, number, state, block)
            self._keep(session, changed)
        for each in changed:
            self.limits.paid(each, messages[each.label].amount)
        self._house.catch_up()

    def _try_candidates(self) -> int:
        settled = 0
        while (label := self.queue.next_to_try()) is not None:
            settled += self._try(label)
        return settled

    def _try(self, label: str) -> int:
        """Settles an instruction with those linked to it, or a part of it; says how many have."""
        outlook = self.queue.outlook(label)
        if outlook.reason is None:
            due = [Due(each, next_terms(each)) for each in outlook.group]
        else:
            part = self._part(outlook)
            if part is None:
                return 0
            due = [Due(outlook.group[0], next_terms(outlook.group[0], part))]
        outcome = self._attempt(due)
        if isinstance(outcome, Settled):
            return len(due)
        self._note({each.label: outcome.reason for each in outlook.group})
        return 0

    def _note(self, reasons: Mapping[str, Reason]) -> None:
        """Remembers why some instructions were not signed; they are tried again each time."""
        new = {label: why for label, why in reasons.items() if self.queue.noted.get(label) != why}
        noted = [replace(live, reason=new[live.label]) for live in map(self.queue.get, new) if live]
        self.queue.noted.update(new)
        if noted:
            with self._house.database.transaction() as session:
                self._store.put(session, noted)

    def _part(self, outlook: Outlook) -> Part | None:
        """The part of an instruction that can settle alone, where all it lacks is securities."""
        if outlook.reason is not Reason.LACK or len(outlook.group) > 1:
            return None
        [instruction] = outlook.group
        if self.queue.is_behind(instruction):
            return None
        pot = outlook.missing[0].pot
        instrument = self._house.network.instrument(instruction.instrument)
        part = largest_part(instruction, self.available(pot), instrument, self._rules)
        if part is None:
            return None
        rest = replace(
            instruction,
            quantity=instruction.settled_quantity + part.quantity,
            amount=instruction.settled_amount + part.amount,
        )
        return None if self.queue.missing([rest]) else part

    def _run_is_due(self) -> bool:
        """Whether the rules have a gridlock run begin now."""
        return bool(len(self.queue)) and self._rules.run_is_due(
            len(self.queue), self._now() - self._last_run_at, has_changed=self._has_changed
        )

    def _retry_noted(self) -> None:
        """Those that somebody did not sign are tried again: he may answer now."""
        for label in list(self.queue.noted):
            self.queue.try_again(label)

    def _expire(self) -> None:
        """Fails what its time has passed for."""
        now = self._now()
        late = [e for e in self.queue.live() if e.expires_at is not None and e.expires_at < now]
        self._fail(late)

    def _fail(self, instructions: Sequence[Instruction]) -> None:
        self._put([lifecycle.ended(each, State.FAILED, Reason.LATE) for each in instructions])

    def _change(
        self, label: str, by: str | None, change: Callable[[Instruction, Sides], Instruction]
    ) -> Rejected | None:
        """Changes a live instruction at the wish of its sides."""
        instruction = self.queue.get(label)
        if instruction is None:
            known = self._store.get(label)
            if known is None:
                return Rejected(Reason.UNKNOWN, f"there is no instruction {label}")
            return Rejected(Reason.FINAL, f"{label} is {known.state.value}")
        sides = frozenset(participants_in(instruction))
        if by is not None:
            asking = self._house.network.participant_number(by)
            if asking not in sides:
                return Rejected(Reason.UNAUTHORISED, f"{by} is no side of {label}")
            sides = frozenset({asking})
        self._put([change(instruction, sides)])
        return None

    def _settled(self, label: str, message: InstructionMessage, block: int | None) -> Instruction:
        before = self.queue.get(label)
        assert before is not None, "what is signed for stays live until it is decided"
        return lifecycle.settled(before, Part(message.quantity, message.amount), block)

    def _put(self, changed: Sequence[Instruction]) -> None:
        if changed:
            with self._house.database.transaction() as session:
                self._keep(session, changed)

    def _keep(self, session: UnitOfWork, changed: Sequence[Instruction]) -> None:
        """Keeps instructions that are new or have changed, and what became of their trades."""
        self._store.put(session, changed)
        standings = {
            each.position: TradeStanding(each.state.value, each.reason, each.id)
            for each in changed
            if each.position is not None
        }
        self._intake.note(session, standings)
        session.on_commit(lambda: self._publish(changed))

    def _publish(self, changed: Iterable[Instruction]) -> None:
        """Lets the queue follow what is on disk now."""
        self._has_changed = True
        for each in changed:
            self.queue.noted.pop(each.label, None)
            if not each.state.is_live:
                self.queue.remove(each.label)
                continue
            self.queue.put(each)
            # A trade that somebody's silence made leave its cycle is known to wait for that.
            if each.reason in (Reason.SILENT, Reason.DISPUTED):
                self.queue.noted[each.label] = each.reason

    def _as_of_now(self, instruction: Instruction | None) -> Instruction | None:
        return None if instruction is None else self._with_reason(instruction)

    def _with_reason(self, instruction: Instruction) -> Instruction:
        """The same with the reason why it waits, as of now."""
        live = self.queue.get(instruction.label)
        if live is None:
            return instruction
        noted = self.queue.noted.get(live.label)
        return replace(live, reason=noted or self.queue.outlook(live.label).reason)

    def _state_of(self, label: str) -> State | None:
        known = self._store.get(label)
        return known.state if known else None

    def _instruction(self, entry: Entry) -> Instruction:
        instruction = instruction_of_terms(entry.label, self._store.next_arrival, entry.message)
        held_by = frozenset(participants_in(instruction)) if entry.is_held else frozenset()
        return replace(
            instruction,
            priority=entry.priority,
            may_be_partial=entry.may_be_partial,
            expires_at=entry.expires_at,
            linked_to=entry.linked_to,
            held_by=held_by,
            state=State.HELD if held_by else State.QUEUED,
            rule_version=RULE_VERSION,
        )

    def _now(self) -> int:
        return int(self._house.around.clock.business_time().timestamp())


def _as_entered(instruction: Instruction) -> tuple[object, ...]:
    """What makes an instruction the same when it comes again."""
    return (
        whole_terms(instruction).terms_words(),
        instruction.may_be_partial,
        instruction.expires_at,
        instruction.linked_to,
    )
