"""Memory never runs ahead of the disk: what a failed commit undid was never there."""

import numpy as np
import pytest

from ledger.books.batches import BatchStream
from ledger.books.blotter import Blotter
from ledger.books.cycles import SETTLED, SUBMITTED, CycleRecords
from ledger.books.database import open_database
from ledger.books.intake import CANCELLED, Intake, TradeStanding
from ledger.books.own_book import OwnBook
from ledger.books.postings import Cause, FinalBlock, Origin, Posting, PostingKind, Register
from ledger.books.projection import Projection
from ledger.books.tables import CycleRow
from ledger.books.trade_index import NOT_FOUND
from ledger.clearing.columns import TradeColumns
from tests.support.trades import trade_row

TRADES = TradeColumns.of_rows([trade_row(1, 256, 512, 10, 7)])
KEY = 1 << 32 | 256
REFERENCE = b"r" * 32
CAUSE = Cause(Origin.CASH, REFERENCE)


class DiskFullError(Exception):
    """What a commit meets."""


@pytest.fixture
def database():
    return open_database(None)


def fail(database, work):
    """Does some work in a unit of work that is not committed."""

    def attempt():
        with database.transaction() as session:
            work(session)
            session.flush()
            raise DiskFullError

    with pytest.raises(DiskFullError):
        attempt()


def do(database, work):
    with database.transaction() as session:
        work(session)


def issued(number):
    keys, amounts = np.array([KEY]), np.array([5])
    posting = Posting(
        Register.CASH, PostingKind.ISSUED, REFERENCE, keys, amounts, np.zeros(1, dtype=np.int64)
    )
    return FinalBlock(number, bytes([number]) * 32, bytes(32), 0, [posting], [])


def test_stream_ends_where_the_disk_ends(database):
    stream = BatchStream(database, "s")

    fail(database, lambda session: stream.append(session, "a", TRADES))
    assert stream.end_position == 0

    do(database, lambda session: stream.append(session, "b", TRADES))
    assert stream.end_position == 1
    assert BatchStream(database, "s").trades(0, 1).numbers.tolist() == [1]


def test_blotter_knows_what_is_on_disk(database):
    blotter = Blotter(database)
    record = lambda session: blotter.record(session, np.array([3]), TRADES)  # noqa: E731

    fail(database, record)
    assert blotter.find(TRADES).tolist() == [NOT_FOUND]

    do(database, record)
    assert blotter.find(TRADES).tolist() == [0]
    fail(database, lambda session: blotter.answer(session, 0, blotter.match(TRADES)))
    assert blotter.never_asked_for().tolist() == [0]


def test_intake_notes_what_is_on_disk(database):
    intake = Intake(database)

    fail(database, lambda session: intake.note(session, {0: TradeStanding(CANCELLED)}))

    assert intake.exception(0) is None


def test_projection_and_own_book_follow_the_commit(database):
    projection, book = Projection(database, 0), OwnBook(database, "own")
    entry = {Register.CASH: (np.array([KEY]), np.array([5]))}
    do(database, lambda session: book.expect(session, CAUSE, entry))

    def take(session):
        projection.apply(session, [issued(0)])
        book.confirm(session, [issued(0)])

    fail(database, take)
    assert (projection.height, projection.holding(Register.CASH, KEY)) == (-1, (0, 0))
    assert book.positions(Register.CASH).as_dict() == {}

    do(database, take)
    assert (projection.height, projection.holding(Register.CASH, KEY)) == (0, (5, 0))
    assert book.positions(Register.CASH).as_dict() == {KEY: 5}


def test_cycles_are_those_on_disk(database):
    cycles = CycleRecords(database)
    row = CycleRow(number=1, id=b"c", first_position=0, end_position=9, state=SUBMITTED)

    fail(database, lambda session: cycles.add(session, row))
    assert cycles.watermark() == 0

    do(database, lambda session: cycles.add(session, row))
    fail(database, lambda session: cycles.change(session, 1, state=SETTLED))
    assert (cycles.watermark(), cycles.get(1).state) == (9, SUBMITTED)
    do(database, lambda session: cycles.change(session, 1, state=SETTLED))
    assert cycles.get(1).state == CycleRecords(database).get(1).state == SETTLED
