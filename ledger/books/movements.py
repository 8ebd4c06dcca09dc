"""Movements: every change of a node's own holdings, by block, with its cause and reference.

They are what balances of an earlier block, and statements, are made from. A row is a block.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlmodel import Session, col, func, select

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
            names = b"".join(each.reference.ljust(REFERENCE_BYTES, b"\0") for each in some)
            payload = _table(some).astype("<i8").tobytes()
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
    ends = func.min(MovementRow.block), func.max(MovementRow.block)
    found: tuple[int, int] | tuple[None, None] = session.exec(select(*ends).where(chosen)).one()
    return None if found[0] is None else found


def _table(postings: Sequence[Posting]) -> Column:
    """What some postings have changed, as columns."""
    counts = [len(posting) for posting in postings]
    names = [
        range(len(postings)),
        [REGISTERS.index(posting.register) for posting in postings],
        [KINDS.index(posting.kind) for posting in postings],
    ]
    changes = [
        [posting.keys for posting in postings],
        [posting.available for posting in postings],
        [posting.held for posting in postings],
    ]
    return np.stack([*(np.repeat(each, counts) for each in names), *map(np.concatenate, changes)])
