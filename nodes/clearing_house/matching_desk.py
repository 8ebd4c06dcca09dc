"""The matching desk of the clearing house: sides come in, find each other, and become instructions.

A side is on disk, and matched or not, before its entry is answered. What was matched is then told
to both traders, which agree to it within what they have entered themselves, and enters the queue on
the settlement date. A match that is cut off on its way (by a crash, or a trader that is silent)
is brought in by ``work`` later, as if nothing had happened.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Final, assert_never

from ledger.books.amendments import Amendments
from ledger.books.database import UnitOfWork
from ledger.books.entered_sides import Entered, EnteredSides, SideState
from ledger.domain.instructions import State
from ledger.domain.reasons import Reason, Rejected
from ledger.settlement.legs import participants_in
from ledger.settlement.matching import Side, Unmatched
from nodes.bus import NOT_TAKEN
from nodes.clearing_house.desk import Entry, InstructionDesk
from nodes.clearing_house.dissolved_sides import DissolvedSides
from nodes.clearing_house.match_terms import as_wished, entry_of, label_of, owes
from nodes.clearing_house.nearest import COMPARED_MAX, Nearest, nearest_of
from nodes.clearing_house.pending_matches import PendingMatches, Timetable
from nodes.clearing_house.side_checks import refusal_of
from nodes.messages import (
    Accepted,
    Allegement,
    Allegements,
    AmendedSide,
    EnteredSide,
    Matched,
)
from nodes.node import Node

ALLEGEMENTS_MAX: Final = 500


class MatchingDesk:
    """Two-sided entry of instructions. Whoever calls it lets the instruction desk ``work``."""

    def __init__(self, house: Node, desk: InstructionDesk) -> None:
        self._house = house
        self._desk = desk
        self._sides = EnteredSides(house.database)
        self._amendments = Amendments(house.database)
        self._unmatched = Unmatched(house.around.rules.matching_tolerances)
        self._waiting: dict[int, Entered] = {}
        self._expiries: Timetable[int] = Timetable()
        self._pending = PendingMatches()
        self._dissolved = DissolvedSides(house)
        for entered in self._sides.in_state(SideState.UNMATCHED):
            self._publish(entered)
        matched = defaultdict(list)
        for entered in self._sides.in_state(SideState.MATCHED):
            matched[entered.label].append(entered)
        for label, sides in matched.items():
            self._pending.add(label, sides)

    # What participants ask of it.

    def enter(self, participant: str, message: EnteredSide) -> Rejected | None:
        """Takes a side in; the same again changes nothing.

        Refuses other content under the same reference, and what names what is not there.
        """
        refusal = self._refusal_of(participant, message)
        if refusal is not None or self._sides.get(participant, message.reference) is not None:
            return refusal
        self._fail_late()
        label = self._keep(participant, message)
        if label:
            self._bring_in(label)
        return None

    def withdraw(self, participant: str, reference: str) -> Rejected | None:
        """Takes an unmatched side back; of one that was matched, asks for cancellation.

        Whose sides are cancelled by it is told; asked again, it tells whoever did not answer.
        """
        entered = self._sides.get(participant, reference)
        if entered is None:
            return Rejected(Reason.UNKNOWN, f"{participant} has entered no side {reference}")
        refusal = None
        match entered.state:
            case SideState.CANCELLED:
                pass
            case SideState.FAILED:
                refusal = Rejected(Reason.FINAL, f"{reference} has failed")
            case SideState.UNMATCHED:
                self._end([entered], SideState.CANCELLED)
            case SideState.MATCHED:
                self._ask_out(entered)
            case SideState.ENTERED:
                if self.state_of(participant, reference) is not State.CANCELLED:
                    refusal = self._desk.cancel(entered.label, participant)
            case _:
                assert_never(entered.state)
        if refusal is None and self.state_of(participant, reference) is State.CANCELLED:
            label = entered.label
            self._dissolved.tell(self._sides.of_instruction(label) if label else (entered,))
        return refusal

    def amend(self, participant: str, message: AmendedSide) -> Rejected | None:
        """Takes a side back and another in, under a new reference.

        Nothing is taken back when the other could not be entered.
        What was matched is first cancelled by both: until the other side has asked for that too,
        the answer is UNMATCHED and the same amendment may be sent again.
        """
        replacement, old = message.replacement, message.reference
        refusal = self._refusal_of(participant, replacement)
        if refusal is not None:
            return refusal
        if replacement.reference == old:
            return Rejected(Reason.INVALID, f"expected another reference than {old}")
        refusal = self._amendments.refusal_of(
            participant,
            old,
            replacement.reference,
            is_cancelled=self.state_of(participant, old) is State.CANCELLED,
        ) or self.withdraw(participant, old)
        if refusal is not None:
            return refusal
        with self._house.database.transaction() as session:
            self._amendments.keep(session, participant, old, replacement.reference)
        if self.state_of(participant, old) is not State.CANCELLED:
            detail = f"{old} was matched: its other side has to ask for cancellation as well"
            return Rejected(Reason.UNMATCHED, detail)
        return self.enter(participant, replacement)

    def allegements(self, participant: str) -> Allegements:
        """The unmatched sides of others that wait for a participant's own, earliest first."""
        places = self._unmatched.places()
        waiting = [self._waiting[place] for place in places]
        alleged = [e for e in waiting if e.side.counterparty == participant]
        own = [e for e in waiting if e.participant == participant][:COMPARED_MAX]
        shown = tuple(self._allegement(each, own) for each in alleged[:ALLEGEMENTS_MAX])
        return Allegements(shown, len(alleged))

    def state_of(self, participant: str, reference: str) -> State | None:
        """The state of the instruction that a side is of; None when there is no such side."""
        entered = self._sides.get(participant, reference)
        if entered is None:
            return None
        match entered.state:
            case SideState.UNMATCHED:
                return State.UNMATCHED
            case SideState.CANCELLED:
                return State.CANCELLED
            case SideState.FAILED:
                return State.FAILED
            case SideState.MATCHED:
                return State.QUEUED
            case SideState.ENTERED:
                instruction = self._desk.get(entered.label)
                assert instruction is not None, "what was entered stays on record"
                return instruction.state
            case _:
                assert_never(entered.state)

    def reason_of(self, participant: str, reference: str) -> Reason | None:
        """Why a side is not settled: what it waits for, or how it has ended."""
        entered = self._sides.get(participant, reference)
        if entered is None:
            return None
        match entered.state:
            case SideState.UNMATCHED:
                return Reason.UNMATCHED
            case SideState.CANCELLED:
                return None
            case SideState.FAILED:
                return Reason.LATE
            case SideState.MATCHED:
                refusal = self.refusal_of(entered.label)
                return refusal.reason if refusal else None
            case SideState.ENTERED:
                instruction = self._desk.get(entered.label)
                assert instruction is not None, "what was entered stays on record"
                return instruction.reason
            case _:
                assert_never(entered.state)

    def refusal_of(self, label: str) -> Rejected | None:
        """Why a match has not entered the queue, as of the last time it was tried."""
        return self._pending.refusal_of(label)

    def get(self, participant: str, reference: str) -> Entered | None:
        """A side by its participant and reference."""
        return self._sides.get(participant, reference)

    def entered_since(self, place: int, count: int, participant: str | None) -> list[Entered]:
        """Sides from a place on in the order of entry, of everybody or of one participant."""
        return self._sides.since(place, count, participant)

    def nearest_to(self, entered: Entered) -> Nearest | None:
        """What comes nearest to an unmatched side, of the sides that are alleged to its owner."""
        waiting = [self._waiting[place] for place in self._unmatched.places()]
        alleged = [e for e in waiting if e.side.counterparty == entered.participant]
        return self._nearest(entered, alleged[:COMPARED_MAX])

    # What the house asks of it.

    def work(self) -> int:
        """Brings in the matches that are due and not in the queue; returns how many are now.

        Sides whose time has passed fail, matched or not.
        """
        self._fail_late()
        return sum(self._bring_in(label) for label in self._pending.due(self._today()))

    def end_of_day(self) -> None:
        """Tries once more the matches that could not enter the queue, then fails them."""
        for label in self._pending.refused():
            self._bring_in(label)
        for label in self._pending.refused():
            self._end(self._sides.of_instruction(label), SideState.FAILED)

    def resume(self) -> None:
        """Finishes what a crash cut off."""
        self.work()

    # How it goes on.

    def _keep(self, participant: str, message: EnteredSide) -> str:
        """Keeps a side, with the one it matches if there is one; the label of the match."""
        entered = Entered(
            participant=participant,
            reference=message.reference,
            place=self._sides.next_place,
            side=message.side,
            wishes=message.wishes,
        )
        place = self._unmatched.partner_of(message.side)
        if place < 0:
            with self._house.database.transaction() as session:
                self._sides.add(session, entered)
                session.on_commit(lambda: self._publish(entered))
            return ""
        partner = self._waiting[place]
        label = label_of(entered, partner)
        with self._house.database.transaction() as session:
            self._sides.add(session, replace(entered, state=SideState.MATCHED, label=label))
            self._change(session, replace(partner, state=SideState.MATCHED, label=label))
            session.on_commit(lambda: self._pending.add(label, (entered, partner)))
        return label

    def _bring_in(self, label: str) -> bool:
        """Tells both traders of a match, and enters it into the queue; says whether it has."""
        network, (deliverer, receiver) = self._house.network, self._sides.of_instruction(label)
        if deliverer.side.settlement_date > self._today():
            return False
        entry = entry_of(network, deliverer, receiver)
        refusal = self._tell(deliverer, entry) or self._tell(receiver, entry)
        refusal = refusal or self._desk.refusal_of(entry)
        sides = (deliverer, receiver)
        if refusal is not None:
            self._pending.refuse(label, refusal)
            return False
        # In one commit: what is in the queue is never cancelled as a match that is not.
        with self._house.database.transaction() as session:
            if self._desk.book.as_kept(label) is None:
                instruction = as_wished(network, self._desk.instruction_of(entry), sides)
                self._desk.book.keep(session, [instruction])
            for each in sides:
                self._change(session, replace(each, state=SideState.ENTERED))
            session.on_commit(lambda: self._pending.remove(label))
        return True

    def _tell(self, entered: Entered, entry: Entry) -> Rejected | None:
        """Tells a trader of the match; why it has not agreed, None when it has."""
        matched = Matched(entered.reference, entry.label, entry.message, entry.may_be_partial)
        try:
            answer = self._house.around.bus.request(self._house.id, entered.participant, matched)
        except NOT_TAKEN:
            return Rejected(Reason.SILENT, f"{entered.participant} does not answer")
        except PermissionError:
            answer = None
        if isinstance(answer, Accepted):
            return None
        return Rejected(Reason.DISPUTED, f"{entered.participant} does not agree to {entry.label}")

    def _ask_out(self, entered: Entered) -> None:
        """Of a match that is not in the queue yet: gone once everybody who owes has asked."""
        asked = replace(entered, has_asked_out=True)
        others = [e for e in self._sides.of_instruction(entered.label) if e.place != entered.place]
        sides = [asked, *others]
        asking = {each.participant for each in sides if each.has_asked_out}
        if all(each.participant in asking for each in sides if owes(each)):
            self._end(sides, SideState.CANCELLED)
        else:
            with self._house.database.transaction() as session:
                self._change(session, asked)

    def _fail_late(self) -> None:
        """Fails the sides whose time has passed, before anybody is told of a match."""
        now = self._now()
        late = self._expiries.until(now - 1)
        if late:
            self._end([self._waiting[place] for place in late], SideState.FAILED)
        for label in self._pending.late(now):
            self._end(self._sides.of_instruction(label), SideState.FAILED)

    def _end(self, sides: Sequence[Entered], state: SideState) -> None:
        """Ends sides that wait, or both of one match that is not in the queue."""
        with self._house.database.transaction() as session:
            for each in sides:
                self._change(session, replace(each, state=state))
            label = sides[0].label
            if label:
                session.on_commit(lambda: self._pending.remove(label))

    def _change(self, session: UnitOfWork, entered: Entered) -> None:
        """Puts into a transaction what has become of a side; it waits no longer."""
        assert entered.state is not SideState.UNMATCHED
        self._sides.change(session, [entered])
        session.on_commit(lambda: self._remove(entered.place))

    def _publish(self, entered: Entered) -> None:
        self._waiting[entered.place] = entered
        if entered.wishes.expires_at is not None:
            self._expiries.add(entered.wishes.expires_at, entered.place)
        self._unmatched.add(entered.place, entered.side)

    def _remove(self, place: int) -> None:
        entered = self._waiting.pop(place, None)
        if entered is not None:
            self._unmatched.remove(place)
            if entered.wishes.expires_at is not None:
                self._expiries.remove(entered.wishes.expires_at, place)

    def _refusal_of(self, participant: str, message: EnteredSide) -> Rejected | None:
        """Why a side cannot be entered; the same again can, whatever has become of it."""
        refusal = refusal_of(self._house.network, participant, message)
        if refusal is not None:
            return refusal
        known = self._sides.get(participant, message.reference)
        if known is None:
            foreign = self._foreign_link(participant, message.wishes.linked_to)
            return foreign or self._untimely(message) or self._suspended(message)
        is_same = (known.side, known.wishes) == (message.side, message.wishes)
        detail = f"{participant} has used the reference {message.reference} already"
        return None if is_same else Rejected(Reason.DUPLICATE, detail)

    def _foreign_link(self, participant: str, labels: Iterable[str]) -> Rejected | None:
        """Nobody stops an instruction of others by a link; a label not yet used is nobody's."""
        for label in labels:
            instruction = self._desk.book.as_kept(label)
            numbers = () if instruction is None else participants_in(instruction)
            sides = {self._house.network.participant_id(number) for number in numbers}
            sides |= self._pending.participants_of(label)
            if sides and participant not in sides:
                return Rejected(Reason.UNAUTHORISED, f"{participant} is no side of {label}")
        return None

    def _untimely(self, message: EnteredSide) -> Rejected | None:
        expires_at = message.wishes.expires_at
        if expires_at is not None and expires_at < self._now():
            return Rejected(Reason.LATE, f"{message.reference} expires before it is entered")
        return None

    def _suspended(self, message: EnteredSide) -> Rejected | None:
        side, suspended = message.side, self._desk.book.queue.suspended
        for participant in (side.deliverer, side.receiver):
            if self._house.network.participant_number(participant) in suspended:
                return Rejected(Reason.SUSPENDED, f"{participant} is suspended")
        if self._is_unsound(side):
            return Rejected(Reason.INTEGRITY, f"an asset of {message.reference} is suspended")
        return None

    def _is_unsound(self, side: Side) -> bool:
        """Whether it would move something whose issue is in doubt."""
        unsound, network = self._desk.book.queue.unsound, self._house.network
        if not unsound:
            return False
        if side.quantity and network.instrument_number(side.isin) in unsound.instruments:
            return True
        numbers = map(network.participant_number, (side.deliverer, side.receiver))
        currency = network.currency_number(side.currency) if side.amount else 0
        return any((number, currency) in unsound.cash for number in numbers)

    def _allegement(self, alleged: Entered, own: list[Entered]) -> Allegement:
        nearest = self._nearest(alleged, own)
        if nearest is None:
            return Allegement(alleged.reference, alleged.side)
        return Allegement(
            alleged.reference, alleged.side, nearest.entered.reference, nearest.differing
        )

    def _nearest(self, entered: Entered, others: list[Entered]) -> Nearest | None:
        return nearest_of(entered, others, self._house.around.rules.matching_tolerances)

    def _today(self) -> date:
        return self._house.around.clock.business_time().date()

    def _now(self) -> int:
        return int(self._house.around.clock.business_time().timestamp())
