"""Staged lines: what a cycle will do to holdings if it settles, kept until it is known.

An earmarked debit is held already; a credit is nowhere yet. Lines are on disk with the block that
staged them: a node that is started again between two parts goes on with the same ones.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np
from sqlalchemy import Delete, bindparam, delete
from sqlmodel import Session, col, select

from ledger.books.database import UnitOfWork
from ledger.books.postings import Posting, PostingKind, Register
from ledger.books.rows import upsert
from ledger.books.tables import StagedRow, table_of
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

    def unit(self) -> "StagedUnit":
        """Changes of the next blocks."""
        return StagedUnit(self._parts)


class StagedUnit:
    """What some blocks do to staged lines; it counts once they are committed."""

    def __init__(self, parts: dict[Cycle, list[Posting]]) -> None:
        self._before = parts
        self._after: dict[Cycle, list[Posting]] = {}
        self._taken: set[Cycle] = set()

    def effects(self, posting: Posting) -> Iterator[Posting]:
        """What a posting does to available and held, given what is staged."""
        cycle = (posting.register, posting.reference)
        match posting.kind:
            case PostingKind.STAGED:
                if len(posting):
                    self._after[cycle] = [*self._parts_of(cycle), posting]
                    yield _earmarked(posting, 1)
            case PostingKind.STAGED_BOOKED:
                for part in self._take(cycle):
                    yield _earmarked(part, -1)
                    yield part
            case PostingKind.STAGED_DROPPED:
                for part in self._take(cycle):
                    yield _earmarked(part, -1)
            case _:
                if len(posting):
                    yield posting

    def put(self, session: UnitOfWork) -> None:
        """Puts what is staged now into a unit of work; a cycle that came and went is not in it."""
        for cycle, parts in self._after.items():
            on_disk = self._before.get(cycle, [])
            if on_disk and cycle in self._taken:
                session.connection().execute(_deletion(), _named(cycle))
                on_disk = []
            rows = [
                {**_named(cycle), "part": number, "payload": _pack(parts[number])}
                for number in range(len(on_disk), len(parts))
            ]
            upsert(session, StagedRow, rows)
        session.on_commit(self._publish)

    def _take(self, cycle: Cycle) -> list[Posting]:
        parts = self._parts_of(cycle)
        if parts:
            self._after[cycle] = []
            self._taken.add(cycle)
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
    debits = part.take(part.available < 0)
    amounts = sign * debits.available
    return replace(debits, available=amounts, held=-amounts)


def _named(cycle: Cycle) -> dict[str, str | bytes]:
    register, reference = cycle
    return {"register_name": register.value, "cycle": reference}


@cache
def _deletion() -> Delete:
    table = table_of(StagedRow)
    return delete(table).where(
        *(table.c[name] == bindparam(name) for name in ("register_name", "cycle"))
    )


def _pack(posting: Posting) -> bytes:
    return np.stack([posting.keys, posting.available]).astype("<i8").tobytes()


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
