"""What has changed of instructions, as the clearing house notes it in its books."""

from collections.abc import Callable, Iterable

from ledger.books.changes import (
    Change,
    InstructionChange,
    Standing,
    TradesChange,
    ranges_of,
)
from ledger.domain.accounts import participant_of
from ledger.domain.instructions import Instruction

LiveByLabel = Callable[[str], Instruction | None]


def changes_of(changed: Iterable[Instruction], live: LiveByLabel) -> list[Change]:
    """What changes against the live instructions so far; trades by what becomes of them."""
    noted: list[Change] = []
    places: dict[tuple[str, str, int | None], list[int]] = {}
    for each in changed:
        before = live(each.label)
        if before == each:
            continue
        if each.position is not None:
            reason = each.reason.name if each.reason else ""
            places.setdefault((each.state.value, reason, each.block), []).append(each.position)
        else:
            noted.append(_change(before, each))
    noted += [TradesChange(ranges_of(sorted(some)), *what) for what, some in places.items()]
    return noted


def _change(before: Instruction | None, after: Instruction) -> InstructionChange:
    sides = participant_of(after.deliverer), participant_of(after.receiver)
    standing = _standing(before) if before else None
    return InstructionChange(after.label, sides, standing, _standing(after))


def _standing(instruction: Instruction) -> Standing:
    return Standing(
        state=instruction.state.value,
        reason=instruction.reason.name if instruction.reason else "",
        held_by=tuple(sorted(instruction.held_by)),
        cancelled_by=tuple(sorted(instruction.cancelled_by)),
        priority=int(instruction.priority),
        parts=instruction.parts,
        settled_quantity=instruction.settled_quantity,
        settled_amount=instruction.settled_amount,
        block=instruction.block,
    )
