"""Who is signed in to the pages: hashes of opaque tokens, each with the key it was given for."""

from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock
from typing import Final

from sqlmodel import Field, SQLModel, col, delete, select

from ledger.books.database import Database
from ledger.books.interface.api_keys import digest_of

SESSION_SECONDS_MAX: Final = 12 * 3_600
SESSIONS_MAX: Final = 1_000


class SessionRow(SQLModel, table=True):
    """One browser that is signed in, until ``expires_at`` (seconds since 1970)."""

    __tablename__ = "sessions"

    digest: bytes = Field(primary_key=True)
    key_id: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class _Session:
    key_id: str
    expires_at: int


class Sessions:
    """The sessions that are open. Reads are from memory, changes are on disk first."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        with database.reading() as session:
            rows = session.exec(select(SessionRow).order_by(col(SessionRow.expires_at))).all()
        self._by_digest = {row.digest: _Session(row.key_id, row.expires_at) for row in rows}

    def open(self, token: str, key_id: str, now: int) -> None:
        """Begins a session; the oldest ends when there are too many. Raises StorageError."""
        with self._lock:
            over = [digest for digest, each in self._by_digest.items() if each.expires_at <= now]
            room = SESSIONS_MAX - 1 - (len(self._by_digest) - len(over))
            oldest = [digest for digest in self._by_digest if digest not in over]
            over += oldest[: max(-room, 0)]
            digest, expires_at = digest_of(token), now + SESSION_SECONDS_MAX
            with self._database.transaction() as session:
                for each in over:
                    session.exec(delete(SessionRow).where(col(SessionRow.digest) == each))
                session.add(SessionRow(digest=digest, key_id=key_id, expires_at=expires_at))
            self._forget(over)
            self._by_digest[digest] = _Session(key_id, expires_at)

    def key_id_of(self, token: str, now: int) -> str | None:
        """The id of the key that was shown for a session; None when it is over or never was."""
        found = self._by_digest.get(digest_of(token))
        return found.key_id if found and found.expires_at > now else None

    def close(self, token: str) -> None:
        """Ends a session. Raises StorageError."""
        digest = digest_of(token)
        with self._lock:
            with self._database.transaction() as session:
                session.exec(delete(SessionRow).where(col(SessionRow.digest) == digest))
            self._forget([digest])

    def _forget(self, digests: Iterable[bytes]) -> None:
        for digest in digests:
            self._by_digest.pop(digest, None)
