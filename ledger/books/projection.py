"""The projection: holdings as the final blocks leave them, each block exactly once.

Effect and cursor are one commit. A copy in memory answers questions; it is only ever what was
committed, and is read back when the node starts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from sqlalchemy.dialects.sqlite import insert
from sqlmodel import Session, SQLModel, select

from ledger.books.database import Database, UnitOfWork
from ledger.books.postings import FinalBlock, Posting, Register
from ledger.books.staged_lines import StagedLines
from ledger.books.tables import HoldingRow, ProjectionCursorRow, SettledRow, table_of
from ledger.clearing.columns import Column, accounts_of, participants_of

ALL_PARTICIPANTS = 0


class ProjectionError(Exception):
    """The chain does not continue the block that the books are at."""


class Projection:
    """Holdings of one participant (or of all of them), as of the block ``height``."""

    def __init__(self, database: Database, participant: int) -> None:
        self._participant = participant
        self._holdings: dict[Register, dict[int, tuple[int, int]]] = {each: {} for each in Register}
        self.height = -1
        self.block_hash = b""
        with database.reading() as session:
            self._read(session)

    def apply(self, session: UnitOfWork, block: FinalBlock) -> None:
        """Puts a block's effect and the cursor in one commit. Raises ProjectionError on a gap."""
        if block.number != self.height + 1 or (
            self.block_hash and block.parent_hash != self.block_hash
        ):
            raise ProjectionError(
                f"block {block.number} does not follow block {self.height} of the books"
            )
        changed: dict[Register, dict[int, tuple[int, int]]] = {each: {} for each in Register}
        staged = self._staged.unit(session)
        for posting in map(self._mine, block.postings):
            for effect in staged.effects(posting):
                self._post(effect, changed[posting.register])
        rows = [
            {"register_name": register.value, "key": key, "available": available, "held": held}
            for register, holdings in changed.items()
            for key, (available, held) in holdings.items()
        ]
        upsert(session, HoldingRow, rows)
        settled = [
            {
                "origin": cause.origin.value,
                "reference": cause.reference,
                "digest": cause.digest,
                "block": block.number,
            }
            for cause in block.settled
        ]
        upsert(session, SettledRow, settled)
        cursor = {"id": 1, "block": block.number, "block_hash": block.hash}
        upsert(session, ProjectionCursorRow, [cursor])
        session.on_commit(lambda: self._publish(block, changed))

    def holding(self, register: Register, key: int) -> tuple[int, int]:
        """Available and held of one holding."""
        return self._holdings[register].get(key, (0, 0))

    def holdings(self, register: Register) -> Iterator[tuple[int, int, int]]:
        """Key, available and held of every holding that was ever touched, by key."""
        for key, (available, held) in sorted(self._holdings[register].items()):
            yield key, available, held

    def available_of(self, register: Register, keys: Column) -> Column:
        """Available balances, by holding key."""
        holdings = self._holdings[register]
        return np.array([holdings.get(key, (0, 0))[0] for key in keys.tolist()], dtype=np.int64)

    def _publish(
        self, block: FinalBlock, changed: Mapping[Register, dict[int, tuple[int, int]]]
    ) -> None:
        for register, holdings in changed.items():
            self._holdings[register].update(holdings)
        self.height, self.block_hash = block.number, block.hash

    def _mine(self, posting: Posting) -> Posting:
        """What a posting does to the accounts that are projected here."""
        if self._participant == ALL_PARTICIPANTS:
            return posting
        mine = participants_of(accounts_of(posting.keys)) == self._participant
        return replace(
            posting,
            keys=posting.keys[mine],
            available=posting.available[mine],
            held=posting.held[mine],
        )

    def _post(self, posting: Posting, changed: dict[int, tuple[int, int]]) -> None:
        rows = zip(
            posting.keys.tolist(), posting.available.tolist(), posting.held.tolist(), strict=True
        )
        holdings = self._holdings[posting.register]
        for key, available_change, held_change in rows:
            available, held = changed.get(key) or holdings.get(key, (0, 0))
            available, held = available + available_change, held + held_change
            assert available >= 0, f"invariant 4: holding {key} below zero"
            assert held >= 0, f"invariant 4: holding {key} below zero"
            changed[key] = (available, held)

    def _read(self, session: Session) -> None:
        self._staged = StagedLines(session)
        for row in session.exec(select(HoldingRow)):
            self._holdings[Register(row.register_name)][row.key] = (row.available, row.held)
        cursor = session.get(ProjectionCursorRow, 1)
        if cursor:
            self.height, self.block_hash = cursor.block, cursor.block_hash


def upsert(session: Session, row: type[SQLModel], values: list[dict[str, Any]]) -> None:
    """Inserts rows, or replaces those with the same primary key."""
    if not values:
        return
    table = table_of(row)
    statement = insert(table)
    keys = {column.name for column in table.primary_key}
    others = {name: getattr(statement.excluded, name) for name in values[0] if name not in keys}
    conflict = statement.on_conflict_do_update(index_elements=sorted(keys), set_=others)
    session.execute(conflict, values)
