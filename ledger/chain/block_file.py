"""The SQLite file of one replica: its tables, its connections, commits and single reads."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, RLock
from typing import Any, Final, NamedTuple

from ledger.chain.bundle import Bundle
from ledger.chain.errors import StorageError

MEMORY: Final = Path(":memory:")

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS blocks (
    number INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, header BLOB NOT NULL,
    signature BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS bodies (
    number INTEGER PRIMARY KEY, transactions BLOB NOT NULL, receipts BLOB NOT NULL,
    accounts BLOB NOT NULL, storage BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS checkpoints (
    number INTEGER PRIMARY KEY, accounts BLOB NOT NULL, storage BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS certificates (
    number INTEGER PRIMARY KEY, certificate BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS votes (
    number INTEGER PRIMARY KEY, block_hash BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS waiting (
    sequence INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, raw BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS transaction_index (
    key INTEGER NOT NULL, number INTEGER NOT NULL, position INTEGER NOT NULL,
    PRIMARY KEY (key, number, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS log_index (
    key INTEGER NOT NULL, number INTEGER NOT NULL, position INTEGER NOT NULL,
    PRIMARY KEY (key, number, position)
) STRICT, WITHOUT ROWID;
"""

TABLES: Final = (
    "blocks",
    "bodies",
    "checkpoints",
    "certificates",
    "votes",
    "waiting",
    "transaction_index",
    "log_index",
)

_NO_DAMAGE: Final = (sqlite3.OperationalError, sqlite3.IntegrityError, sqlite3.ProgrammingError)

Reached = Callable[[str], None]


def reach_nothing(point: str) -> None:
    """The hook of a file without planned faults."""


class BlockFile:
    """One writer; readers see committed blocks only.

    ``reached`` is told the name of every point at which a crash would be interesting. What is
    ``only_read`` may be another process's file; nothing is ever written to it.
    """

    def __init__(
        self, path: Path, reached: Reached = reach_nothing, *, only_read: bool = False
    ) -> None:
        self.path = path
        self.reached = reached
        self._is_only_read = only_read
        # A database in memory belongs to its connection; one on disk is read beside the writer.
        self._is_alone = only_read or path == MEMORY
        self._write_lock = RLock()
        self._read_lock = self._write_lock if self._is_alone else RLock()
        self._opening = Lock()
        self._connections: _Connections | None = None
        with self._explained():
            if not only_read:
                self._writer.executescript(_SCHEMA)
            self._connected()

    def close(self) -> None:
        """Releases the file."""
        with self._write_lock, self._read_lock:
            self._reader.close()
            self._writer.close()

    def let_go(self) -> None:
        """Releases the file until it is needed again; what is in memory is kept."""
        if self.path != MEMORY:
            with self._write_lock, self._read_lock:
                self.close()
                self._connections = None

    @property
    def _writer(self) -> sqlite3.Connection:
        return self._connected().writer

    @property
    def _reader(self) -> sqlite3.Connection:
        return self._connected().reader

    def _connected(self) -> "_Connections":
        connections = self._connections
        if connections is None:
            with self._opening:
                connections = self._connections = self._connections or self._connect()
        return connections

    def _connect(self) -> "_Connections":
        writer = _connect_to_read(self.path) if self._is_only_read else _connect(self.path)
        return _Connections(writer, writer if self._is_alone else _connect(self.path))

    @contextmanager
    def commit(self) -> Iterator[sqlite3.Connection]:
        """A unit of work: on disk when the block is left, or on an exception undone."""
        with self._write_lock, self._explained():
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    @contextmanager
    def commits_not_awaited(self) -> Iterator[None]:
        """While a store is filled for a measurement, commits do not wait for the disk."""
        self._writer.execute("PRAGMA synchronous = OFF")
        try:
            yield
        finally:
            self._writer.execute("PRAGMA synchronous = FULL")

    @contextmanager
    def one_view(self) -> Iterator[None]:
        """Reads of one moment, whatever another process writes meanwhile."""
        with self._read_lock, self._explained():
            if self._reader.in_transaction:
                yield
                return
            self._reader.execute("BEGIN")
            try:
                yield
            finally:
                self._reader.execute("COMMIT")

    def one(self, query: str, *values: object) -> tuple[Any, ...] | None:
        """The first row of an answer; None when it has none."""
        with self._read_lock, self._explained():
            row: tuple[Any, ...] | None = self._reader.execute(query, values).fetchone()
            return row

    def all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of an answer."""
        with self._read_lock, self._explained():
            return self._reader.execute(query, values).fetchall()

    def in_parts(self, query: str, start: int, size: int) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of a table from a number on; the number is the query's one parameter."""
        while rows := self.all(f"{query} ORDER BY number LIMIT {size}", start):
            yield rows
            start = rows[-1][0] + 1

    def bundle(self, number: int, column: str) -> Bundle:
        """A bundle of a block's body, of which only the needed parts are read."""

        def read(offset: int, size: int) -> bytes:
            with (
                self._read_lock,
                self._explained(),
                self._reader.blobopen("bodies", column, number, readonly=True) as blob,
            ):
                blob.seek(offset)
                return bytes(blob.read(size))

        return Bundle(read, lambda what: self.damaged(f"block {number}: {what}"))

    def damaged(self, what: str) -> StorageError:
        """The error that says what is wrong with the file, and what to do."""
        return StorageError(
            f"{self.path}: {what}. The stored chain was changed or damaged and is not used:"
            " restore it from a backup of its own (a validator's must not be older than its last"
            " vote: it could vote twice)"
        )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if isinstance(error, _NO_DAMAGE):
                raise
            raise self.damaged(str(error)) from error


class _Connections(NamedTuple):
    writer: sqlite3.Connection
    reader: sqlite3.Connection


def _connect_to_read(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        uri=True,
        check_same_thread=False,
        isolation_level=None,
    )


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection
