"""What becomes of an instruction: each step is a new version of it, and only steps that may be."""

from dataclasses import replace
from typing import Final, Protocol

from ledger.domain.accounts import participant_of
from ledger.domain.instructions import Instruction, Priority, State
from ledger.domain.reasons import Reason
from ledger.settlement.parts import Part

Sides = frozenset[int]
"""Numbers of participants."""

NOBODY: Final[Sides] = frozenset()


class Terms(Protocol):
    """What is delivered and paid between two accounts, as a record has it or as it is signed."""

    @property
    def deliverer(self) -> int: ...  # noqa: D102 # as in Instruction
    @property
    def receiver(self) -> int: ...  # noqa: D102
    @property
    def quantity(self) -> int: ...  # noqa: D102
    @property
    def amount(self) -> int: ...  # noqa: D102


def debtors_of(instruction: Terms) -> Sides:
    """The participants that owe something under an instruction."""
    owed = (
        (instruction.deliverer, instruction.quantity),
        (instruction.receiver, instruction.amount),
    )
    return frozenset(participant_of(account) for account, amount in owed if amount)


def held(instruction: Instruction, by: Sides) -> Instruction:
    """On hold for some of its sides."""
    return _moved(replace(instruction, held_by=instruction.held_by | by), State.HELD)


def released(instruction: Instruction, by: Sides) -> Instruction:
    """Without the hold of some of its sides; queued again when nobody holds it any more."""
    held_by = instruction.held_by - by
    if held_by or instruction.state is not State.HELD:
        return replace(instruction, held_by=held_by)
    state = State.PARTIALLY_SETTLED if instruction.parts else State.QUEUED
    return _moved(replace(instruction, held_by=held_by), state)


def prioritised(instruction: Instruction, priority: Priority) -> Instruction:
    """With another priority; its arrival stays."""
    return replace(instruction, priority=priority)


def cancelled(instruction: Instruction, by: Sides) -> Instruction:
    """Asked to be cancelled; cancelled once everybody who owes something under it has asked."""
    asked = replace(instruction, cancelled_by=instruction.cancelled_by | by)
    return ended(asked, State.CANCELLED) if debtors_of(asked) <= asked.cancelled_by else asked


def ended(instruction: Instruction, state: State, reason: Reason | None = None) -> Instruction:
    """At its end: cancelled or failed."""
    return _moved(replace(instruction, reason=reason, held_by=NOBODY), state)


def settled(instruction: Instruction, part: Part, block: int | None) -> Instruction:
    """After something of it has settled, in a block."""
    after = replace(
        instruction,
        settled_quantity=instruction.settled_quantity + part.quantity,
        settled_amount=instruction.settled_amount + part.amount,
        parts=instruction.parts + 1,
        reason=None,
        block=block,
    )
    if not after.open_quantity and not after.open_amount:
        return _moved(replace(after, held_by=NOBODY), State.SETTLED)
    return _moved(after, State.PARTIALLY_SETTLED)


def _moved(instruction: Instruction, state: State) -> Instruction:
    before = instruction.state
    assert state is before or before.can_become(state), f"{before.value} to {state.value}"
    return replace(instruction, state=state)
