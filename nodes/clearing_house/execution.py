"""Execution: what can settle is settled, one by one, in parts, or as a set.

It looks again at what may have become possible, and at nothing else.
"""

from collections.abc import Sequence
from typing import Final

from contracts.typed_data import InstructionMessage
from ledger.books.instructions import REVERTED, SETTLED
from ledger.domain.instructions import Instruction, State
from ledger.domain.reasons import Reason
from ledger.domain.rules import Gridlock, Rules
from ledger.settlement import lifecycle
from ledger.settlement.legs import PotKind
from ledger.settlement.lifecycle import debtors_of
from ledger.settlement.outlook import Outlook
from ledger.settlement.parts import Part, part_alone
from nodes.clearing_house.instruction_book import InstructionBook
from nodes.clearing_house.resolving import Resolution, Resolver
from nodes.clearing_house.settling import Due, NotSettled, Settled, Settling
from nodes.instruction_terms import next_terms
from nodes.node import Node

_SHORT: Final = frozenset(kind.reason_when_short for kind in PotKind)


class Execution:
    """Settles what the book has, by the rules."""

    def __init__(
        self, house: Node, book: InstructionBook, settling: Settling, rules: Rules
    ) -> None:
        self._house = house
        self._book = book
        self._settling = settling
        self._rules = rules
        self._resolver = Resolver(
            book.queue, book.available_of_many, self._settle_together, book.note, rules
        )
        self._last_run_at = self._now()
        self._unreachable: set[int] = set()
        self._was_refused = False

    def resume(self) -> None:
        """Finishes the attempts that a crash or a failure cut off."""
        for attempt, outcome in self._settling.resume():
            self._take_outcome(attempt.number, outcome)

    def work(self) -> int:
        """Looks again at all that may have become possible; returns how many have settled."""
        queue, tries = self._book.queue, self._rules.auto_settle
        self.begin()
        # Whoever did not sign may do so now, alone or in a set.
        for label in list(queue.noted):
            self._book.has_changed = True
            queue.try_again(label)
        settled = self.try_candidates() if tries else 0
        while self._run_is_due():
            self._last_run_at, self._book.has_changed = self._now(), False
            found = self.resolve(self._rules.gridlock)
            if not found.settled:
                break
            settled += len(found.settled)
            settled += self.try_candidates() if tries else 0
        return settled

    def preview(self, algorithm: Gridlock) -> Resolution:
        """What such a run would select now; nothing is touched."""
        return self._resolver.preview(algorithm)

    def resolve(self, algorithm: Gridlock) -> Resolution:
        """One run of a gridlock algorithm; what it selects settles as one set.

        Where the chain refused the set and has taught the books better, it runs again.
        """
        had_changed = self._book.has_changed
        for _ in range(self._rules.recuts_max + 1):
            self._book.has_changed = self._was_refused = False
            found = self._resolver.resolve(algorithm)
            if not (self._was_refused and self._book.has_changed):
                break
        self._book.has_changed |= had_changed
        return found

    def try_candidates(self) -> int:
        """Settles whatever can alone, in queue order; returns how many have settled."""
        settled = 0
        while (label := self._book.queue.next_to_try()) is not None:
            settled += self.try_one(label)
        return settled

    def try_one(self, label: str) -> int:
        """Settles an instruction with those linked to it, or a part of it; says how many have."""
        outlook = self._book.queue.outlook(label)
        late = [each for each in outlook.group if self._is_late(each)]
        if late:
            self._fail(late)
            return 0
        due = self._due(outlook)
        if due:
            why = self._why_unsettled(due, outlook.group)
            if why is None:
                return len(due)
            if why not in _SHORT:
                self._book.note(dict.fromkeys((each.label for each in outlook.group), why))
                return 0
        # What it lacks is why it waits now, whatever somebody answered before: the books show it as
        # soon as they follow, and know when it is over.
        self._book.forget_notes(outlook.group)
        return 0

    def begin(self) -> None:
        """Fails what its time has passed for; whoever did not answer may be asked again."""
        self._unreachable.clear()
        # What was sent and may have settled does not fail.
        self.resume()
        self._fail(self._book.queue.late(self._now()))

    def fail_the_rest(self) -> None:
        """The day ends: nothing is carried over."""
        self._fail(self._book.queue.live())

    def _due(self, outlook: Outlook) -> list[Due]:
        """What can settle now: an instruction with those linked to it, a part of it, or nothing."""
        if outlook.reason is None:
            return [Due(each, next_terms(each)) for each in outlook.group]
        part = self._part(outlook)
        return [Due(outlook.group[0], next_terms(outlook.group[0], part))] if part else []

    def _why_unsettled(self, due: Sequence[Due], group: Sequence[Instruction]) -> Reason | None:
        """Settles what is due; why it has not, None when it has."""
        if self._is_owed_by_unreachable(group):
            return Reason.SILENT
        outcome = self._attempt(due)
        if isinstance(outcome, Settled):
            return None
        self._unreachable |= {each for each, why in outcome.parties.items() if why is Reason.SILENT}
        return outcome.reason

    def _is_owed_by_unreachable(self, group: Sequence[Instruction]) -> bool:
        """Whether somebody who did not answer a moment ago would have to sign."""
        return bool(self._unreachable) and any(debtors_of(e) & self._unreachable for e in group)

    def _settle_together(self, instructions: Sequence[Instruction]) -> Settled | NotSettled:
        """Settles instructions, all of them or none."""
        return self._attempt([Due(each, next_terms(each)) for each in instructions])

    def _attempt(self, due: Sequence[Due]) -> Settled | NotSettled:
        number = self._settling.store.next_number
        outcome = self._settling.settle(due)
        if self._settling.store.next_number > number:
            self._take_outcome(number, outcome)
        return outcome

    def _take_outcome(self, number: int, outcome: Settled | NotSettled) -> None:
        """Keeps what became of an attempt, in one commit, and lets the books follow."""
        if isinstance(outcome, Settled):
            state, block, messages = SETTLED, outcome.block, outcome.messages
        else:
            state, block, messages = REVERTED, None, outcome.before
        changed = [self._settled(label, each, block) for label, each in messages.items()]
        with self._house.database.transaction() as session:
            self._settling.store.conclude(session, number, state, block)
            self._house.notices.conclude(session)
            self._book.keep(session, changed)
        for each in changed:
            self._book.paid(each, messages[each.label].amount)
        self._was_refused = state is REVERTED
        self._house.catch_up()

    def _settled(self, label: str, message: InstructionMessage, block: int | None) -> Instruction:
        before = self._book.queue.get(label)
        assert before is not None, "what is signed for stays live until it is decided"
        return lifecycle.settled(before, Part(message.quantity, message.amount), block)

    def _part(self, outlook: Outlook) -> Part | None:
        """The part of an instruction that can settle alone, where all it lacks is securities."""
        if outlook.reason is not Reason.LACK or len(outlook.group) > 1:
            return None
        [instruction] = outlook.group
        if self._book.queue.is_behind(instruction):
            return None
        pot = outlook.missing[0].pot
        instrument = self._house.network.instrument(instruction.instrument)
        available = self._book.available(pot)
        return part_alone(self._book.queue, instruction, available, instrument, self._rules)

    def _run_is_due(self) -> bool:
        """Whether the rules have a gridlock run begin now."""
        return bool(len(self._book.queue)) and self._rules.run_is_due(
            len(self._book.queue),
            self._now() - self._last_run_at,
            has_changed=self._book.has_changed,
        )

    def _is_late(self, instruction: Instruction) -> bool:
        return instruction.expires_at is not None and instruction.expires_at < self._now()

    def _fail(self, instructions: Sequence[Instruction]) -> None:
        self._book.put([lifecycle.ended(each, State.FAILED, Reason.LATE) for each in instructions])

    def _now(self) -> int:
        return int(self._house.around.clock.business_time().timestamp())
