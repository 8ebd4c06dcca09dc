"""Signed transactions on disk: kept before they are sent, one an intent, with rising nonces."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlmodel import col, func, select, update

from ledger.books.database import Database, UnitOfWork
from ledger.books.tables import OutboxRow

FINAL: Final = "final"
REVERTED: Final = "reverted"


@dataclass(frozen=True, slots=True)
class Kept:
    """A signed transaction and its hash."""

    raw: bytes
    hash: bytes


class OutboxStore:
    """The transactions of one key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, session: UnitOfWork, intent: str, sign: Callable[[int], Kept]) -> None:
        """Signs with the next nonce and keeps the result; does nothing for a known intent."""
        if session.exec(select(OutboxRow.nonce).where(OutboxRow.intent == intent)).first() is None:
            # Nonces are dense from 0.
            last = session.exec(select(func.coalesce(func.max(OutboxRow.nonce), -1))).one()
            nonce = last + 1
            kept = sign(nonce)
            session.add(OutboxRow(intent=intent, nonce=nonce, raw=kept.raw, hash=kept.hash))

    def get(self, intent: str) -> Kept:
        """What was kept for an intent. Raises when nothing was."""
        with self._database.reading() as session:
            rows = select(OutboxRow.raw, OutboxRow.hash).where(OutboxRow.intent == intent)
            return Kept(*session.exec(rows).one())

    def conclude(self, intent: str, state: str, revert: str) -> None:
        """Records what became of a transaction."""
        with self._database.transaction() as session:
            rows = update(OutboxRow).where(col(OutboxRow.intent) == intent)
            session.exec(rows.values(state=state, revert=revert))
