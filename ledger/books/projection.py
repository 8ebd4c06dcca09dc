"""The projection: holdings as the final blocks leave them, each block exactly once.

Effect and cursor are one commit. A copy in memory answers questions; it is only ever what was
committed, and is read back when the node starts.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
from sqlmodel import Session, select

from ledger.books.database import Database, UnitOfWork
from ledger.books.keyed import (
    ASSETS_PER_OWN_PAGE,
    ASSETS_PER_PAGE,
    Balances,
    Keyed,
    add_up,
)
from ledger.books.movements import put_movements
from ledger.books.postings import FinalBlock, Posting, Register
from ledger.books.rows import upsert
from ledger.books.staged_lines import StagedLines
from ledger.books.tables import HOLDING_WIDTH, HoldingRow, ProjectionCursorRow, SettledRow
from ledger.clearing.columns import Column

ALL_PARTICIPANTS = 0


class ProjectionError(Exception):
    """The chain does not continue the block that the books are at."""


class Projection:
    """Holdings of one participant (or of all of them), as of the block ``height``.

    Of the holdings of the ``owner`` every movement is kept; nobody else's are.
    """

    def __init__(self, database: Database, participant: int, owner: int | None = None) -> None:
        self._participant = participant
        self._owner = participant if owner is None else owner
        is_of_everybody = participant == ALL_PARTICIPANTS
        self._assets_per_page = ASSETS_PER_PAGE if is_of_everybody else ASSETS_PER_OWN_PAGE
        self.height = -1
        self.block_hash = b""
        with database.reading() as session:
            self._read(session)

    def apply(self, session: UnitOfWork, blocks: Sequence[FinalBlock], day: int = 0) -> None:
        """Puts the effect of the next blocks and the cursor in one commit.

        ``day`` is the ordinal of the business date on which they are booked. Raises
        ProjectionError when they do not follow the last one.
        """
        self._require_next(blocks)
        effects: dict[Register, list[Posting]] = {each: [] for each in Register}
        staged = self._staged.unit()
        movements: dict[int, list[Posting]] = {}
        for block in blocks:
            done = [each for p in block.postings for each in staged.effects(self._mine(p))]
            for each in done:
                effects[each.register].append(each)
            movements[block.number] = self._own(done)
        put_movements(session, movements, day)
        staged.put(session)
        self._put_holdings(session, effects)
        _put_settled(session, blocks)
        last = blocks[-1]
        cursor = {"id": 1, "block": last.number, "block_hash": last.hash}
        upsert(session, ProjectionCursorRow, [cursor])
        session.on_commit(lambda: self._publish(last))

    def holding(self, register: Register, key: int) -> tuple[int, int]:
        """Available and held of one holding."""
        available, held = self._holdings[register].of(np.array([key], dtype=np.int64))[:, 0]
        return int(available), int(held)

    def holdings(self, register: Register) -> Iterator[tuple[int, int, int]]:
        """Key, available and held of every holding that was ever touched, by key."""
        columns = self.columns(register)
        available, held = columns.values.tolist()
        return zip(columns.keys.column.tolist(), available, held, strict=True)

    def columns(self, register: Register) -> Keyed:
        """Available and held of every holding that was ever touched."""
        return self._holdings[register]

    def available_of(self, register: Register, keys: Column) -> Column:
        """Available balances, by holding key."""
        available: Column = self._holdings[register].of(keys)[0]
        return available

    def _require_next(self, blocks: Sequence[FinalBlock]) -> None:
        height, block_hash = self.height, self.block_hash
        for block in blocks:
            if block.number != height + 1 or (block_hash and block.parent_hash != block_hash):
                raise ProjectionError(
                    f"block {block.number} does not follow block {height} of the books"
                )
            height, block_hash = block.number, block.hash

    def _mine(self, posting: Posting) -> Posting:
        """What a posting does to the accounts that are projected here."""
        if self._participant == ALL_PARTICIPANTS:
            return posting
        return posting.of_participant(self._participant)

    def _own(self, done: list[Posting]) -> list[Posting]:
        """What postings that are projected here do to the owner's accounts."""
        if self._owner == self._participant:
            return done
        return [each.of_participant(self._owner) for each in done]

    def _put_holdings(
        self, session: UnitOfWork, effects: Mapping[Register, Sequence[Posting]]
    ) -> None:
        """Puts the holdings that postings change into the unit of work."""
        rows = []
        for register, postings in effects.items():
            if postings:
                before = self._holdings[register]
                balances = _balances(before, postings)
                after = before.with_values(balances.keys, balances.ends)
                rows += [
                    {"register_name": register.value, "page": page, "payload": payload}
                    for page, payload in after.pages_of(balances.keys, self._assets_per_page)
                ]
                session.on_commit(partial(self._holdings.__setitem__, register, after))
        upsert(session, HoldingRow, rows)

    def _publish(self, last: FinalBlock) -> None:
        self.height, self.block_hash = last.number, last.hash

    def _read(self, session: Session) -> None:
        self._staged = StagedLines(session)
        self._holdings = {
            register: Keyed.of_pages(
                HOLDING_WIDTH,
                session.exec(
                    select(HoldingRow.payload).where(HoldingRow.register_name == register.value)
                ),
            )
            for register in Register
        }
        cursor = session.get(ProjectionCursorRow, 1)
        if cursor:
            self.height, self.block_hash = cursor.block, cursor.block_hash


def _put_settled(session: UnitOfWork, blocks: Sequence[FinalBlock]) -> None:
    rows = [
        {
            "origin": cause.origin.value,
            "reference": cause.reference,
            "digest": cause.digest,
            "block": block.number,
        }
        for block in blocks
        for cause in block.settled
    ]
    upsert(session, SettledRow, rows)


def _balances(before: Keyed, postings: Sequence[Posting]) -> Balances:
    """What postings, one after another, lead to."""
    keys = np.concatenate([posting.keys for posting in postings])
    available = np.concatenate([posting.available for posting in postings])
    held = np.concatenate([posting.held for posting in postings])
    balances = add_up(before, keys, np.stack([available, held]))
    below = (balances.lows < 0).any(axis=0)
    assert not below.any(), f"invariant 4: holding {balances.keys[below][0]} below zero"
    return balances
