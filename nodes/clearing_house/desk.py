"""The instruction desk of the clearing house: what participants may ask of their instructions."""

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from contracts.typed_data import InstructionMessage
from ledger.books.intake import Intake
from ledger.domain.instructions import Instruction, Priority, State
from ledger.domain.reasons import Reason, Rejected
from ledger.domain.rules import Gridlock, Rules
from ledger.settlement import lifecycle
from ledger.settlement.legs import participants_in
from ledger.settlement.lifecycle import Sides
from ledger.settlement.outlook import Outlook
from nodes.clearing_house.execution import Execution
from nodes.clearing_house.instruction_book import InstructionBook
from nodes.clearing_house.resolving import Resolution
from nodes.clearing_house.settling import Settling
from nodes.instruction_terms import instruction_of_terms, whole_terms
from nodes.network import RULE_VERSION
from nodes.node import Node
from nodes.trade_words import is_trade_name


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
    """Instructions from entry to finality.

    Whatever changes, ``work`` is called once. ``book`` is what the house itself asks and tells.
    """

    def __init__(
        self, house: Node, intake: Intake, rules: Rules, suspended: AbstractSet[int]
    ) -> None:
        self._house = house
        self.book = InstructionBook(house, intake, rules.queue, suspended)
        self._execution = Execution(house, self.book, Settling(house, intake, rules), rules)

    def resume(self) -> None:
        """Finishes what a crash or a full disk cut off."""
        self.book.rebuild()
        self._execution.resume()

    def decide(self) -> None:
        """Finds out what became of what was sent: before anything else is done about it."""
        self._execution.resume()

    def enter(self, entry: Entry) -> Rejected | None:
        """Takes an instruction in; the same again changes nothing.

        Refuses other content under its label, sides that are suspended, and a time that is past.
        """
        refusal = self.refusal_of(entry)
        if refusal is None and self.book.as_kept(entry.label) is None:
            self.book.put([self.instruction_of(entry)])
        return refusal

    def refusal_of(self, entry: Entry) -> Rejected | None:
        """Why an instruction would not be taken in; the same again would be."""
        instruction = self.instruction_of(entry)
        for known in self.book.named(entry.label, instruction.id):
            if known.label != entry.label:
                return Rejected(Reason.DUPLICATE, f"the id of {entry.label} is of {known.label}")
            same = _as_entered(known) == _as_entered(instruction)
            return None if same else Rejected(Reason.DUPLICATE, f"{entry.label} has other content")
        flaw = _flaw_of(instruction)
        if flaw:
            return Rejected(Reason.INVALID, f"{entry.label} {flaw}")
        suspension = self._suspension_of(instruction)
        if suspension is not None:
            return suspension
        if entry.expires_at is not None and entry.expires_at < self._now():
            return Rejected(Reason.LATE, f"{entry.label} expires before it is entered")
        return None

    def _suspension_of(self, instruction: Instruction) -> Rejected | None:
        if self.book.queue.suspended.intersection(participants_in(instruction)):
            return Rejected(Reason.SUSPENDED, f"a side of {instruction.label} is suspended")
        if self.book.queue.unsound.touches(instruction):
            return Rejected(Reason.INTEGRITY, f"an asset of {instruction.label} is suspended")
        return None

    def instruction_of(self, entry: Entry) -> Instruction:
        """The instruction as it would come in now, behind all others."""
        instruction = instruction_of_terms(entry.label, self.book.next_arrival, entry.message)
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

    def hold(self, label: str, by: str | None = None) -> Rejected | None:
        """Puts an instruction on hold for one side, or both: not tried, and in nobody's way."""
        return self._change(label, by, lifecycle.held)

    def release(self, label: str, by: str | None = None) -> Rejected | None:
        """Takes a side's hold away, or both."""
        return self._change(label, by, lifecycle.released)

    def prioritise(self, label: str, priority: Priority, by: str | None = None) -> Rejected | None:
        """Gives an instruction another priority; its arrival stays.

        Whoever owes under it says what it pays first, and nobody else.
        """
        return self._change(
            label,
            by,
            lambda each, _: lifecycle.prioritised(each, priority),
            lifecycle.debtors_of,
        )

    def cancel(self, label: str, by: str) -> Rejected | None:
        """Asks for cancellation; until everybody who owes something has, it may still settle.

        Who owes nothing under it has nothing to cancel.
        """
        return self._change(label, by, lifecycle.cancelled, lifecycle.debtors_of)

    def settle(self, label: str) -> Reason | None:
        """Tries one instruction now; says why it has not settled, None when it has."""
        self._execution.begin()
        instruction = self.book.queue.get(label)
        if instruction is None:
            ended = self.book.as_kept(label)
            if ended is None:
                return Reason.UNKNOWN
            return None if ended.state is State.SETTLED else ended.reason or Reason.FINAL
        self._execution.try_one(label)
        live = self.get(label)
        return None if live is None or live.state is State.SETTLED else live.reason

    def resolve(self, algorithm: Gridlock) -> Resolution:
        """One run of a gridlock algorithm over the queue; what it selects settles as one set.

        Raises ValueError for no algorithm.
        """
        self._execution.begin()
        return self._execution.resolve(algorithm)

    def preview(self, algorithm: Gridlock) -> Resolution:
        """What such a run would select now; nothing is touched."""
        return self._execution.preview(algorithm)

    def work(self) -> int:
        """Looks again at all that may have become possible; returns how many have settled."""
        return self._execution.work()

    def end_of_day(self) -> None:
        """Tries the queue once more, whatever else the rules say, then fails what is left."""
        self._execution.begin()
        self._execution.try_candidates()
        self._execution.work()
        self._execution.fail_the_rest()

    def get(self, label: str) -> Instruction | None:
        """An instruction as of now, with the reason why it waits."""
        return self.book.get(label)

    def instructions(self) -> list[Instruction]:
        """Every instruction as of now, by arrival."""
        return self.book.instructions()

    def arrived_since(self, arrival: int, count: int) -> list[Instruction]:
        """At most so many instructions as of now, by arrival, from one on."""
        return self.book.arrived_since(arrival, count)

    def outlook(self, label: str) -> Outlook:
        """Whether a live instruction could settle now, and what would make it. Raises KeyError."""
        return self.book.queue.outlook(label)

    def _change(
        self,
        label: str,
        by: str | None,
        change: Callable[[Instruction, Sides], Instruction],
        entitled: Callable[[Instruction], Iterable[int]] = participants_in,
    ) -> Rejected | None:
        """Changes a live instruction at the wish of its sides, or of those entitled to it."""
        self.decide()
        instruction = self.book.queue.get(label)
        if instruction is None:
            known = self.book.as_kept(label)
            if known is None:
                return Rejected(Reason.UNKNOWN, f"there is no instruction {label}")
            return Rejected(Reason.FINAL, f"{label} is {known.state.value}")
        sides = frozenset(entitled(instruction))
        if by is not None:
            asking = self._house.network.participant_number(by)
            if asking not in sides:
                return Rejected(Reason.UNAUTHORISED, f"that of {label} is not for {by} to ask")
            sides = frozenset({asking})
        self.book.put([change(instruction, sides)])
        return None

    def _now(self) -> int:
        return int(self._house.around.clock.business_time().timestamp())


def _flaw_of(instruction: Instruction) -> str:
    """What is wrong with an instruction in itself; nothing when it is whole."""
    if not instruction.quantity and not instruction.amount:
        return "moves nothing"
    if instruction.deliverer == instruction.receiver:
        return "is between an account and itself"
    return "is the name of a trade" if is_trade_name(instruction.label) else ""


def _as_entered(instruction: Instruction) -> tuple[object, ...]:
    """What makes an instruction the same when it comes again."""
    return (
        whole_terms(instruction).terms_words(),
        instruction.may_be_partial,
        instruction.expires_at,
        instruction.linked_to,
    )
