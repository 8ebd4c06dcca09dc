"""The queue in columns, for the gridlock algorithms."""

from collections.abc import Callable, Container, Sequence

import numpy as np

from ledger.domain.instructions import Instruction
from ledger.settlement.gridlock.queue_columns import NONE, Numbers, QueueColumns
from ledger.settlement.legs import Pot
from ledger.settlement.live_queue import LiveQueue

AvailableOfMany = Callable[[Sequence[Pot]], Sequence[int]]
"""What is available in many pots."""


def columns_of(
    queue: LiveQueue,
    instructions: Sequence[Instruction],
    available: AvailableOfMany,
    barred: Container[str] = (),
) -> QueueColumns:
    """Instructions that stand in the queue, in queue order; ``barred`` labels are not selected."""
    numbers: dict[Pot | None, int] = {None: NONE}
    rows, debtors, creditors, amounts = [], [], [], []
    for row, instruction in enumerate(instructions):
        for debtor, creditor, amount in queue.legs(instruction.label):
            rows.append(row)
            debtors.append(numbers.setdefault(debtor, len(numbers) - 1))
            creditors.append(numbers.setdefault(creditor, len(numbers) - 1))
            amounts.append(amount)
    del numbers[None]
    return QueueColumns(
        leg_row=np.array(rows, dtype=np.int64),
        leg_debtor=np.array(debtors, dtype=np.int64),
        leg_creditor=np.array(creditors, dtype=np.int64),
        leg_amount=np.array(amounts, dtype=np.int64),
        available=np.array(available([pot for pot in numbers if pot]), dtype=np.int64),
        link=_links(queue, instructions),
        can_settle=np.array(
            [queue.can_be_selected(e) and e.label not in barred for e in instructions],
            dtype=np.bool_,
        ),
        value=np.array([each.open_amount for each in instructions], dtype=np.int64),
    )


def _links(queue: LiveQueue, instructions: Sequence[Instruction]) -> Numbers:
    """The same number for those that settle together; NONE for those that settle alone."""
    link = np.full(len(instructions), NONE, dtype=np.int64)
    rows = {each.label: row for row, each in enumerate(instructions)}
    for row, instruction in enumerate(instructions):
        if link[row] == NONE and queue.is_linked(instruction.label):
            link[[rows[each.label] for each in queue.group_of(instruction.label)]] = row
    return link
