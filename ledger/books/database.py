"""One database file a node: SQLite, write-ahead log; a commit waits for the disk."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, Engine, Table, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import StaticPool
from sqlmodel import Session, SQLModel, create_engine

from ledger.books import tables

_SYNCHRONOUS: Final = "synchronous"
BUSY_SECONDS_MAX: Final = 60
"""How long one thread of a node waits for another one's commit."""
_STORAGE_ERRORS: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})


class StorageError(Exception):
    """The disk did not take what was to be committed: nothing of it has happened."""


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
        same may be tried again later.
        """
        with UnitOfWork(self._engine) as session:
            try:
                with session.begin():
                    if self.folder:
                        _set_synchronous(session, "NORMAL" if is_from_chain else "FULL")
                    yield session
            except OperationalError as error:
                if _is_of_storage(error):
                    raise StorageError(str(error.orig)) from error
                raise
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


def open_database(path: Path | None, of: Sequence[Table] | None = None) -> Database:
    """The database in a file, its tables created when missing; in memory when there is no path.

    The tables are those of a node unless others are named.
    """
    url = f"sqlite:///{path}" if path else "sqlite://"
    # In memory there is one connection: another one would see an empty database.
    pool = {} if path else {"poolclass": StaticPool}
    engine = create_engine(
        url, connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS_MAX}, **pool
    )
    event.listen(engine, "connect", _set_pragmas)
    SQLModel.metadata.create_all(engine, tables=tables.all_tables() if of is None else of)
    return Database(engine)


def _is_of_storage(error: OperationalError) -> bool:
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
