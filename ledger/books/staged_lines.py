"""Staged lines: what a cycle will do to holdings if it settles, kept until it is known.

An earmarked debit is held already; a credit is nowhere yet. Lines are on disk with the block that
staged them: a node that is started again between two parts goes on with the same ones.
"""

from collections.abc import Iterator

import numpy as np
from sqlmodel import Session, col, delete, select

from ledger.books.database import UnitOfWork
from ledger.books.postings import Posting, PostingKind, Register
from ledger.books.tables import StagedRow
from ledger.clearing.columns import Column

Cycle = tuple[Register, bytes]


class StagedLines:
    """The staged lines of each open cycle, by register, as of the last block in the books."""

    def __init__(self, session: Session) -> None:
        self._parts: dict[Cycle, list[Posting]] = {}
        rows = select(StagedRow).order_by(col(StagedRow.part))
        for row in session.exec(rows):
            posting = _unpack(row)
            self._parts.setdefault((posting.register, posting.reference), []).append(posting)

    def unit(self, session: UnitOfWork) -> "StagedUnit":
        """Changes of one block, in the block's unit of work."""
        return StagedUnit(session, self._parts)


class StagedUnit:
    """What one block does to staged lines; it counts once the block is committed."""

    def __init__(self, session: UnitOfWork, parts: dict[Cycle, list[Posting]]) -> None:
        self._session = session
        self._before = parts
        self._after: dict[Cycle, list[Posting]] = {}
        session.on_commit(self._publish)

    def effects(self, posting: Posting) -> Iterator[Posting]:
        """What a posting does to available and held, given what is staged."""
        cycle = (posting.register, posting.reference)
        match posting.kind:
            case PostingKind.STAGED:
                self._keep(cycle, posting)
                yield _earmarked(posting, 1)
            case PostingKind.STAGED_BOOKED:
                for part in self._take(cycle):
                    yield _earmarked(part, -1)
                    yield part
            case PostingKind.STAGED_DROPPED:
                for part in self._take(cycle):
                    yield _earmarked(part, -1)
            case _:
                yield posting

    def _keep(self, cycle: Cycle, posting: Posting) -> None:
        parts = self._parts_of(cycle)
        self._session.add(_pack(posting, len(parts)))
        self._after[cycle] = [*parts, posting]

    def _take(self, cycle: Cycle) -> list[Posting]:
        parts, (register, reference) = self._parts_of(cycle), cycle
        self._after[cycle] = []
        self._session.flush()
        self._session.exec(
            delete(StagedRow).where(
                col(StagedRow.register_name) == register.value,
                col(StagedRow.cycle) == reference,
            )
        )
        return parts

    def _parts_of(self, cycle: Cycle) -> list[Posting]:
        return self._after.get(cycle, self._before.get(cycle, []))

    def _publish(self) -> None:
        for cycle, parts in self._after.items():
            self._before[cycle] = parts
            if not parts:
                del self._before[cycle]


def _earmarked(part: Posting, sign: int) -> Posting:
    """The debits of a part moved between available and held."""
    debits = part.available < 0
    amounts = sign * part.available[debits]
    return Posting(part.register, part.kind, part.reference, part.keys[debits], amounts, -amounts)


def _pack(posting: Posting, part: int) -> StagedRow:
    return StagedRow(
        register_name=posting.register.value,
        cycle=posting.reference,
        part=part,
        payload=np.stack([posting.keys, posting.available]).astype("<i8").tobytes(),
    )


def _unpack(row: StagedRow) -> Posting:
    columns = np.frombuffer(row.payload, dtype="<i8").reshape(2, -1)
    keys: Column = columns[0]
    return Posting(
        register=Register(row.register_name),
        kind=PostingKind.STAGED,
        reference=row.cycle,
        keys=keys,
        available=columns[1],
        held=np.zeros(len(keys), dtype=np.int64),
    )
