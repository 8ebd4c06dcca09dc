"""The books of many nodes in one PostgreSQL database, those of each in a schema of its own.

A commit waits for the server's disk; what the chain can tell again does not, as in a file. So a
server that crashes may go back by some of those commits, while what the nodes have in memory does
not. One connection, the watch, is therefore kept for as long as the books are open: while it lives,
no commit has been lost and nobody else has these books. Once it is gone, they are not used any more
in this process, and the next one reads them from the beginning.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, Final

from sqlalchemy import (
    VARCHAR,
    BigInteger,
    Column,
    Connection,
    Dialect,
    Engine,
    ExecutionContext,
    Identity,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
)
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement
from sqlmodel import AutoString, Session

from ledger.books.database import (
    BUSY_SECONDS_MAX,
    BooksLostError,
    Database,
    StorageError,
    UnfitDatabaseError,
    UnitOfWork,
)
from ledger.books.database_url import DatabaseUrl
from ledger.books.tables import RefusalRow

CONNECTIONS_MAX: Final = 60
"""Threads of a process that use its books at once; a server has 100 connections by default."""
_KEPT_CONNECTIONS: Final = 8
_SETTINGS: Final = (
    # Whatever the server's own settings are: this is what an acknowledgement promises.
    f"-c synchronous_commit=on -c lock_timeout={BUSY_SECONDS_MAX}s -c client_encoding=UTF8"
    # Who has waited for another's commit sees it.
    r" -c default_transaction_isolation=read\ committed"
)
_CONNECT: Final[dict[str, Any]] = {
    "options": _SETTINGS,
    "application_name": "novate",
    "connect_timeout": 10,
    # A server that is gone without a word is missed after a minute, not after two hours.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
    # Every schema has statements of its own: more than a connection would keep prepared.
    "prepare_threshold": None,
}
_OURS: Final = frozenset({"options", "prepare_threshold"})
_SCHEMA: Final = "schema_translate_map"
_FROM_CHAIN: Final = "novate_from_chain"
_IS_WRITING: Final = "novate_is_writing"
_NO_STORAGE: Final = ("53", "58")
"""Classes of SQLSTATE: insufficient resources (a full disk), errors of the system."""
_TABLES: Final = "SELECT tablename FROM pg_tables WHERE schemaname = %s"
_LOCK: Final = "SELECT pg_advisory_xact_lock({key})"
_NEVER_IDLE: Final = (
    "SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout'"
)
"""The watch may be silent for as long as the books are open; older servers have no such limit."""
_DO_NOT_WAIT: Final = ", set_config('synchronous_commit', 'off', true)"


class BooksServer:
    """A database on a server, open for one group of books: those of one state folder."""

    def __init__(self, url: DatabaseUrl, group: str, *, is_watched: bool = True) -> None:
        """``is_watched``: to be written by this process alone; else only looked at.

        Raises UnfitDatabaseError when it cannot be reached or used, or is in use.
        """
        self.group = group
        self._url = url
        self._lost = ""
        self._lock = Lock()
        self._watch: Connection | None = None
        with _as_unfit(url):
            self._engine = _new_engine(url)
            event.listen(self._engine, "connect", self._connected)
            event.listen(self._engine, "begin", _begun)
            event.listen(self._engine, "before_cursor_execute", _write)
            try:
                with self._engine.connect() as connection:
                    _check(connection, url)
                if is_watched:
                    self._watch = self._taken()
            except BaseException:
                self._engine.dispose()
                raise

    @property
    def shown(self) -> str:
        """The database, without any secret."""
        return self._url.shown

    def schema(self, name: str, folder: Path | None) -> "Schema":
        """Where one of the books is; ``folder`` has its large payloads, None: they are in rows."""
        return Schema(self, f"novate_{self.group}_{name}", folder)

    def engine(self, schema: str, *, is_from_chain: bool = False) -> Engine:
        """What executes statements in a schema."""
        options = {_SCHEMA: {None: schema}, _FROM_CHAIN: is_from_chain}
        # Or an insert would not say whether there was such a row.
        return self._engine.execution_options(preserve_rowcount=True, **options)

    def require(self) -> None:
        """Raises BooksLostError once the books must not be used any more."""
        if self._lost:
            raise BooksLostError(self._lost)

    def lose(self, why: str) -> BooksLostError:
        """From now on the books are not used any more; this is why."""
        self._lost = self._lost or (
            f"the books at {self._url.shown} are not used any more ({why}): start Novate again,"
            " it goes on with what is in them"
        )
        return BooksLostError(self._lost)

    def create(self, schema: str, of: Sequence[Table]) -> None:
        """Creates those of some tables that a schema has not. Raises UnfitDatabaseError."""
        with _as_unfit(self._url), self._engine.begin() as connection:
            # A process that was killed may have a commit under way: it is waited for.
            connection.exec_driver_sql(_LOCK.format(key=_number(schema)))
            connection.exec_driver_sql(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
            there = set(connection.exec_driver_sql(_TABLES, (schema,)).scalars())
            missing = [_creation(each, connection.dialect) for each in of if each.name not in there]
            if missing:
                script = f'SET LOCAL search_path TO "{schema}";' + ";".join(missing)
                connection.exec_driver_sql(script)

    def has(self, schema: str) -> bool:
        """Whether there are books in a schema. Raises UnfitDatabaseError."""
        with _as_unfit(self._url), self._engine.connect() as connection:
            return connection.exec_driver_sql(_TABLES, (schema,)).first() is not None

    def drop(self) -> None:
        """Drops every schema of the group: nothing of the books is left."""
        with _as_unfit(self._url), self._engine.connect() as connection:
            # Each by itself: a server's locks are counted, and every table needs one.
            connection.execution_options(isolation_level="AUTOCOMMIT")
            names = "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s)"
            for name in connection.exec_driver_sql(names, (f"novate_{self.group}_",)).scalars():
                connection.exec_driver_sql(f'DROP SCHEMA "{name}" CASCADE')

    def close(self) -> None:
        """Lets others have the books."""
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.close()
        self._engine.dispose()

    def _taken(self) -> Connection:
        """The connection that holds the lock of these books, until it is closed."""
        watch = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        # It is not the pool's any more: who closes it closes it.
        watch.detach()
        key = _number(f"novate:{self.group}")
        if not watch.exec_driver_sql(f"SELECT pg_try_advisory_lock({key})").scalar():
            watch.close()
            raise UnfitDatabaseError(
                f"the books {self.group} at {self.shown} are in use by another process"
            )
        watch.exec_driver_sql(_NEVER_IDLE)
        return watch

    def _connected(self, _connection: object, _record: object) -> None:
        """A connection in the place of one that broke: has the server been gone meanwhile?"""
        with self._lock:
            try:
                if self._watch is not None and not self._lost:
                    self._watch.exec_driver_sql("SELECT 1")
            except SQLAlchemyError:
                self.lose("the connection that guards them broke")
        self.require()


@dataclass(frozen=True, slots=True)
class Schema:
    """Where one node's books are on a server."""

    server: BooksServer
    name: str
    folder: Path | None

    def open(self, of: Sequence[Table]) -> Database:
        """The database, its tables created when missing. Raises UnfitDatabaseError."""
        self.server.create(self.name, of)
        return self.look()

    def exists(self) -> bool:
        """Whether there are any books."""
        return self.server.has(self.name)

    def look(self) -> Database:
        """The database as it is; nothing is created."""
        return SchemaDatabase(self.server, self.name, self.folder)


