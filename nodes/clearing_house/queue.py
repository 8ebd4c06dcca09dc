"""Gross settlement: instructions that wait their turn and settle one by one, both legs or neither.

Under ``fifo`` an instruction waits while an earlier one that is still queued owes the same asset from
the same account. The cover is looked at in the books first; the contract has the last word.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, func, select

from ledger.books.database import Database
from ledger.books.tables import InstructionRow
from ledger.clearing.columns import TradeColumns
from ledger.domain.reasons import Reason
from ledger.domain.rules import QueueOrder

QUEUED = "queued"
SETTLED = "settled"
CANCELLED = "cancelled"
UNQUEUED = -1


@dataclass(frozen=True, slots=True)
class Debt:
    """What an account owes under an instruction."""

    register: str
    key: int
    amount: int
    reason_when_short: Reason


def debts_of(row: InstructionRow) -> Iterator[Debt]:
    """What the two sides of an instruction owe, the securities first."""
    if row.quantity:
        key = (row.instrument << 32) | row.deliverer
        yield Debt("securities", key, row.quantity, Reason.LACK)
    if row.amount:
        key = (row.currency << 32) | row.receiver
        yield Debt("cash", key, row.amount, Reason.MONY)


def instruction_id(label: str) -> bytes:
    """The id of an instruction on the chain, from the name that people use."""
    return hashlib.sha256(f"novate instruction|{label}".encode()).digest()


def instruction_of_trade(
    label: str, position: int, trade: TradeColumns, reason: Reason | None = None
) -> InstructionRow:
    """The instruction of one trade; the queue gives it its ``arrival``."""
    delivered = trade.as_delivered()
    return InstructionRow(
        id=instruction_id(label),
        arrival=UNQUEUED,
        label=label,
        deliverer=int(delivered.sellers[0]),
        receiver=int(delivered.buyers[0]),
        instrument=int(trade.instruments[0]),
        quantity=int(trade.quantities[0]),
        currency=int(trade.currencies[0]),
        amount=int(trade.amounts[0]),
        state=QUEUED,
        reason=reason.name if reason else "",
        position=position,
    )


class InstructionQueue:
    """The instructions of the clearing house, by order of arrival."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, session: Session, rows: Sequence[InstructionRow]) -> None:
        """Appends instructions to the queue."""
        last = session.exec(select(func.max(InstructionRow.arrival))).one()
        for arrival, row in enumerate(rows, start=0 if last is None else last + 1):
            row.arrival = arrival
            session.add(row)

    def cancel(self, session: Session, positions: Sequence[int]) -> None:
        """Cancels the queued instructions of some trades."""
        rows = select(InstructionRow).where(
            col(InstructionRow.position).in_(positions), InstructionRow.state == QUEUED
        )
        for row in session.exec(rows):
            row.state = CANCELLED

    def waiting(self) -> list[InstructionRow]:
        """The queued instructions, in order of arrival."""
        with self._database.reading() as session:
            rows = select(InstructionRow).where(InstructionRow.state == QUEUED)
            return list(session.exec(rows.order_by(col(InstructionRow.arrival))))

    def all(self) -> list[InstructionRow]:
        """Every instruction, in order of arrival."""
        with self._database.reading() as session:
            return list(session.exec(select(InstructionRow).order_by(col(InstructionRow.arrival))))

    def get(self, id: bytes) -> InstructionRow | None:
        """An instruction by its id."""
        with self._database.reading() as session:
            return session.get(InstructionRow, id)


def first_to_try(
    waiting: Sequence[InstructionRow], order: QueueOrder
) -> Iterator[tuple[InstructionRow, bool]]:
    """Each queued instruction, and whether an earlier one stands before it."""
    owed: set[tuple[str, int]] = set()
    for row in waiting:
        mine = {(debt.register, debt.key) for debt in debts_of(row)}
        yield row, order is QueueOrder.FIFO and bool(mine & owed)
        owed |= mine
