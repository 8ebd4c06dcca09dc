"""What was answered to writes that came with a key of the client's, so that it is answered again.

A key is on disk as begun before its work begins, and with its answer before that is sent. A row
without an answer whose work does not run any more was cut off: whether it happened is not known
here.
"""

import zlib
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Final

import msgspec
from sqlalchemy import ColumnElement, LargeBinary, and_, delete, func
from sqlmodel import Field, SQLModel, col, select

from ledger.books.database import UnitOfWork
from ledger.books.interface.group_commit import GroupCommit
from ledger.books.rows import insert_new, upsert

KEPT_SECONDS: Final = 24 * 60 * 60
KEYS_MAX: Final = 100_000
BODY_BYTES_MAX: Final = 4 * 1024 * 1024
KEPT_BYTES_MAX: Final = 256 * 1024 * 1024
PRUNED_EVERY: Final = 1_000
_NO_ANSWER: Final = 0


class AnswerRow(SQLModel, table=True):
    """A key, what was asked with it, and the answer; ``status`` is 0 until there is one.

    ``headers`` is a JSON list of pairs; ``body`` is compressed, and null when it was too large.
    """

    __tablename__ = "answers"
    # One tree to write to, not three: each page written is one more for the commit to wait for.
    __table_args__: ClassVar = {"sqlite_with_rowid": False}
    caller: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    fingerprint: bytes = Field(sa_type=LargeBinary)
    request: str
    begun_at: int
    status: int = _NO_ANSWER
    headers: bytes = Field(default=b"[]", sa_type=LargeBinary)
    body: bytes | None = Field(default=None, sa_type=LargeBinary)


@dataclass(frozen=True, slots=True)
class Asked:
    """A write with a key.

    Attributes:
        request: method and path, for people.
        fingerprint: the hash of method, path, query and body.
        at: when it came, in seconds since 1970.
    """

    caller: str
    key: str
    request: str
    fingerprint: bytes
    at: int


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer over HTTP; ``body`` is None when it was too large to be kept."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Kept:
    """What is on record of a key; ``answer`` is None when its work was begun and cut off."""

    request: str
    fingerprint: bytes
    answer: Answer | None


class AnswerBook:
    """The keys of the last 24 hours and their answers: at most 100,000, and 256 MiB of bodies."""

    def __init__(self, writer: GroupCommit) -> None:
        self._writer = writer
        self._begun = 0

    def begin(self, asked: Asked) -> "Future[Kept | None]":
        """Notes that a write is begun; gives what is on record when the key was used before.

        The answer raises StorageError.
        """
        return self._writer.submit(partial(self._begin, asked=asked))

    def answered(self, asked: Asked, answer: Answer) -> "Future[None]":
        """Keeps an answer. The future raises StorageError."""
        return self._writer.submit(partial(_keep, asked=asked, answer=answer))

    def forget(self, asked: Asked) -> "Future[None]":
        """Frees a key whose write was not begun after all. The future raises StorageError."""
        return self._writer.submit(partial(_forget, asked=asked))

    def clear(self) -> None:
        """Forgets every answer: the market that they were given in is gone. Raises StorageError.

        What was begun and has no answer yet stays: it is not done a second time.
        """
        self._writer.submit(_clear).result()

    def _begin(self, session: UnitOfWork, asked: Asked) -> Kept | None:
        if self._begun % PRUNED_EVERY == 0:
            _prune(session, asked.at)
        self._begun += 1
        row = _row(asked)
        if insert_new(session, AnswerRow, row):
            return None
        known = session.get(AnswerRow, (asked.caller, asked.key))
        assert known is not None
        if known.begun_at > asked.at - KEPT_SECONDS:
            return _kept(known)
        session.delete(known)
        session.flush()
        insert_new(session, AnswerRow, row)
        return None


def _keep(session: UnitOfWork, asked: Asked, answer: Answer) -> None:
    body = answer.body
    small = zlib.compress(body, 1) if body is not None and len(body) <= BODY_BYTES_MAX else None
    headers = msgspec.json.encode(answer.headers)
    row = _row(asked) | {"status": answer.status, "headers": headers, "body": small}
    upsert(session, AnswerRow, [row])


def _row(asked: Asked) -> dict[str, Any]:
    """As it is begun."""
    return {
        "caller": asked.caller,
        "key": asked.key,
        "fingerprint": asked.fingerprint,
        "request": asked.request,
        "begun_at": asked.at,
        "status": _NO_ANSWER,
        "headers": b"[]",
        "body": None,
    }


def _forget(session: UnitOfWork, asked: Asked) -> None:
    session.connection().execute(delete(AnswerRow).where(_is(asked)))


def _clear(session: UnitOfWork) -> None:
    session.connection().execute(delete(AnswerRow).where(col(AnswerRow.status) != _NO_ANSWER))


def _is(asked: Asked) -> ColumnElement[bool]:
    return and_(col(AnswerRow.caller) == asked.caller, col(AnswerRow.key) == asked.key)


def _kept(row: AnswerRow) -> Kept:
    if row.status == _NO_ANSWER:
        return Kept(row.request, row.fingerprint, None)
    headers = msgspec.json.decode(row.headers, type=tuple[tuple[str, str], ...])
    body = None if row.body is None else zlib.decompress(row.body)
    return Kept(row.request, row.fingerprint, Answer(row.status, headers, body))


def _prune(session: UnitOfWork, now: int) -> None:
    """Forgets what is too old, then the oldest of what is too many or too much."""
    begun_at = col(AnswerRow.begun_at)
    connection = session.connection()
    connection.execute(delete(AnswerRow).where(begun_at <= now - KEPT_SECONDS))
    sizes = func.coalesce(func.sum(func.length(AnswerRow.body)), 0)
    count, size = session.exec(select(func.count(), sizes).select_from(AnswerRow)).one()
    while count > KEYS_MAX or size > KEPT_BYTES_MAX:
        some = select(AnswerRow.begun_at).order_by(begun_at).offset(max(count // 10, 1)).limit(1)
        oldest = session.exec(some).first()
        connection.execute(delete(AnswerRow).where(begun_at <= (now if oldest is None else oldest)))
        count, size = session.exec(select(func.count(), sizes).select_from(AnswerRow)).one()
