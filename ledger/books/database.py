"""A node's database: a file of SQLite with a write-ahead log; a commit waits for the disk.

Or a schema on a server (postgresql.py): whatever is said here holds of both.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

from sqlalchemy import Connection, Engine, Table, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlmodel import Session, create_engine

from ledger.books import tables

_SQLITE: Final = sqlite.dialect()
_SYNCHRONOUS: Final = "synchronous"
BUSY_SECONDS_MAX: Final = 60
"""How long one thread of a node waits for another one's commit."""
_STORAGE_ERRORS: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})


class StorageError(Exception):
    """The disk did not take what was to be committed: nothing of it has happened."""


class BooksLostError(Exception):
    """What is in the books is not known any more: a server went away while they were open.

    What is in memory may be ahead of them or behind; they are read again by the next process.
    """


class UnfitDatabaseError(Exception):
    """A server's database cannot be used as it is; the message says why."""


Reading: TypeAlias = Session
"""What is open while a node's books are read."""


class UnitOfWork(Session):
    """What is committed together, or not at all.

    What a node keeps in memory beside the disk changes only by ``on_commit``: memory never runs
    ahead of the disk, and nobody sees what a failed commit has undone.
    """

    def __init__(self, engine: Engine, **options: Any) -> None:  # noqa: ANN401 # as Session has them
        super().__init__(engine, **options)
        self._publishers: list[Callable[[], None]] = []

    def on_commit(self, publish: Callable[[], None]) -> None:
        """Has something done once the commit is on disk, in the order of these calls."""
        self._publishers.append(publish)

    def published(self) -> None:
        """Does what was to be done on commit."""
        for publish in self._publishers:
            publish()


class Database:
    """A node's database. A ``transaction`` is on disk when its block is left, or never was."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def transaction(self, *, is_from_chain: bool = False) -> Iterator[UnitOfWork]:
        """A unit of work: committed at the end of the block, rolled back on an exception.

        What the chain has, and can be read from it again (``is_from_chain``), does not wait for the
        disk: a process that is killed has not lost it, but a machine that loses its power goes back
        to the last commit that did wait. Raises StorageError when the disk is full or fails; the
        same may be tried again later. Raises BooksLostError when nobody knows whether it was
        committed: then nothing more can be done with these books in this process.
        """
        with UnitOfWork(self._engine) as session:
            was_committing = False
            try:
                with session.begin():
                    self._prepare(session, is_from_chain=is_from_chain)
                    yield session
                    was_committing = True
            except DBAPIError as error:
                failure = self._failure(error, was_committing=was_committing)
                if failure is None:
                    raise
                raise failure from error
            session.published()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for queries only."""
        with Session(self._engine) as session:
            yield session

    @property
    def folder(self) -> Path | None:
        """Where the file is; None in memory."""
        name = self._engine.url.database
        return Path(name).parent if name else None

    def close(self) -> None:
        """Releases the file."""
        self._engine.dispose()

    def _prepare(self, session: UnitOfWork, *, is_from_chain: bool) -> None:
        """Says what the commit will wait for."""
        if self.folder:
            _set_synchronous(session, "NORMAL" if is_from_chain else "FULL")

    def _failure(self, error: DBAPIError, *, was_committing: bool) -> Exception | None:
        """What an error means to whoever commits; None: it is his own."""
        del was_committing  # A file is there or not: no commit is ever in doubt.
        return StorageError(str(error.orig)) if _is_of_storage(error) else None


class Place(Protocol):
    """Where a database is, if not in a file."""

    def open(self, of: Sequence[Table]) -> Database:
        """The database, its tables created when missing."""


def open_database(at: Path | Place | None, of: Sequence[Table] | None = None) -> Database:
    """The database in a file or another place, its tables created when missing; None: in memory.

    The tables are those of a node unless others are named. Raises UnfitDatabaseError for a place
    that cannot be used.
    """
    chosen = tables.all_tables() if of is None else of
    if at is None or isinstance(at, Path):
        return _opened_file(at, chosen)
    return at.open(chosen)


def _opened_file(path: Path | None, of: Sequence[Table]) -> Database:
    url = f"sqlite:///{path}" if path else "sqlite://"
    # In memory there is one connection: another one would see an empty database.
    pool = {} if path else {"poolclass": StaticPool}
    engine = create_engine(
        url, connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS_MAX}, **pool
    )
    event.listen(engine, "connect", _set_pragmas)
    with engine.begin() as connection:
        # Otherwise each table were a commit of its own.
        connection.exec_driver_sql("BEGIN")
        for statement in _schema(tuple(of)):
            connection.exec_driver_sql(statement)
    return Database(engine)


@cache
def _schema(of: tuple[Table, ...]) -> tuple[str, ...]:
    """What makes tables that are missing; put into words once, for a dozen databases a market."""
    indexes = [index for table in of for index in table.indexes]
    return (
        *(str(CreateTable(each, if_not_exists=True).compile(dialect=_SQLITE)) for each in of),
        *(str(CreateIndex(each, if_not_exists=True).compile(dialect=_SQLITE)) for each in indexes),
    )


def _is_of_storage(error: DBAPIError) -> bool:
    code = getattr(error.orig, "sqlite_errorcode", 0)
    # The lower byte is the kind of error, the upper ones its circumstances.
    return code & 0xFF in _STORAGE_ERRORS


def _set_synchronous(session: Session, level: str) -> None:
    """Says whether the commit waits for the disk: of a write-ahead log, only FULL does."""
    connection = session.connection()
    if connection.info.get(_SYNCHRONOUS) != level:
        connection.exec_driver_sql(f"PRAGMA synchronous = {level}")
        connection.info[_SYNCHRONOUS] = level


def _set_pragmas(connection: Connection, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined] # the DBAPI connection, not SQLAlchemy's
    # Batches of trades are megabytes: in large pages they cost less. Of a new file only.
    cursor.execute("PRAGMA page_size = 16384")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.close()