class SchemaDatabase(Database):
    """A node's database in a schema."""

    def __init__(self, server: BooksServer, schema: str, folder: Path | None) -> None:
        super().__init__(server.engine(schema))
        self._server = server
        self._folder = folder
        self._for_chain = server.engine(schema, is_from_chain=True)
        # A query is a snapshot of its own, as it is in a file; and two round trips less.
        self._for_reading = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    @property
    def folder(self) -> Path | None:
        """Where its large payloads are; None: in rows."""
        return self._folder

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for queries only. Raises BooksLostError; StorageError for another outage."""
        self._server.require()
        try:
            with Session(self._for_reading) as session:
                yield session
        except DBAPIError as error:
            failure = self._failure(error, was_committing=False)
            if failure is None:
                raise
            raise failure from error

    def close(self) -> None:
        """The connections are those of the server."""

    def _prepare(self, session: UnitOfWork, *, is_from_chain: bool) -> None:
        self._server.require()
        if is_from_chain:
            session.bind = self._for_chain

    def _failure(self, error: DBAPIError, *, was_committing: bool) -> Exception | None:
        state = getattr(error.orig, "sqlstate", None) or ""
        # Without an answer of the server there is no state; and 57P is one that is going away.
        is_gone = error.connection_invalidated or state.startswith(("08", "57P"))
        if is_gone and was_committing:
            # What it had in hand may be on its disk or not.
            return self._server.lose("the connection broke during a commit")
        is_outage = is_gone or (not state and isinstance(error, OperationalError))
        if is_outage or state.startswith(_NO_STORAGE):
            return StorageError(str(error.orig).strip())
        return None


def _new_engine(url: DatabaseUrl) -> Engine:
    engine = create_engine(
        url.url,
        connect_args={**_CONNECT, **_chosen(url)},
        pool_size=_KEPT_CONNECTIONS,
        max_overflow=CONNECTIONS_MAX - _KEPT_CONNECTIONS,
        pool_pre_ping=True,
    )
    # What is an INTEGER in a file holds 64 bits, and a text any character: so they do here.
    engine.dialect.colspecs = {**engine.dialect.colspecs, Integer: _Integer64, String: _Text}
    return engine


def _chosen(url: DatabaseUrl) -> dict[str, Any]:
    """What the URL says of a connection goes before what is said here, but for the promises."""
    return {name: url.url.query[name] for name in _CONNECT.keys() & url.url.query.keys() - _OURS}


class _Integer64(BigInteger):
    render_bind_cast = True


class _Text(VARCHAR):
    """A text of any characters: the one that a server does not take is kept as its symbol."""

    render_bind_cast = True

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], str | None]:
        del dialect  # Of all.
        return lambda text: text.replace("\0", "\u2400") if text else text


def _check(connection: Connection, url: DatabaseUrl) -> None:
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
    if encoding != "UTF8":
        raise UnfitDatabaseError(f"{url.shown} has the encoding {encoding}: expected UTF8")
    if connection.exec_driver_sql("SELECT pg_is_in_recovery()").scalar():
        raise UnfitDatabaseError(f"{url.shown} is a standby: name the primary server")


def _begun(connection: Connection) -> None:
    connection.info[_IS_WRITING] = False


def _write(
    connection: Connection,
    _cursor: object,
    _statement: str,
    _parameters: object,
    context: ExecutionContext | None,
    _many: object,
) -> None:
    """Before the first write of a transaction: one at a time writes to a node's books."""
    is_write = isinstance(context, DefaultExecutionContext) and (
        context.isinsert or context.isupdate or context.isdelete
    )
    if not is_write or connection.info.get(_IS_WRITING):
        return
    connection.info[_IS_WRITING] = True
    options = connection.get_execution_options()
    statement = _LOCK.format(key=_number(options[_SCHEMA][None]))
    if options.get(_FROM_CHAIN):
        statement += _DO_NOT_WAIT
    with closing(connection.connection.cursor()) as cursor:
        cursor.execute(statement)


