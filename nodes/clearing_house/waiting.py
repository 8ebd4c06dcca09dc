"""What waits at the clearing house: the queues as they stand, by account and asset, in order."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ledger.domain.instructions import Instruction
from ledger.domain.reasons import Reason
from ledger.settlement.legs import Pot
from ledger.settlement.outlook import Outlook
from nodes.clearing_house.instruction_book import InstructionBook

COUNTED_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """One in a queue: what it owes there, why it waits, and what it can expect."""

    instruction: Instruction
    owed: int
    reason: Reason | None
    outlook: Outlook


@dataclass(frozen=True, slots=True)
class Queue:
    """Those that owe from one pot, the next one first."""

    pot: Pot
    available: int
    owed: Sequence[tuple[Instruction, int]]

    @property
    def owed_in_all(self) -> int:
        """What all of them owe from it together."""
        return sum(amount for _, amount in self.owed)


def queues(book: InstructionBook) -> list[Queue]:
    """Every queue in which somebody stands, by pot."""
    owed: dict[Pot, list[tuple[Instruction, int]]] = defaultdict(list)
    for instruction in book.queue.standing():
        by_pot: dict[Pot, int] = defaultdict(int)
        for leg in book.queue.legs(instruction.label):
            if leg.debtor is not None:
                by_pot[leg.debtor] += leg.amount
        for pot, amount in by_pot.items():
            owed[pot].append((instruction, amount))
    return [Queue(pot, book.available(pot), owed[pot]) for pot in sorted(owed)]


def first_of(book: InstructionBook, queue: Queue, count: int) -> list[Waiting]:
    """The first ones in a queue, as of now."""
    return [_waiting(book, instruction, owed) for instruction, owed in queue.owed[:count]]


def standing_aside(
    book: InstructionBook, count: int, live: Sequence[Instruction]
) -> tuple[list[Waiting], int]:
    """The first of those on hold or waiting for a link, in queue order; and how many there are.

    ``live`` are those that are looked at, in queue order.
    """
    standing = {each.label for each in book.queue.standing()}
    aside = [each for each in live if each.label not in standing]
    return [_waiting(book, each, 0) for each in aside[:count]], len(aside)


def count_by_reason(book: InstructionBook, live: Sequence[Instruction]) -> Counter[Reason | None]:
    """Why live ones wait, of the first ones in queue order; None: nothing is in the way."""
    first = live[:COUNTED_MAX]
    return Counter(book.queue.reason_of(each.label) for each in first)


def _waiting(book: InstructionBook, instruction: Instruction, owed: int) -> Waiting:
    label = instruction.label
    return Waiting(instruction, owed, book.queue.reason_of(label), book.queue.outlook(label))
