"""Instructions that are locked in: whoever enters one speaks for both sides.

The clearing house takes it in, and the desks of both sides agree to its terms. A market in which
each side enters its own has ``side_entry`` for it.
"""

from dataclasses import dataclass

from ledger.domain.accounts import participant_of
from ledger.domain.instructions import State
from ledger.domain.reasons import Reason, Rejected
from nodes.clearing_house.desk import Entry
from nodes.consortium import Consortium


@dataclass(frozen=True, slots=True)
class Entered:
    """The answer to an instruction that was taken in, now or before."""

    label: str
    was_known: bool


@dataclass(frozen=True, slots=True)
class WaitsForOther:
    """Cancellation has been asked for, and the other side has to ask for it as well."""

    label: str


def enter(consortium: Consortium, entry: Entry) -> Entered | Rejected:
    """Enters an instruction for both sides; the same again changes nothing.

    Sent again after a crash, it also makes up for an agreement that was cut off.
    """
    desk = consortium.clearing_house.desk
    was_known = desk.book.as_kept(entry.label) is not None
    refusal = desk.enter(entry)
    if refusal is not None:
        return refusal
    message = entry.message
    for number in sorted({participant_of(message.deliverer), participant_of(message.receiver)}):
        trader = consortium.trader(consortium.network.participant_id(number))
        refusal = trader.mandate_instruction(message, may_be_partial=entry.may_be_partial)
        # The house refuses a label with other terms: no desk has agreed to others under it.
        assert refusal is None, f"{entry.label}: {refusal}"
    return Entered(entry.label, was_known)


def replace(
    consortium: Consortium, label: str, by: str, entry: Entry
) -> Entered | WaitsForOther | Rejected:
    """Amends: asks for the cancellation of one, and enters another once it is cancelled.

    Until the other side of a delivery against payment has asked for that too, nothing is entered;
    the same may be sent again. Refuses, before it asks for anything, what could not be entered.
    """
    desk = consortium.clearing_house.desk
    if entry.label == label:
        return Rejected(Reason.INVALID, f"expected another label than {label}")
    refusal = desk.refusal_of(entry)
    if refusal is not None:
        return refusal
    old = desk.book.as_kept(label)
    if old is None or old.state is not State.CANCELLED:
        refusal = desk.cancel(label, by)
        if refusal is not None:
            return refusal
        old = desk.book.as_kept(label)
    assert old is not None, "the desk refuses what it does not know"
    return enter(consortium, entry) if old.state is State.CANCELLED else WaitsForOther(label)