@cache
def _number(name: str) -> int:
    """A name as the number of an advisory lock."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


@cache
def _creation(table: Table, dialect: Dialect) -> str:
    """What creates a table and its indexes, as columns are here."""
    copy = table.to_metadata(MetaData())
    for column in copy.columns:
        if isinstance(column.type, Integer):
            column.type = BigInteger()
        elif isinstance(column.type, AutoString):
            # In the order of their bytes, as in a file.
            column.type = Text(collation="C")
    if copy.name == RefusalRow.__tablename__:
        # Every table in a file has such numbers; of this one they are asked for.
        copy.append_column(Column("rowid", BigInteger, Identity(), nullable=False, unique=True))
    statements: list[ExecutableDDLElement] = [CreateTable(copy), *map(CreateIndex, copy.indexes)]
    return ";".join(str(each.compile(dialect=dialect)) for each in statements)


@contextmanager
def _as_unfit(url: DatabaseUrl) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise UnfitDatabaseError(
            f"{url.shown} needs psycopg ({error}): install Novate with its extra 'postgres'"
        ) from error
    except (DBAPIError, ArgumentError) as error:
        why = str(error.orig if isinstance(error, DBAPIError) else error).strip()
        raise UnfitDatabaseError(f"{url.shown} cannot be used: {why}") from error
