"""What was final before a book heard of it: where a late entry finds the block of its cause."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Final

import numpy as np
from sqlalchemy import Select, bindparam
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, delete, select

from ledger.books.database import UnitOfWork
from ledger.books.keyed import Keyed
from ledger.books.postings import Cause, Origin, Posting, Register
from ledger.books.rows import upsert
from ledger.books.tables import SettledRow, UnexpectedIssueRow, table_of
from ledger.clearing.columns import Column, Mask, accounts_of

AT_ONCE: Final = 1_000
"""References in one statement."""

OwnAccounts = Callable[[Column], Mask]
"""Which of some accounts a book has."""

_REGISTER_BY_ORIGIN: Final = {Origin(register.value): register for register in Register}


def every_account(accounts: Column) -> Mask:
    """All of them."""
    return np.ones(len(accounts), dtype=bool)


def settled_blocks(session: Session, causes: Iterable[Cause]) -> dict[Cause, int]:
    """The blocks in which those of some causes settled that have settled."""
    found: dict[Cause, int] = {}
    sought = {cause for cause in causes if cause.origin not in _REGISTER_BY_ORIGIN}
    for references in _parts([cause.reference for cause in sought]):
        rows = session.connection().execute(_settled(), {"references": references})
        for row in rows:
            cause = Cause(Origin(row.origin), row.reference, row.digest)
            if cause in sought:
                found[cause] = row.block
    return found


@cache
def _settled() -> Select[tuple[str, bytes, bytes, int]]:
    # Asked for every entry that a node ever makes: put together once.
    columns = table_of(SettledRow).c
    sought = columns.reference.in_(bindparam("references", expanding=True))
    return select_columns(columns.origin, columns.reference, columns.digest, columns.block).where(
        sought
    )


@dataclass(frozen=True, slots=True)
class UnexpectedIssue:
    """An issue or redemption that a book does not know: what it did to which of its holdings."""

    reference: bytes
    block: int
    keys: Column
    amounts: Column


class UnexpectedIssues:
    """Issues and redemptions that reached the accounts of one book before it expected them."""

    def __init__(self, session: Session, book: str, has: OwnAccounts) -> None:
        self._book = book
        self._has = has
        rows = select(UnexpectedIssueRow.register_name, UnexpectedIssueRow.reference)
        # Few at any time: whoever asks for another one reads nothing.
        self._kept = set(session.exec(rows.where(UnexpectedIssueRow.book == book)))

    def note(self, session: UnitOfWork, postings: Sequence[tuple[int, Posting]]) -> None:
        """Keeps what postings, each with its block, have done to own accounts."""
        rows = []
        for block, posting in postings:
            own = self._has(accounts_of(posting.keys))
            if own.any():
                lines = np.stack([posting.keys[own], posting.available[own]], axis=1)
                rows.append(
                    {
                        "book": self._book,
                        "register_name": posting.register.value,
                        "reference": posting.reference,
                        "block": block,
                        "payload": lines.astype("<i8").tobytes(),
                    }
                )
        upsert(session, UnexpectedIssueRow, rows)
        places = {(posting.register.value, posting.reference) for _, posting in postings}
        if rows:
            session.on_commit(lambda: self._kept.update(places))

    def all(self, session: Session, register: Register) -> list[UnexpectedIssue]:
        """Every one that is kept in a register, earliest first."""
        if all(name != register.value for name, _ in self._kept):
            return []
        rows = select(UnexpectedIssueRow).where(
            UnexpectedIssueRow.book == self._book,
            UnexpectedIssueRow.register_name == register.value,
        )
        found = [_unexpected(row) for row in session.exec(rows)]
        return sorted(found, key=lambda each: (each.block, each.reference))

    def find(
        self, session: Session, register: Register, reference: bytes
    ) -> UnexpectedIssue | None:
        """The one under a reference."""
        row = session.get(UnexpectedIssueRow, (self._book, register.value, reference))
        return _unexpected(row) if row else None

    def blocks(
        self, session: Session, lines: Mapping[Cause, tuple[Column, Column]]
    ) -> dict[Cause, int]:
        """The blocks of those of some causes that did what is expected of them: keys, amounts."""
        found: dict[Cause, int] = {}
        sought = [cause for cause in lines if self._has_kept(cause)]
        for references in _parts([cause.reference for cause in sought]):
            rows = select(UnexpectedIssueRow).where(
                UnexpectedIssueRow.book == self._book,
                col(UnexpectedIssueRow.reference).in_(references),
            )
            for row in session.exec(rows):
                cause = Cause(Origin(row.register_name), row.reference)
                if cause in lines and is_shown(lines[cause], *_unpack(row.payload)):
                    found[cause] = row.block
        return found

    def forget(self, session: UnitOfWork, causes: Iterable[Cause]) -> None:
        """Of these it is known now what they are."""
        for cause in causes:
            if self._has_kept(cause):
                session.on_commit(
                    partial(self._kept.discard, (cause.origin.value, cause.reference))
                )
                session.exec(
                    delete(UnexpectedIssueRow).where(
                        col(UnexpectedIssueRow.book) == self._book,
                        col(UnexpectedIssueRow.register_name) == cause.origin.value,
                        col(UnexpectedIssueRow.reference) == cause.reference,
                    )
                )

    def _has_kept(self, cause: Cause) -> bool:
        return (cause.origin.value, cause.reference) in self._kept


def _unexpected(row: UnexpectedIssueRow) -> UnexpectedIssue:
    return UnexpectedIssue(row.reference, row.block, *_unpack(row.payload))


def is_shown(expected: tuple[Column, Column], keys: Column, amounts: Column) -> bool:
    """Whether an issue or redemption did what was expected, and nothing else by that name.

    ``keys`` and ``amounts`` are what it did to the accounts of the book that expects it.
    """
    wanted, shown = (Keyed.of_rows(k, a[None]) for k, a in (expected, (keys, amounts)))
    return np.array_equal(wanted.keys.column, shown.keys.column) and np.array_equal(
        wanted.values, shown.values
    )


def _parts(references: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for first in range(0, len(references), AT_ONCE):
        yield references[first : first + AT_ONCE]


def _unpack(payload: bytes) -> tuple[Column, Column]:
    table = np.frombuffer(payload, dtype="<i8").reshape(-1, 2)
    return table[:, 0], table[:, 1]
