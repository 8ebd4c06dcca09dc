"""Movements: every change of a node's own holdings, by block, with its cause and reference.

They are what balances of an earlier block, and statements, are made from. A row is a block.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlmodel import Session, col, select

from ledger.books.database import UnitOfWork
from ledger.books.postings import Posting, PostingKind, Register
from ledger.books.rows import upsert
from ledger.books.tables import MovementRow
from ledger.clearing.columns import Column

REFERENCE_BYTES: Final = 32
REGISTERS: Final = tuple(Register)
KINDS: Final = tuple(PostingKind)
_WIDTH: Final = 6


@dataclass(frozen=True, slots=True)
class Movements:
    """Changes of holdings in the order in which they became final, as columns.

    Attributes:
        days: ordinals of the business dates on which they were booked.
        names: number of each one's reference in ``references``.
        registers: places in ``REGISTERS``; ``kinds`` places in ``KINDS``.
        available: changes of what is available; ``held`` of what is held.
    """

    blocks: Column
    days: Column
    names: Column
    registers: Column
    kinds: Column
    keys: Column
    available: Column
    held: Column
    references: tuple[bytes, ...]

    def __len__(self) -> int:
        return len(self.keys)

    def rows_of(self, register: Register) -> Column:
        """The movements in one register."""
        return np.flatnonzero(self.registers == REGISTERS.index(register))

    def reference(self, row: int) -> bytes:
        """The reference of one movement; 32 bytes."""
        return self.references[int(self.names[row])]

    def kind(self, row: int) -> PostingKind:
        """Why one movement happened."""
        return KINDS[int(self.kinds[row])]


def put_movements(session: UnitOfWork, effects: Mapping[int, Sequence[Posting]], day: int) -> None:
    """Puts what blocks did to the own holdings into a unit of work; of nothing there is no row."""
    rows = []
    for block, postings in effects.items():
        some = [posting for posting in postings if len(posting)]
        if some:
            table = np.concatenate([_table(n, each) for n, each in enumerate(some)], axis=1)
            names = b"".join(each.reference.ljust(REFERENCE_BYTES, b"\0") for each in some)
            payload = table.astype("<i8").tobytes()
            rows.append({"block": block, "day": day, "names": names, "payload": payload})
    upsert(session, MovementRow, rows)


def read_movements(session: Session, first_block: int, last_block: int) -> Movements:
    """The movements of some blocks."""
    chosen = col(MovementRow.block).between(first_block, last_block)
    rows = session.exec(select(MovementRow).where(chosen).order_by(col(MovementRow.block))).all()
    tables = [np.zeros((_WIDTH + 2, 0), dtype=np.int64)]
    references: list[bytes] = []
    for row in rows:
        table = np.frombuffer(row.payload, dtype="<i8").reshape(_WIDTH, -1).astype(np.int64)
        table[0] += len(references)
        count = table.shape[1]
        tables.append(np.vstack([np.full(count, row.block), np.full(count, row.day), table]))
        references += [
            row.names[first : first + REFERENCE_BYTES]
            for first in range(0, len(row.names), REFERENCE_BYTES)
        ]
    blocks, days, names, registers, kinds, keys, available, held = np.concatenate(tables, axis=1)
    return Movements(
        blocks, days, names, registers, kinds, keys, available, held, tuple(references)
    )


def blocks_of_days(session: Session, first_day: int, last_day: int) -> tuple[int, int] | None:
    """The first and the last block with movements on some business dates; None without any."""
    chosen = col(MovementRow.day).between(first_day, last_day)
    blocks = session.exec(select(MovementRow.block).where(chosen)).all()
    return (min(blocks), max(blocks)) if blocks else None


def _table(number: int, posting: Posting) -> Column:
    count = len(posting)
    return np.stack(
        [
            np.full(count, number),
            np.full(count, REGISTERS.index(posting.register)),
            np.full(count, KINDS.index(posting.kind)),
            posting.keys,
            posting.available,
            posting.held,
        ]
    )
