"""Books in a schema of a real PostgreSQL server, started for these tests where it is installed."""

from threading import Thread
from time import sleep

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from ledger.books.capture import last_refusal, record_refusals, refusals_after
from ledger.books.database import (
    BooksLostError,
    StorageError,
    UnfitDatabaseError,
    open_database,
)
from ledger.books.database_url import DatabaseUrl
from ledger.books.deliveries import DeliveryRow
from ledger.books.interface.tables import interface_tables
from ledger.books.postgresql import BooksServer
from ledger.books.rows import insert_new, upsert
from ledger.books.tables import ChangeRow, MarkRow
from ledger.domain.errors import MalformedError
from ledger.domain.reasons import Reason, Rejected
from tests.support.postgres import PrivateServer, needs_postgres

pytestmark = needs_postgres

PROMISED = ("transaction_isolation", "synchronous_commit")


@pytest.fixture(scope="module")
def server():
    with PrivateServer() as running:
        yield running


@pytest.fixture
def books(server, request):
    opened = BooksServer(DatabaseUrl.parse(server.url), request.node.name[-30:])
    yield opened
    opened.close()


@pytest.fixture
def database(books):
    return open_database(books.schema("BRK-A", None))


def note(database, number, *, is_from_chain=False):
    with database.transaction(is_from_chain=is_from_chain) as session:
        insert_new(session, ChangeRow, {"number": number, "payload": b"x"})


def numbers(database):
    with database.reading() as session:
        return sorted(session.exec(select(ChangeRow.number)))


def setting(session, name):
    return session.connection().exec_driver_sql(f"SHOW {name}").scalar()


def test_only_what_the_chain_can_tell_again_does_not_wait_for_the_disk(database):
    levels = []
    for number, is_from_chain in enumerate((False, True, False)):
        with database.transaction(is_from_chain=is_from_chain) as session:
            insert_new(session, ChangeRow, {"number": number, "payload": b""})
            levels.append(setting(session, "synchronous_commit"))

    assert levels == ["on", "off", "on"]


def test_what_the_server_is_set_to_changes_no_promise(server):
    url = DatabaseUrl.parse(server.url)
    with create_engine(url.url).connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        kept = "ALTER ROLE novate SET {}"
        connection.exec_driver_sql(kept.format("default_transaction_isolation = serializable"))
        connection.exec_driver_sql(kept.format("synchronous_commit = off"))
        connection.exec_driver_sql(kept.format("idle_session_timeout = '200ms'"))
        books = BooksServer(url, "settings")
        try:
            database = open_database(books.schema("BRK-A", None))
            with database.transaction() as session:
                found = [setting(session, each) for each in PROMISED]
            sleep(0.5)
            note(database, 1)
            noted = numbers(database)
        finally:
            books.close()
            connection.exec_driver_sql("ALTER ROLE novate RESET ALL")
    connection.engine.dispose()

    assert found == ["read committed", "on"]
    assert noted == [1]


def test_row_that_is_there_is_kept_or_replaced_as_in_a_file(database):
    with database.transaction() as session:
        first = insert_new(session, ChangeRow, {"number": 1, "payload": b"first"})
        again = insert_new(session, ChangeRow, {"number": 1, "payload": b"again"})
        upsert(session, ChangeRow, [{"number": n, "payload": b"other"} for n in (2, 2)])

    with database.reading() as session:
        rows = {row.number: row.payload for row in session.exec(select(ChangeRow))}
    assert (first, again) == (True, False)
    assert rows == {1: b"first", 2: b"other"}


def test_numbers_have_64_bits_and_texts_any_character_in_the_order_of_their_bytes(database):
    texts = ["b", "B", "a", "é", "_", "\0"]
    with database.transaction() as session:
        rows = [{"sequence": 2**63 - n, "recipient": t} for n, t in enumerate(texts, 1)]
        upsert(
            session,
            DeliveryRow,
            [{"kind": "", "reference": "", "refusal": "", **row} for row in rows],
        )
        upsert(session, MarkRow, [{"kind": "x", "id": b"", "positions": b"\0", "deadline": 2**40}])

    with database.reading() as session:
        order = session.exec(select(DeliveryRow.recipient).order_by(col(DeliveryRow.recipient)))
        assert list(order) == ["B", "_", "a", "b", "é", "\u2400"]
        assert session.exec(select(DeliveryRow.sequence).where(DeliveryRow.recipient == "\0")).one()
        mark = session.exec(select(MarkRow)).one()
    assert (mark.positions, mark.deadline) == (b"\0", 2**40)


