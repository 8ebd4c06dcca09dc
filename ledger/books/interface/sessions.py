"""Who is signed in to the pages: hashes of opaque tokens, each with the key it was given for.

A session may look as somebody else for a while. That stands in a table of its own, so that a folder
in which nobody could do so yet opens as it is, and goes on with its sessions.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from threading import Lock
from typing import Final

from sqlmodel import Field, SQLModel, col, delete, select

from ledger.books.database import Database, UnitOfWork
from ledger.books.interface.api_keys import digest_of

SESSION_SECONDS_MAX: Final = 12 * 3_600
SESSIONS_MAX: Final = 1_000


class SessionRow(SQLModel, table=True):
    """One browser that is signed in, until ``expires_at`` (seconds since 1970)."""

    __tablename__ = "sessions"

    digest: bytes = Field(primary_key=True)
    key_id: str
    expires_at: int


class SessionViewRow(SQLModel, table=True):
    """As whom a session looks; a session without a row looks as the holder of its key."""

    __tablename__ = "session_views"

    digest: bytes = Field(primary_key=True)
    holder: str


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session. ``viewed`` is the name of the holder it looks as, None: that of its key."""

    key_id: str
    expires_at: int
    viewed: str | None = None


class Sessions:
    """The sessions that are open. Reads are from memory, changes are on disk first."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        with database.reading() as session:
            rows = session.exec(select(SessionRow).order_by(col(SessionRow.expires_at))).all()
            views = {row.digest: row.holder for row in session.exec(select(SessionViewRow))}
        self._by_digest = {
            row.digest: OpenSession(row.key_id, row.expires_at, views.get(row.digest))
            for row in rows
        }

    def open(self, token: str, key_id: str, now: int) -> None:
        """Begins a session; the oldest ends when there are too many. Raises StorageError."""
        with self._lock:
            over = [digest for digest, each in self._by_digest.items() if each.expires_at <= now]
            room = SESSIONS_MAX - 1 - (len(self._by_digest) - len(over))
            oldest = [digest for digest in self._by_digest if digest not in over]
            over += oldest[: max(-room, 0)]
            digest, expires_at = digest_of(token), now + SESSION_SECONDS_MAX
            with self._database.transaction() as session:
                _delete(session, over)
                session.add(SessionRow(digest=digest, key_id=key_id, expires_at=expires_at))
            self._forget(over)
            self._by_digest[digest] = OpenSession(key_id, expires_at)

    def find(self, token: str, now: int) -> OpenSession | None:
        """The session of a token; None when it is over or never was."""
        found = self._by_digest.get(digest_of(token))
        return found if found and found.expires_at > now else None

    def view(self, token: str, holder: str | None) -> None:
        """Lets a session look as a holder from now on; None: as that of its key.

        Whether it may is for the caller to know. Nothing happens to one that is over. Raises
        StorageError.
        """
        digest = digest_of(token)
        with self._lock:
            found = self._by_digest.get(digest)
            if found is None:
                return
            with self._database.transaction() as session:
                session.exec(delete(SessionViewRow).where(col(SessionViewRow.digest) == digest))
                if holder is not None:
                    session.add(SessionViewRow(digest=digest, holder=holder))
            self._by_digest[digest] = replace(found, viewed=holder)

    def close(self, token: str) -> None:
        """Ends a session. Raises StorageError."""
        digest = digest_of(token)
        with self._lock:
            with self._database.transaction() as session:
                _delete(session, [digest])
            self._forget([digest])

    def _forget(self, digests: Iterable[bytes]) -> None:
        for digest in digests:
            self._by_digest.pop(digest, None)


def _delete(session: UnitOfWork, digests: Iterable[bytes]) -> None:
    for digest in digests:
        session.exec(delete(SessionRow).where(col(SessionRow.digest) == digest))
        session.exec(delete(SessionViewRow).where(col(SessionViewRow.digest) == digest))
