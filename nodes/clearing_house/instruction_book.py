"""The instructions of the clearing house: on disk, in their queues, and as of now.

Reasons of what waits are not kept: they are worked out from the balances when somebody asks. What
is kept is only why somebody did not sign.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Final

import numpy as np

from ledger.books.amendments import Amendments
from ledger.books.changes import note_changes
from ledger.books.database import UnitOfWork
from ledger.books.instructions import InstructionStore
from ledger.books.intake import Intake, TradeStanding
from ledger.books.postings import FinalBlock, PostingKind, Register
from ledger.clearing.columns import Column, TradeColumns
from ledger.domain.accounts import account_of, asset_of, holding_key
from ledger.domain.instructions import Instruction, State
from ledger.domain.reasons import Reason
from ledger.domain.rules import QueueOrder
from ledger.settlement import lifecycle
from ledger.settlement.legs import Pot, PotKind
from ledger.settlement.live_queue import LiveQueue
from ledger.settlement.unsound import Unsound
from nodes.clearing_house.changes import changes_of
from nodes.clearing_house.limits import LimitBook
from nodes.instruction_terms import instruction_id, instruction_of_trade
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


class InstructionBook:
    """Every instruction, and the queues of those that may still settle, once these are filled.

    Attributes:
        has_changed: whether anything has, since this was set to False.
    """

    def __init__(
        self, house: Node, intake: Intake, order: QueueOrder, suspended: AbstractSet[int]
    ) -> None:
        self._house = house
        self._intake = intake
        self._store = InstructionStore(house.database)
        self.amendments = Amendments(house.database)
        self.limits = LimitBook(house.database, self._store)
        self.queue = LiveQueue(order, self.available, self._state_of)
        self.queue.limits = self.limits.all()
        self.queue.suspended.update(suspended)
        self.has_changed = True

    @property
    def next_arrival(self) -> int:
        """The place of the next instruction that comes in."""
        return self._store.next_arrival

    def rebuild(self) -> None:
        """Fills the queues from what is on disk: whatever was cut off is looked at again."""
        self.queue.clear()
        for each in self._store.all_linked():
            self.queue.link(each)
        self._publish(self._store.live())

    def get(self, label: str) -> Instruction | None:
        """An instruction as of now."""
        return self._as_of_now(self._store.get(label))

    def by_id(self, id: bytes) -> Instruction | None:
        """The same, by its id on the chain."""
        return self._as_of_now(self._store.by_id(id))

    def instructions(self) -> list[Instruction]:
        """Every instruction as of now, by arrival."""
        return [self._with_reason(each) for each in self._store.all()]

    def arrived_since(self, arrival: int, count: int) -> list[Instruction]:
        """At most so many of them, by arrival, from one on."""
        return [self._with_reason(each) for each in self._store.arrived_since(arrival, count)]

    def as_kept(self, label: str) -> Instruction | None:
        """An instruction without asking why it waits."""
        return self._store.get(label)

    def named(self, label: str, id: bytes) -> list[Instruction]:
        """The instructions that have a label or an id already, as they are kept."""
        return self._store.named(label, id)

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
                # Nobody takes from a pot that is empty: how far below it is makes no difference.
                found[pot] = max(self.limits.headroom(pot), 0)
        return list(found.values())

    def put(self, changed: Sequence[Instruction]) -> None:
        """Keeps instructions that are new or have changed, in a commit of its own."""
        if changed:
            with self._house.database.transaction() as session:
                self.keep(session, changed)

    def keep(self, session: UnitOfWork, changed: Sequence[Instruction]) -> None:
        """Keeps instructions that are new or have changed, and what became of their trades."""
        self._store.put(session, changed)
        standings = {
            each.position: TradeStanding(each.state.value, each.reason, each.id)
            for each in changed
            if each.position is not None
        }
        self._intake.note(session, standings)
        note_changes(session, changes_of(changed, self.queue.get))
        session.on_commit(lambda: self._publish(changed))

    def note(self, reasons: Mapping[str, Reason]) -> None:
        """Remembers why some instructions were not signed; they are tried again each time."""
        new = {label: why for label, why in reasons.items() if self.queue.noted.get(label) != why}
        noted = [replace(live, reason=new[live.label]) for live in map(self.queue.get, new) if live]
        self.queue.noted.update(new)
        if noted:
            with self._house.database.transaction() as session:
                self._store.put(session, noted)
                note_changes(session, changes_of(noted, self.queue.get))

    def forget_notes(self, instructions: Iterable[Instruction]) -> None:
        """Something else is in their way now."""
        for each in instructions:
            self.queue.noted.pop(each.label, None)

    def enter_trades(
        self, session: UnitOfWork, trades: Sequence[tuple[int, TradeColumns, Reason | None]]
    ) -> None:
        """Takes trades in that settle on their own: position, a row of columns, why it left.

        A trade fails as a duplicate whose name another instruction has.
        """
        names = [describe_trade_id(self._house.network, trade, 0) for _, trade, _ in trades]
        known = self._store.named_among(session, names, [*map(instruction_id, names)])
        taken = {name for each in known for name in (each.label, each.id)}
        own = {each.position for each in known}
        entered: list[Instruction] = []
        refused: dict[int, TradeStanding] = {}
        for (position, trade, reason), label in zip(trades, names, strict=True):
            arrival = self._store.next_arrival + len(entered)
            instruction = instruction_of_trade(label, arrival, position, trade)
            if position in own:
                continue
            if taken.isdisjoint((label, instruction.id)):
                entered.append(replace(instruction, reason=reason, rule_version=RULE_VERSION))
                taken |= {label, instruction.id}
            else:
                refused[position] = TradeStanding(State.FAILED.value, Reason.DUPLICATE)
        self.keep(session, entered)
        self._intake.note(session, refused)

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
        self.keep(session, ended)

    def standing_of(self, exception: TradeStanding) -> TradeStanding:
        """Where a trade stands that does not settle in a cycle."""
        instruction = self.by_id(exception.instruction) if exception.instruction else None
        if instruction is None:
            return exception
        return TradeStanding(instruction.state.value, instruction.reason, instruction.id)

    def confirmed(self, block: FinalBlock) -> None:
        """A final block is in the books: whoever waits for what came in is looked at again."""
        for posting in block.postings:
            self.has_changed = True
            if posting.kind in _OF_CYCLES:
                self.queue.anything_may_have_changed()
                continue
            kind = _KINDS[posting.register]
            self.queue.credited(_pots(kind, posting.keys[posting.available > 0]))
            if kind is PotKind.SECURITIES:
                self.queue.debited(_pots(kind, posting.keys[posting.available < 0]))

    def suspend(self, participant: int) -> None:
        """A participant is suspended now."""
        self.queue.suspended.add(participant)

    def reinstate(self, participant: int) -> None:
        """A participant is in good standing again."""
        self.queue.suspended.discard(participant)
        self.has_changed = True
        self.queue.anything_may_have_changed()

    def set_unsound(self, unsound: Unsound) -> None:
        """Nothing of these assets settles from now on; what was one of them may again."""
        self.queue.unsound = unsound
        self.has_changed = True
        self.queue.anything_may_have_changed()

    def set_limit(self, limit: Pot, amount: int | None) -> None:
        """Sets the most that an account pays on balance; None takes the limit away."""
        self.limits.set(limit, amount)
        self.queue.set_limits(self.limits.all())
        self.has_changed = True

    def paid(self, instruction: Instruction, amount: int) -> None:
        """Something of an instruction has settled: limits are used, and freed on the other side."""
        self.queue.credited(self.limits.paid(instruction, amount))

    def _publish(self, changed: Iterable[Instruction]) -> None:
        """Lets the queue follow what is on disk now."""
        self.has_changed = True
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
        return replace(live, reason=self.queue.reason_of(live.label))

    def _state_of(self, label: str) -> State | None:
        known = self._store.get(label)
        return known.state if known else None


def _pots(kind: PotKind, keys: Column) -> Iterator[Pot]:
    return (Pot(kind, asset_of(key), account_of(key)) for key in keys.tolist())
