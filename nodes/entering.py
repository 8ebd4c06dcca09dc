"""What participants say of instructions, to the clearing house and to their own nodes.

Of one that is locked in, whoever enters it speaks for both sides: the house takes it in, and the
desks of both agree to its terms. A market in which each side enters its own has ``side_entry`` for
it. Whoever holds or cancels also lets its own node sign nothing of it: the house could not settle
it if it wanted to.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from ledger.books.amendments import LOCKED_IN
from ledger.domain.accounts import participant_of
from ledger.domain.instructions import State
from ledger.domain.reasons import Reason, Rejected
from ledger.settlement.legs import participants_in
from nodes.bus import UnreachableError
from nodes.clearing_house.desk import Entry
from nodes.consortium import Consortium
from nodes.trader import Trader


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

    Sent again after a crash, it also makes up for an agreement that was cut off. Refuses while the
    node of a side is away, since its desk cannot tell it of anything (SILENT).
    """
    desk, message = consortium.clearing_house.desk, entry.message
    sides = sorted({participant_of(message.deliverer), participant_of(message.receiver)})
    away = _away(consortium, map(consortium.network.participant_id, sides))
    refusal = desk.refusal_of(entry) or away
    if refusal is not None:
        return refusal
    was_known = desk.book.as_kept(entry.label) is not None
    refusal = desk.enter(entry)
    if refusal is not None:
        return refusal
    for number in sides:
        trader = consortium.trader(consortium.network.participant_id(number))
        try:
            refusal = trader.mandate_instruction(message, may_be_partial=entry.may_be_partial)
            # The house refuses a label with other terms: no desk has agreed to others under it.
            assert refusal is None, f"{entry.label}: {refusal}"
            if entry.is_held and not was_known:
                trader.withhold_instruction(message.id)
        except UnreachableError as error:
            return Rejected(Reason.SILENT, f"{error}: send the same again")
    return Entered(entry.label, was_known)


def hold(consortium: Consortium, label: str, by: str | None = None) -> Rejected | None:
    """Puts an instruction on hold for one side, or for both."""
    return _told(
        consortium,
        label,
        by,
        consortium.clearing_house.desk.hold,
        lambda trader, id: trader.withhold_instruction(id),
    )


def release(consortium: Consortium, label: str, by: str | None = None) -> Rejected | None:
    """Takes the hold of one side away, or both."""
    return _told(
        consortium,
        label,
        by,
        consortium.clearing_house.desk.release,
        lambda trader, id: trader.allow_instruction(id),
    )


def cancel(consortium: Consortium, label: str, by: str) -> Rejected | None:
    """Asks for cancellation; once an instruction is cancelled, both sides withhold it for good."""
    desk = consortium.clearing_house.desk
    refusal = desk.cancel(label, by)
    known = desk.book.as_kept(label)
    if refusal is None and known is not None and known.state is State.CANCELLED:
        for trader, id in _nodes(consortium, label, None):
            # What is cancelled is proposed to nobody; who is away need not know.
            with suppress(UnreachableError):
                trader.withhold_instruction(id)
    return refusal


def replace(
    consortium: Consortium, label: str, by: str, entry: Entry
) -> Entered | WaitsForOther | Rejected:
    """Amends: asks for the cancellation of one, and enters another once it is cancelled.

    Until the other side of a delivery against payment has asked for that too, nothing is entered;
    the same may be sent again. Refuses, before it asks for anything, what could not be entered, and
    a second replacement of the same.
    """
    desk = consortium.clearing_house.desk
    if entry.label == label:
        return Rejected(Reason.INVALID, f"expected another label than {label}")
    refusal = desk.refusal_of(entry)
    if refusal is not None:
        return refusal
    old = desk.book.as_kept(label)
    is_cancelled = old is not None and old.state is State.CANCELLED
    amendments = desk.book.amendments
    refusal = amendments.refusal_of(LOCKED_IN, label, entry.label, is_cancelled=is_cancelled)
    if refusal is not None:
        return refusal
    if not is_cancelled:
        refusal = cancel(consortium, label, by)
        if refusal is not None:
            return refusal
        with consortium.clearing_house.database.transaction() as session:
            amendments.keep(session, LOCKED_IN, label, entry.label)
        old = desk.book.as_kept(label)
    assert old is not None, "the desk refuses what it does not know"
    return enter(consortium, entry) if old.state is State.CANCELLED else WaitsForOther(label)


def _told(
    consortium: Consortium,
    label: str,
    by: str | None,
    at_house: Callable[[str, str | None], Rejected | None],
    at_node: Callable[[Trader, bytes], None],
) -> Rejected | None:
    """Has the house do something to an instruction, and then the nodes of whoever asks for it."""
    if consortium.clearing_house.desk.book.as_kept(label) is not None:
        asking = [trader.id for trader, _ in _nodes(consortium, label, by)]
        away = _away(consortium, asking)
        if away is not None:
            return away
    refusal = at_house(label, by)
    if refusal is not None:
        return refusal
    try:
        for trader, id in _nodes(consortium, label, by):
            at_node(trader, id)
    except UnreachableError as error:
        return Rejected(Reason.SILENT, f"{error}: send the same again")
    return None


def _away(consortium: Consortium, participants: Iterable[str]) -> Rejected | None:
    """Why nothing can be said to the nodes of participants by their own desks."""
    try:
        for participant in participants:
            consortium.trader(participant).reported_to()
    except UnreachableError as error:
        return Rejected(Reason.SILENT, f"{error}: send the same again when it does")
    return None


def _nodes(consortium: Consortium, label: str, by: str | None) -> list[tuple[Trader, bytes]]:
    """The nodes of one side of an instruction, or of both, and its id."""
    instruction = consortium.clearing_house.desk.book.as_kept(label)
    assert instruction is not None, "the desk refuses what it does not know"
    ids = {consortium.network.participant_id(number) for number in participants_in(instruction)}
    return [(consortium.trader(each), instruction.id) for each in sorted(ids) if by in (None, each)]
