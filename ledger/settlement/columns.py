"""The queue in columns, for the gridlock algorithms."""

from collections.abc import Callable, Container, Sequence

import numpy as np

from ledger.domain.instructions import Instruction
from ledger.settlement.gridlock.queue_columns import NONE, Flags, Numbers, QueueColumns
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
    link, is_whole = _links(queue, instructions)
    return QueueColumns(
        leg_row=np.array(rows, dtype=np.int64),
        leg_debtor=np.array(debtors, dtype=np.int64),
        leg_creditor=np.array(creditors, dtype=np.int64),
        leg_amount=np.array(amounts, dtype=np.int64),
        available=np.array(available([pot for pot in numbers if pot]), dtype=np.int64),
        link=link,
        can_settle=is_whole
        & np.array(
            [queue.can_be_selected(e) and e.label not in barred for e in instructions],
            dtype=np.bool_,
        ),
        value=np.array([each.open_amount for each in instructions], dtype=np.int64),
    )


def _links(queue: LiveQueue, instructions: Sequence[Instruction]) -> tuple[Numbers, Flags]:
    """The same number for those that settle together, NONE for those that settle alone.

    And which of them are all there: of a group that is cut off nobody settles.
    """
    link = np.full(len(instructions), NONE, dtype=np.int64)
    is_whole = np.ones(len(instructions), dtype=np.bool_)
    rows = {each.label: row for row, each in enumerate(instructions)}
    for row, instruction in enumerate(instructions):
        if link[row] == NONE and queue.is_linked(instruction.label):
            group = [rows.get(each.label, NONE) for each in queue.group_of(instruction.label)]
            there = [each for each in group if each != NONE]
            link[there] = row
            is_whole[there] = len(there) == len(group)
    return link, is_whole
