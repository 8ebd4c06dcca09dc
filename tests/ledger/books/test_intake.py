"""The intake: its own copy of what was captured, and windows over it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.books import batches
from ledger.books.database import open_database
from ledger.books.intake import CANCELLED, QUEUED, SETTLED, UNAFFIRMED, Intake, TradeStanding
from ledger.books.trade_records import PackedTrades, RecordError, TradeRecord
from ledger.clearing.columns import TradeColumns
from ledger.domain.reasons import Reason
from tests.support.trades import trade_row

STATES = st.sampled_from([SETTLED, QUEUED, CANCELLED, UNAFFIRMED])


def columns(first, cancelled):
    """Trades from a position on; each cancels the position that is given for it, or none."""
    return TradeColumns.of_rows(
        [
            trade_row(first + i, 256, 512, 1, 7, cancels=0 if original is None else original + 1)
            for i, original in enumerate(cancelled)
        ]
    )


def take_in(intake, database, trades, unaffirmed=frozenset()):
    first = intake.stream.end_position
    with database.transaction() as session:
        record = TradeRecord.of(PackedTrades.of(trades))
        return intake.take_in(session, first, [record], unaffirmed)


@st.composite
def books(draw):
    """Which trades cancel which earlier one, and what has become of single trades, in order."""
    count = draw(st.integers(1, 25))
    cancelled = [
        draw(st.one_of(st.none(), st.integers(0, row - 1))) if row else None for row in range(count)
    ]
    notes = draw(st.lists(st.tuples(st.integers(0, count - 1), STATES), max_size=12))
    first = draw(st.integers(0, count - 1))
    return cancelled, notes, first, draw(st.integers(first, count))


def plain_window(cancelled, exceptions, first, end):
    """The rule of a window, one trade at a time."""
    clearable = {p for p in range(first, end) if p not in exceptions}
    pairs = []
    for position in range(first, end):
        original = cancelled[position]
        if original is None or position not in clearable:
            continue
        state = exceptions.get(original)
        if original >= first if state is None else state != SETTLED:
            pairs += [original, position]
            clearable -= {original, position}
    return sorted(clearable), pairs


@given(books())
def test_window_is_that_of_the_plain_rule(book):
    cancelled, notes, first, end = book
    database = open_database(None)
    intake, exceptions = Intake(database), {}
    take_in(intake, database, columns(0, cancelled))

    for place in range(len(notes) + 1):
        staying = [p for p in range(first, end) if p not in exceptions]
        assert intake.staying(first, end).tolist() == staying
        window = intake.window(first, end)
        clearable, pairs = plain_window(cancelled, exceptions, first, end)
        assert (window.first + window.rows).tolist() == clearable
        assert list(window.cancelled) == pairs
        assert window.trades.numbers.tolist() == list(range(first, end))
        for position, state in notes[place : place + 1]:
            exceptions[position] = state
            with database.transaction() as session:
                intake.note(session, {position: TradeStanding(state)})

    again = Intake(database)
    assert again.staying(first, end).tolist() == intake.staying(first, end).tolist()
    assert again.window(first, end).cancelled == intake.window(first, end).cancelled
    assert again.exceptions() == intake.exceptions()


def test_window_of_trades_that_are_here_reads_none():
    database = open_database(None)
    intake = Intake(database)
    take_in(intake, database, columns(0, [None, 0, None]))
    trades = intake.stream.trades(0, 3)

    assert intake.window(0, 3, trades).trades is trades


def test_records_are_kept_as_they_came_and_only_what_follows_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(batches, "SMALL", 1)
    database = open_database(tmp_path / "books.sqlite")
    intake = Intake(database)
    records = [TradeRecord.of(PackedTrades.of(columns(first, [None] * 3))) for first in (0, 3)]

    for _ in range(2):
        with database.transaction() as session:
            taken = intake.take_in(session, 0, records, frozenset({4}))

    assert taken == []
    assert intake.stream.records(0, 6) == records
    assert intake.exceptions() == {4: TradeStanding(UNAFFIRMED, Reason.UNAFFIRMED)}
    assert Intake(database).stream.trades(0, 6).numbers.tolist() == list(range(6))


def test_record_that_is_not_what_its_hash_says_is_not_kept():
    database = open_database(None)
    intake = Intake(database)
    record = TradeRecord.of(PackedTrades.of(columns(0, [None])))
    false = replace(record, payload=PackedTrades.of(columns(7, [None])).encoded())

    with pytest.raises(RecordError), database.transaction() as session:
        intake.take_in(session, 0, [record, false], frozenset())

    assert intake.stream.end_position == 0
    assert len(np.array(intake.staying(0, 5))) == 5


def test_exceptions_are_all_there_while_other_threads_ask_for_some():
    database = open_database(None)
    intake = Intake(database)
    standings = [{place: TradeStanding(QUEUED)} for place in range(3_000)]
    stop = Event()

    def ask():
        last = 0
        while not stop.is_set():
            found = len(intake.staying(0, 3_000))
            assert 3_000 - found >= last
            last = 3_000 - found

    with ThreadPoolExecutor(2) as askers:
        asked = [askers.submit(ask) for _ in range(2)]
        for noted in standings:
            intake._columns.note(noted)  # past the disk, to be quick
        stop.set()
        for each in asked:
            each.result()

    assert len(intake.staying(0, 3_000)) == 0
    database.close()


@pytest.mark.parametrize(
    ("trades", "unaffirmed"),
    [
        (columns(0, []), frozenset()),
        (replace(columns(0, [None]), quantities=np.array([-1])), frozenset()),
        (columns(0, [None, 1]), frozenset()),
        (columns(0, [None]), frozenset({-1})),
        (columns(0, [None]), frozenset({1})),
    ],
    ids=["no trades", "below zero", "cancels itself", "row below", "row beyond"],
)
def test_records_that_make_no_sense_are_refused_and_change_nothing(trades, unaffirmed):
    database = open_database(None)
    intake = Intake(database)

    with pytest.raises(RecordError):
        take_in(intake, database, trades, unaffirmed)

    assert intake.stream.end_position == 0
    assert len(take_in(intake, database, columns(0, [None]))) == 1
    database.close()
