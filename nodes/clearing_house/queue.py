"""Gross settlement: instructions that wait their turn and settle one by one, both legs or neither.

Under ``fifo`` an instruction waits while an earlier one that is still queued owes the same asset
from the same account. The cover is looked at in the books first; the contract has the last word.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from contracts.typed_data import InstructionMessage
from ledger.books.instructions import QUEUED
from ledger.books.postings import Register
from ledger.books.tables import InstructionRow
from ledger.clearing.columns import TradeColumns
from ledger.domain.accounts import holding_key
from ledger.domain.reasons import Reason
from ledger.domain.rules import QueueOrder

UNQUEUED = -1


@dataclass(frozen=True, slots=True)
class Debt:
    """What an account owes under an instruction."""

    register: Register
    key: int
    amount: int
    reason_when_short: Reason


def debts_of(row: InstructionRow) -> Iterator[Debt]:
    """What the two sides of an instruction owe, the securities first."""
    if row.quantity:
        key = holding_key(row.instrument, row.deliverer)
        yield Debt(Register.SECURITIES, key, row.quantity, Reason.LACK)
    if row.amount:
        key = holding_key(row.currency, row.receiver)
        yield Debt(Register.CASH, key, row.amount, Reason.MONY)


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


def instruction_row(label: str, message: InstructionMessage) -> InstructionRow:
    """An instruction that is not of a trade; the queue gives it its ``arrival``."""
    return InstructionRow(
        id=message.id,
        arrival=UNQUEUED,
        label=label,
        deliverer=message.deliverer,
        receiver=message.receiver,
        instrument=message.instrument,
        quantity=message.quantity,
        currency=message.currency,
        amount=message.amount,
        state=QUEUED,
    )


def is_same(row: InstructionRow, message: InstructionMessage) -> bool:
    """Whether a queued instruction has the terms of a message."""
    return instruction_of(row, rule_version=0, deadline=0).terms_words() == message.terms_words()


def instruction_of(row: InstructionRow, rule_version: int, deadline: int) -> InstructionMessage:
    """A queued instruction as it is signed."""
    return InstructionMessage(
        id=row.id,
        deliverer=row.deliverer,
        receiver=row.receiver,
        instrument=row.instrument,
        quantity=row.quantity,
        currency=row.currency,
        amount=row.amount,
        rule_version=rule_version,
        deadline=deadline,
    )


def first_to_try(
    waiting: Sequence[InstructionRow], order: QueueOrder
) -> Iterator[tuple[InstructionRow, bool]]:
    """Each queued instruction, and whether an earlier one stands before it."""
    owed: set[tuple[Register, int]] = set()
    for row in waiting:
        mine = {(debt.register, debt.key) for debt in debts_of(row)}
        yield row, order is QueueOrder.FIFO and bool(mine & owed)
        owed |= mine