def test_refusals_are_numbered_in_the_order_in_which_they_were_put_there(database):
    refusal = Rejected(Reason.INVALID, "why")
    for batch in ("z", "a"):
        with database.transaction() as session:
            record_refusals(session, batch, {3: ("subject", refusal), 1: ("subject", refusal)})

    with database.reading() as session:
        found = refusals_after(session, 0, 10)
        assert [(each.batch_id, each.row) for each in found] == [
            ("z", 3), ("z", 1), ("a", 3), ("a", 1)
        ]  # fmt: skip
        assert last_refusal(session) == found[-1].number


def test_what_failed_has_not_happened(database):
    note(database, 1)
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.add_all([ChangeRow(number=number, payload=b"") for number in (2, 1)])

    assert numbers(database) == [1]


def test_writers_of_one_node_take_turns(database):
    def write_both(first, second):
        for _ in range(20):
            with database.transaction() as session:
                upsert(session, ChangeRow, [{"number": first, "payload": b""}])
                upsert(session, ChangeRow, [{"number": second, "payload": b""}])

    # In opposite orders: two at once would wait for each other.
    threads = [Thread(target=write_both, args=order) for order in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert numbers(database) == [1, 2]


def test_nodes_and_the_interface_keep_their_rows_apart(books, database):
    other = open_database(books.schema("BRK-B", None))
    note(database, 1)
    open_database(books.schema(".interface", None), interface_tables())

    assert (numbers(database), numbers(other)) == ([1], [])


def test_books_are_in_one_process_at_a_time(server, books):
    url = DatabaseUrl.parse(server.url)
    with pytest.raises(UnfitDatabaseError, match="in use by another process"):
        BooksServer(url, books.group)
    books.close()
    BooksServer(url, books.group).close()


def end_connection_at_commit(books, database):
    schema = books.schema("BRK-A", None).name
    with database.transaction() as session:
        session.connection().exec_driver_sql(
            f'CREATE FUNCTION "{schema}".leave() RETURNS trigger LANGUAGE plpgsql AS'
            " $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;"
            f' CREATE CONSTRAINT TRIGGER leaves AFTER INSERT ON "{schema}".changes'
            f' DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "{schema}".leave()'
        )


def end_connection(session):
    session.connection().exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")


def test_connection_that_breaks_before_the_commit_has_changed_nothing(database):
    with pytest.raises(StorageError), database.transaction() as session:
        end_connection(session)

    # The connection that guards the books is as it was: it goes on.
    note(database, 2)
    assert numbers(database) == [2]


def test_connection_that_breaks_during_the_commit_ends_the_use_of_the_books(books, database):
    end_connection_at_commit(books, database)
    with pytest.raises(BooksLostError, match="start Novate again"):
        note(database, 1)

    with pytest.raises(BooksLostError, match="broke during a commit"):
        numbers(database)


def test_server_that_crashed_has_what_was_acknowledged_and_is_read_anew(server, books, database):
    note(database, 1)
    note(database, 2, is_from_chain=True)
    server.crash()
    with pytest.raises(StorageError):
        note(database, 3)
    with pytest.raises(UnfitDatabaseError, match="cannot be used"):
        BooksServer(DatabaseUrl.parse(server.url), books.group)
    server.start()

    # It may have gone back behind what this process has in memory.
    with pytest.raises(BooksLostError, match="the connection that guards them broke"):
        note(database, 3)
    with pytest.raises(BooksLostError):
        numbers(database)
    again = BooksServer(DatabaseUrl.parse(server.url), books.group)
    assert 1 in numbers(open_database(again.schema("BRK-A", None)))
    again.close()


@pytest.mark.parametrize(
    "text", ["mysql://somebody:secret@host/books", "postgresql://host", "books:secret@"]
)
def test_other_url_is_refused_without_its_password(text):
    with pytest.raises(MalformedError, match="expected a URL such as") as refused:
        DatabaseUrl.parse(text)

    assert "secret" not in str(refused.value)


def test_url_is_shown_without_its_password_and_compared_by_its_database():
    url = DatabaseUrl.parse("postgresql://clerk:secret@books.example/novate?sslmode=require")

    assert url.has_password
    assert url.shown == "postgresql://clerk@books.example/novate?sslmode=require"
    assert "secret" not in repr(url)
    assert url.is_same_database(DatabaseUrl.parse("postgres://root@books.example:5432/novate"))
    assert not url.is_same_database(DatabaseUrl.parse("postgresql://clerk@books.example/other"))
