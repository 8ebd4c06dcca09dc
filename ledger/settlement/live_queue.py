"""The live instructions, in the queues they stand in, and which of them to look at next.

A queue is kept for each pot that is owed from, by priority and arrival. An instruction on hold, or
waiting for one it is linked to, stands in none. Linked ones are covered jointly, as one set.

A link binds both where they name each other or a participant is a side of both: nobody can stop
what is none of its business. Otherwise it only has the one that names wait for the other.

Only what may have changed is looked at again: an instruction that comes in or moves, whoever is
first in a queue whose pot was credited, and whoever is first where another has gone.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import heappop, heappush
from typing import TypeAlias

from ledger.domain.instructions import Instruction, State
from ledger.domain.reasons import Reason
from ledger.domain.rules import QueueOrder
from ledger.settlement.legs import Leg, Limits, Pot, legs_of, participants_in
from ledger.settlement.links import Links
from ledger.settlement.outlook import Outlook, Shortfall, shortfalls
from ledger.settlement.unsound import Unsound

Available = Callable[[Pot], int]
"""What is available in a pot now: units, minor units, or headroom."""

StateOf = Callable[[str], State | None]
"""The state of an instruction by its label; None when it has not arrived."""

_Entry: TypeAlias = tuple[int, int, str]
"""Priority, arrival, label."""


class LiveQueue:
    """Instructions that may still settle. It decides nothing: it says who could, and why not.

    Attributes:
        limits: what the accounts have set, by pot.
        suspended: the numbers of suspended participants.
        unsound: the assets that are suspended since their issue is in doubt.
        noted: why the last attempt came to nothing, by label, where cover was not the cause.
    """

    def __init__(self, order: QueueOrder, available: Available, state_of: StateOf) -> None:
        self.limits: Limits = {}
        self.suspended: set[int] = set()
        self.unsound = Unsound()
        self.noted: dict[str, Reason] = {}
        self._order = order
        self._available = available
        self._state_of = state_of
        self.clear()

    def clear(self) -> None:
        """Forgets every instruction; limits and suspensions stay."""
        self.noted.clear()
        self._live: dict[str, Instruction] = {}
        self._legs: dict[str, tuple[Leg, ...]] = {}
        self._links = Links()
        self._standing: set[str] = set()
        self._queues: dict[Pot, list[_Entry]] = {}
        self._to_try: list[_Entry] = []
        self._is_to_try: set[str] = set()
        self._expiring: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._live)

    @property
    def keeps_order(self) -> bool:
        """Whether whoever stands before another in a queue goes first."""
        return self._order is QueueOrder.FIFO

    def copy(self) -> "LiveQueue":
        """The same once more: what is done to one leaves the other as it is."""
        other = LiveQueue(self._order, self._available, self._state_of)
        other.limits, other.suspended = self.limits, set(self.suspended)
        other.unsound, other.noted = self.unsound, dict(self.noted)
        other._live, other._legs = dict(self._live), dict(self._legs)
        other._links = self._links.copy()
        other._standing = set(self._standing)
        other._queues = {pot: list(queue) for pot, queue in self._queues.items()}
        other._to_try, other._is_to_try = list(self._to_try), set(self._is_to_try)
        other._expiring = list(self._expiring)
        return other

    def get(self, label: str) -> Instruction | None:
        """A live instruction."""
        return self._live.get(label)

    def live(self) -> list[Instruction]:
        """All live instructions, in queue order."""
        return sorted(self._live.values(), key=lambda each: each.place)

    def standing(self) -> list[Instruction]:
        """Those that stand in queues, in queue order."""
        return sorted((self._live[label] for label in self._standing), key=lambda each: each.place)

    def put(self, instruction: Instruction) -> None:
        """Takes an instruction in, or its new version."""
        label = instruction.label
        if label in self._live:
            self._leave(label)
        self._live[label] = instruction
        if instruction.expires_at is not None:
            heappush(self._expiring, (instruction.expires_at, label))
        self._legs[label] = tuple(legs_of(instruction, self.limits))
        self.link(instruction)
        self._place_anew(label)

    def link(self, instruction: Instruction) -> None:
        """Remembers what an instruction that has arrived is linked to, even if it has ended."""
        self._links.add(instruction, self._live)

    def bind(self, label: str, others: Iterable[str]) -> None:
        """Has live instructions settle together, as if they named each other."""
        for other in others:
            self._links.bind(label, other)
        self._place_anew(label)

    def remove(self, label: str) -> None:
        """Forgets an instruction that has ended."""
        if label not in self._live:
            return
        self._leave(label)
        del self._live[label]
        del self._legs[label]
        self.noted.pop(label, None)
        for other in self._links.of(label):
            if other in self._live:
                self._place_anew(other)

    def set_limits(self, limits: Limits) -> None:
        """Takes other limits; whoever they concern is placed anew."""
        self.limits = limits
        for label, instruction in self._live.items():
            legs = tuple(legs_of(instruction, limits))
            if legs != self._legs[label]:
                self._leave(label)
                self._legs[label] = legs
                self._place_anew(label)
        self.credited(limits)

    def credited(self, pots: Iterable[Pot]) -> None:
        """There may be more in some pots: whoever waits for them is looked at again."""
        for pot in pots:
            waiting = self._queues.get(pot)
            if waiting:
                self._try_first_of(pot, waiting)

    def debited(self, pots: Iterable[Pot]) -> None:
        """There may be less in some pots: where cash was short, a part may do now."""
        for pot in pots:
            waiting = self._queues.get(pot, ())
            ahead = waiting[:1] if self._order is QueueOrder.FIFO else waiting
            for *_, label in ahead:
                if self._live[label].may_be_partial:
                    self._try(label)

    def anything_may_have_changed(self) -> None:
        """Whoever could be next is looked at again."""
        for pot, waiting in self._queues.items():
            self._try_first_of(pot, waiting)

    def late(self, now: int) -> list[Instruction]:
        """Those whose time has passed, by time."""
        late: dict[str, Instruction] = {}
        while self._expiring and self._expiring[0][0] < now:
            expires_at, label = heappop(self._expiring)
            live = self._live.get(label)
            if live is not None and live.expires_at == expires_at:
                late[label] = live
        return list(late.values())

    def try_again(self, label: str) -> None:
        """Looks at one again, where something else than cover stood in its way."""
        if label in self._standing:
            self._try(label)

    def next_to_try(self) -> str | None:
        """The first in queue order that is to be looked at; each is given out once."""
        while self._to_try:
            *place, label = heappop(self._to_try)
            # One that was moved or has gone since is in the heap at another place, or no more.
            if label in self._is_to_try and (*self._live[label].place, label) == (*place, label):
                self._is_to_try.discard(label)
                return label
        return None

    def group_of(self, label: str) -> tuple[Instruction, ...]:
        """An instruction with those that settle together with it, in queue order."""
        members = [self._live[each] for each in self._closure(label)]
        return tuple(sorted(members, key=lambda each: each.place))

    def is_linked(self, label: str) -> bool:
        """Whether others settle together with it."""
        return bool(self._links.bound(label))

    def legs(self, label: str) -> Sequence[Leg]:
        """What a live instruction moves, as far as it is open."""
        return self._legs[label]

    def outlook(self, label: str) -> Outlook:
        """Whether an instruction could settle now; if not, why, and what would make it."""
        instruction = self._live[label]
        group = self.group_of(label)
        if instruction.held_by:
            return Outlook(group, Reason.HELD)
        if self._are_stopped(each.label for each in group):
            return Outlook(group, Reason.LINK)
        if any(self.suspended.intersection(participants_in(each)) for each in group):
            return Outlook(group, Reason.SUSPENDED)
        if any(map(self.unsound.touches, group)):
            return Outlook(group, Reason.INTEGRITY)
        missing = self.missing(group)
        if missing:
            return Outlook(group, missing[0].pot.kind.reason_when_short, missing=missing)
        behind = self._standing_before(group)
        return Outlook(group, Reason.BEHIND if behind else None, behind=behind)

    def reason_of(self, label: str) -> Reason | None:
        """Why a live instruction waits as of now; None: nothing is in its way."""
        reason = self.outlook(label).reason
        # Who is on hold, or waits for others, is not even asked for its signature.
        if reason in (Reason.HELD, Reason.LINK, Reason.SUSPENDED, Reason.INTEGRITY):
            return reason
        return self.noted.get(label) or reason

    def missing(self, group: Iterable[Instruction]) -> tuple[Shortfall, ...]:
        """What a group lacks when its instructions settle together."""
        return shortfalls(
            (leg for each in group for leg in legs_of(each, self.limits)), self._available
        )

    def is_behind(self, instruction: Instruction) -> bool:
        """Whether an instruction waits for one that stands before it."""
        return bool(self._standing_before(self.group_of(instruction.label)))

    def ahead_of(self, group: Sequence[Instruction]) -> list[str]:
        """Others that stand before a member of a group in one of its queues, in queue order."""
        labels, ahead = {each.label for each in group}, set[_Entry]()
        for member in group:
            for pot in self._debtors(member.label):
                queue = self._queues.get(pot, ())
                before = queue[: bisect_left(queue, (*member.place, ""))]
                ahead.update(entry for entry in before if entry[2] not in labels)
        return [label for *_, label in sorted(ahead)]

    def awaited_by(self, group: Iterable[Instruction]) -> list[str]:
        """What a group waits for: to come, to settle by itself; or it has come to nothing."""
        return sorted({other for each in group for other in self._awaited(each.label)})

    def can_be_selected(self, instruction: Instruction) -> bool:
        """Whether a run may select it: nothing but cover and order stands in its way."""
        is_suspended = self.suspended.intersection(participants_in(instruction))
        return not is_suspended and not self.unsound.touches(instruction)

    def _standing_before(self, group: Sequence[Instruction]) -> str:
        """One that is not of the group and stands before a member; empty when there is none."""
        if self._order is QueueOrder.BYPASS:
            return ""
        labels = {each.label for each in group}
        for member in group:
            for leg in self._legs[member.label]:
                queue = self._queues.get(leg.debtor, ()) if leg.debtor else ()
                for priority, arrival, label in queue:
                    if (priority, arrival) >= member.place:
                        break
                    if label not in labels:
                        return label
        return ""

    def _place_anew(self, label: str) -> None:
        """Lets a group stand in its queues, or step out of them."""
        members = self._closure(label)
        if self._are_stopped(members):
            for each in members:
                self._leave(each)
            return
        for each in members:
            self._enter(each)
        self._try(label)

    def _enter(self, label: str) -> None:
        if label not in self._standing:
            self._standing.add(label)
            entry = (*self._live[label].place, label)
            for pot in self._debtors(label):
                insort(self._queues.setdefault(pot, []), entry)

    def _leave(self, label: str) -> None:
        if label not in self._standing:
            return
        self._standing.discard(label)
        self._is_to_try.discard(label)
        entry = (*self._live[label].place, label)
        for pot in self._debtors(label):
            waiting = self._queues[pot]
            place = bisect_left(waiting, entry)
            del waiting[place]
            if not waiting:
                del self._queues[pot]
            elif self._order is QueueOrder.FIFO and (place == 0 or self.is_linked(waiting[0][2])):
                # A linked one at the head has others of its group further back.
                self._try(waiting[0][2])

    def _try_first_of(self, pot: Pot, waiting: Sequence[_Entry]) -> None:
        if self._order is QueueOrder.FIFO:
            self._try(waiting[0][2])
            return
        available = self._available(pot)
        for *_, label in waiting:
            if self._owed(label, pot) <= available or self._may_do_with_less(label):
                self._try(label)

    def _may_do_with_less(self, label: str) -> bool:
        """Whether it may settle without all that it owes: in part, or with what others bring."""
        return self._live[label].may_be_partial or self.is_linked(label)

    def _try(self, label: str) -> None:
        if self.is_linked(label):
            # A group's turn is when its first one's is.
            members = self._closure(label) & self._standing
            label = min(members, key=lambda each: self._live[each].place)
        if label not in self._is_to_try:
            self._is_to_try.add(label)
            heappush(self._to_try, (*self._live[label].place, label))

    def _owed(self, label: str, pot: Pot) -> int:
        legs = self._legs[label]
        return sum(leg.amount * ((leg.debtor == pot) - (leg.creditor == pot)) for leg in legs)

    def _debtors(self, label: str) -> Iterator[Pot]:
        seen = set()
        for leg in self._legs[label]:
            if leg.debtor is not None and leg.debtor not in seen:
                seen.add(leg.debtor)
                yield leg.debtor

    def _closure(self, label: str) -> set[str]:
        """The live instructions that are linked to one, itself among them."""
        found, ahead = {label}, [label]
        while ahead:
            for other in self._links.bound(ahead.pop()):
                if other in self._live and other not in found:
                    found.add(other)
                    ahead.append(other)
        return found

    def _are_stopped(self, members: Iterable[str]) -> bool:
        """Whether a member of a group is on hold, or waits for one that is not there to settle."""
        return any(
            self._live[each].held_by or any(True for _ in self._awaited(each)) for each in members
        )

    def _awaited(self, label: str) -> Iterator[str]:
        """What has to come, or to settle by itself, before one can; or has come to nothing."""
        bound = self._links.bound(label)
        for other in self._links.awaited_by(label):
            if other in self._live:
                if other not in bound:
                    yield other
            elif self._state_of(other) is not State.SETTLED:
                yield other
