"""What became of cycles and instructions, by the ledger and by the house's own records."""

from collections.abc import Sequence
from typing import Final

from sqlmodel import Session, col, select

from ledger.books.postings import Origin
from ledger.books.tables import InstructionRow, SettledRow
from ledger.domain.instructions import State

AT_ONCE: Final = 500
"""Instructions in one statement."""
ENDED_UNSETTLED: Final = (State.CANCELLED.value, State.FAILED.value)


def settled_block(session: Session, origin: Origin, reference: bytes) -> int | None:
    """The block in which something settled by the ledger; None: it has not."""
    rows = select(SettledRow.block).where(
        SettledRow.origin == origin.value, SettledRow.reference == reference
    )
    return session.exec(rows).first()


def instruction_of(session: Session, label: str) -> InstructionRow:
    """An instruction as the house has it. Raises NoResultFound."""
    return session.exec(select(InstructionRow).where(InstructionRow.label == label)).one()


def settled_though_ended(session: Session, references: Sequence[bytes] | None) -> list[str]:
    """The labels of those that the house has as cancelled or failed and the ledger as settled.

    Among those of some references, or among all.
    """
    ended = select(InstructionRow.label).where(col(InstructionRow.state).in_(ENDED_UNSETTLED))
    if references is None:
        on_ledger = select(SettledRow.reference).where(
            SettledRow.origin == Origin.INSTRUCTION.value
        )
        return list(session.exec(ended.where(col(InstructionRow.id).in_(on_ledger))))
    return [
        label
        for first in range(0, len(references), AT_ONCE)
        for label in session.exec(
            ended.where(col(InstructionRow.id).in_(references[first : first + AT_ONCE]))
        )
    ]


def noted_though_open(session: Session, after_block: int) -> list[str]:
    """The labels of those noted as settled above a block that the ledger does not show.

    Not of those that may be settled in parts, which have ids of their own.
    """
    on_ledger = select(SettledRow.reference).where(
        SettledRow.origin == Origin.INSTRUCTION.value,
        SettledRow.reference == InstructionRow.id,
    )
    noted = select(InstructionRow.label).where(
        InstructionRow.state == State.SETTLED.value,
        col(InstructionRow.block) > after_block,
        col(InstructionRow.may_be_partial).is_(False),
        ~on_ledger.exists(),
    )
    return list(session.exec(noted))
