"""A trader's side of two-sided entry: what its desk has entered, and what it agrees to.

A match is agreed to only within what the trader has entered itself, and once: whatever the clearing
house says, no side becomes two instructions.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from contracts.typed_data import InstructionMessage
from ledger.books.entered_sides import Entered, EnteredSides, SideState, packed
from ledger.domain.accounts import participant_of
from ledger.domain.errors import MalformedError
from ledger.domain.participants import Role
from ledger.domain.reasons import Reason, Rejected
from ledger.settlement.matching import Side, Wishes, differences
from nodes.instruction_terms import instruction_id
from nodes.messages import (
    Accepted,
    AllegementRequest,
    Allegements,
    AmendedSide,
    Disagreement,
    Dissolved,
    EnteredSide,
    Matched,
    Message,
    WithdrawnSide,
)
from nodes.node import Node


class GiveMandate(Protocol):
    """Agrees to sign an instruction, or part after part of it."""

    def __call__(
        self, instruction: InstructionMessage, *, may_be_partial: bool = False
    ) -> Rejected | None:
        """Refuses an id under which other terms were agreed to."""


Withhold = Callable[[bytes], None]
"""Signs nothing of an instruction, by its id, until it is allowed again."""


class SideEntry:
    """The sides of one trader, entered through its own node."""

    def __init__(self, trader: Node, give_mandate: GiveMandate, withhold: Withhold) -> None:
        self._trader = trader
        self._give_mandate = give_mandate
        self._withhold = withhold
        self._sides = EnteredSides(trader.database)

    # What its own desk tells it.

    def enter(self, reference: str, side: Side, wishes: Wishes | None = None) -> Rejected | None:
        """Enters a side; the same again is answered the same.

        Raises UnreachableError when the clearing house does not answer: the same may be sent again.
        """
        message = EnteredSide(reference, side, wishes or Wishes())
        refusal = self._keep(message)
        if refusal is None:
            refusal = _refusal(self._ask(message))
            if refusal is not None:
                self._forget(reference)
        return refusal

    def withdraw(self, reference: str) -> Rejected | None:
        """Takes a side back, or asks for the cancellation of what it was matched into.

        Raises UnreachableError.
        """
        return _refusal(self._ask(WithdrawnSide(reference)))

    def amend(
        self, reference: str, replacement: str, side: Side, wishes: Wishes | None = None
    ) -> Rejected | None:
        """Cancels a side and enters another; UNMATCHED until the other side has cancelled too.

        Raises UnreachableError.
        """
        message = EnteredSide(replacement, side, wishes or Wishes())
        # One that was entered before stays entered when the amendment is refused.
        is_new = self._sides.get(self._trader.id, replacement) is None
        refusal = self._keep(message)
        if refusal is None:
            refusal = _refusal(self._ask(AmendedSide(reference, message)))
            if refusal is not None and is_new:
                self._forget(replacement)
        return refusal

    def allegements(self) -> Allegements:
        """What others have entered that lacks a side of this trader. Raises UnreachableError."""
        answer = self._ask(AllegementRequest())
        assert isinstance(answer, Allegements)
        return answer

    # What the clearing house tells it.

    def answer(self, message: Matched | Dissolved) -> Accepted | Disagreement:
        """Answers what the clearing house tells of a side."""
        return self.agree(message) if isinstance(message, Matched) else self.dissolve(message)

    def dissolve(self, message: Dissolved) -> Accepted | Disagreement:
        """Agrees to nothing for a side any more, and signs nothing of what it was matched into."""
        own = self._sides.get(self._trader.id, message.reference)
        if own is None or (own.label and own.label != message.label):
            return _disagree(f"no side {message.reference} is of {message.label}")
        if message.label:
            self._withhold(instruction_id(message.label))
        with self._trader.database.transaction() as session:
            self._sides.change(session, [replace(own, state=SideState.CANCELLED)])
        return Accepted()

    def agree(self, message: Matched) -> Accepted | Disagreement:
        """Agrees to an instruction that is within its own side, and to no other for that side."""
        own = self._sides.get(self._trader.id, message.reference)
        if own is None or own.state is SideState.CANCELLED:
            return _disagree(f"no side {message.reference} waits for a match")
        now = int(self._trader.around.clock.business_time().timestamp())
        if own.wishes.expires_at is not None and own.wishes.expires_at < now:
            return _disagree(f"the time of {message.reference} has passed")
        if own.label and own.label != message.label:
            return _disagree(f"{message.reference} was matched into {own.label}")
        objection = self._objection(own, message)
        if objection:
            return _disagree(objection)
        if own.wishes.is_held and not own.label:
            # Its own node lets go of it when the side does. This comes first: a crash after it is
            # made up for when the match is told again.
            self._withhold(message.instruction.id)
        with self._trader.database.transaction() as session:
            matched = replace(own, state=SideState.MATCHED, label=message.label)
            self._sides.change(session, [matched])
        refusal = self._give_mandate(message.instruction, may_be_partial=message.may_be_partial)
        return Accepted() if refusal is None else Disagreement(refusal)

    def _objection(self, own: Entered, message: Matched) -> str:
        """What an instruction has that the own side does not bear out; nothing when it does."""
        if message.instruction.id != instruction_id(message.label):
            return "the instruction has another id than its label says"
        if message.may_be_partial and not own.wishes.may_be_partial:
            return "the own side takes no parts"
        try:
            other = self._other_side(own.side, message.instruction)
        except LookupError:
            return "the instruction names what is not known here"
        if own.side.is_deliverer and other.amount != own.side.amount:
            return "the amount is not the deliverer's"
        found = differences(own.side, other, self._trader.around.rules.matching_tolerances)
        return f"{', '.join(found)} are not as entered" if found else ""

    def _other_side(self, own: Side, instruction: InstructionMessage) -> Side:
        """The other side as an instruction has it; what is no term of it is as in the own side."""
        network = self._trader.network
        accounts = (instruction.deliverer, instruction.receiver)
        deliverer, receiver = (network.participant_id(participant_of(each)) for each in accounts)
        isin = network.instrument(instruction.instrument).isin if instruction.quantity else ""
        return replace(
            own,
            is_deliverer=not own.is_deliverer,
            deliverer=deliverer,
            receiver=receiver,
            deliverer_account=network.account_id(instruction.deliverer),
            receiver_account=network.account_id(instruction.receiver),
            isin=isin,
            quantity=instruction.quantity,
            currency=network.currency(instruction.currency) if instruction.amount else "",
            amount=instruction.amount,
        )

    def _keep(self, message: EnteredSide) -> Rejected | None:
        """Keeps an own side before it is sent: the match may be told before the answer comes."""
        try:
            packed(message.side, message.wishes)
        except MalformedError as error:
            return Rejected(Reason.INVALID, str(error))
        known = self._sides.get(self._trader.id, message.reference)
        if known is not None:
            is_same = (known.side, known.wishes) == (message.side, message.wishes)
            detail = f"the reference {message.reference} was used with other content"
            return None if is_same else Rejected(Reason.DUPLICATE, detail)
        entered = Entered(
            participant=self._trader.id,
            reference=message.reference,
            place=self._sides.next_place,
            side=message.side,
            wishes=message.wishes,
        )
        with self._trader.database.transaction() as session:
            self._sides.add(session, entered)
        return None

    def _forget(self, reference: str) -> None:
        """Forgets a side that the clearing house does not take."""
        own = self._sides.get(self._trader.id, reference)
        if own is not None and own.state is SideState.UNMATCHED:
            with self._trader.database.transaction() as session:
                self._sides.forget(session, own)

    def _ask(self, message: Message) -> object:
        trader = self._trader
        house = trader.network.sole(Role.CLEARING_HOUSE)
        return trader.around.bus.request(trader.id, house, message)


def _refusal(answer: object) -> Rejected | None:
    return answer.refusal if isinstance(answer, Disagreement) else None


def _disagree(detail: str) -> Disagreement:
    return Disagreement(Rejected(Reason.DISPUTED, detail))
