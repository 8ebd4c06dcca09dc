"""Signed transactions on disk: kept before they are sent, one an intent, with rising nonces."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import col, func, select, update

from ledger.books.database import Database, UnitOfWork
from ledger.books.rows import insert_new
from ledger.books.tables import OutboxRow

READY: Final = "ready"
FINAL: Final = "final"
REVERTED: Final = "reverted"

_nonce = select(OutboxRow.nonce)
_last_nonce = select(func.coalesce(func.max(OutboxRow.nonce), -1))


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
        if session.exec(_nonce.where(col(OutboxRow.intent) == intent)).first() is None:
            # Nonces are dense from 0.
            last = session.exec(_last_nonce).one()
            kept = sign(last + 1)
            row = {"intent": intent, "nonce": last + 1, "raw": kept.raw, "hash": kept.hash}
            insert_new(session, OutboxRow, {**row, "state": READY, "revert": ""})

    def has(self, intent: str) -> bool:
        """Whether a transaction is kept for an intent."""
        with self._database.reading() as session:
            return session.exec(_nonce.where(col(OutboxRow.intent) == intent)).first() is not None

    def ready(self) -> list[str]:
        """The intents of which it is not known what became of them, in the order of signing."""
        rows = select(OutboxRow.intent).where(OutboxRow.state == READY)
        with self._database.reading() as session:
            return list(session.exec(rows.order_by(col(OutboxRow.nonce))))

    def get(self, intents: Sequence[str]) -> list[Kept]:
        """What was kept for each intent. Raises KeyError when nothing was for one."""
        rows = select(OutboxRow.intent, OutboxRow.raw, OutboxRow.hash)
        with self._database.reading() as session:
            found = session.exec(rows.where(col(OutboxRow.intent).in_(intents))).all()
        kept_by_intent = {intent: Kept(raw, hash) for intent, raw, hash in found}
        return [kept_by_intent[intent] for intent in intents]

    def conclude(self, intent: str, state: str, revert: str) -> None:
        """Records what became of a transaction."""
        with self._database.transaction(is_from_chain=True) as session:
            rows = update(OutboxRow).where(col(OutboxRow.intent) == intent)
            session.exec(rows.values(state=state, revert=revert))
