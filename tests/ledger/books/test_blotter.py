"""A blotter finds own trades however they are asked for, and keeps its promises apart."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.books import blotter as blotters
from ledger.books import promises as promised
from ledger.books.blotter import Blotter, Standing
from ledger.books.database import open_database
from ledger.books.postings import Cause, Origin
from ledger.books.trade_index import NOT_FOUND
from ledger.clearing.columns import TradeColumns
from ledger.domain.breaks import BreakKind
from tests.support.trades import trade_row


def columns(numbers, quantity=1):
    return TradeColumns.of_rows([trade_row(n, 256, 512, quantity, 7) for n in numbers])


def blotter_of(parts, database=None):
    database = database or open_database(None)
    blotter, place = Blotter(database), 0
    for numbers in parts:
        with database.transaction() as session:
            sequence = np.arange(place, place + len(numbers))
            blotter.record(session, sequence, columns(numbers))
        place += len(numbers)
    return blotter


@pytest.fixture(autouse=True, scope="module")
def short_probes():
    """Probes so short that small tests go every way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blotters, "PROBE_TRADES", 3)
        patch.setattr(blotters, "PROBES_MAX", 3)
        patch.setattr(promised, "FEW", 2)
        yield


NUMBERS = st.lists(st.integers(1, 30), max_size=20)


@given(st.lists(NUMBERS, max_size=4), NUMBERS, st.sets(st.integers(0, 19)))
def test_every_trade_is_found_where_it_was_first_recorded(parts, asked, others):
    blotter, recorded = blotter_of(parts), [n for numbers in parts for n in numbers]
    trades = columns(asked)
    differing = [row for row in others if row < len(asked)]
    trades.quantities[differing] += 1

    positions = [recorded.index(n) if n in recorded else NOT_FOUND for n in asked]
    assert blotter.find(trades).tolist() == positions
    kinds = dict.fromkeys(differing, BreakKind.QUANTITY)
    kinds |= {i: BreakKind.MISSING_OURS for i, n in enumerate(asked) if n not in recorded}
    kinds |= {i: BreakKind.DUPLICATE for i, n in enumerate(asked) if recorded.count(n) > 1}
    assert blotter.match(trades).kinds == kinds
    assert blotter.match(trades).agreed().tolist() == [
        row for row in range(len(asked)) if row not in kinds
    ]


@given(st.sets(st.integers(0, 59)), st.sets(st.integers(0, 59)))
def test_trades_are_found_in_order_though_some_are_missing_on_either_side(missing, unknown):
    recorded = [n for n in range(60) if n not in missing]
    asked = [n for n in range(60) if n not in unknown]
    blotter = blotter_of([recorded[:30], recorded[30:]])

    positions = [recorded.index(n) if n in recorded else NOT_FOUND for n in asked]
    assert blotter.find(columns(asked)).tolist() == positions


CAUSES = st.builds(
    Cause,
    st.sampled_from([Origin.CYCLE, Origin.INSTRUCTION]),
    st.sampled_from([b"r" * 32, b"s" * 32]),
    st.sampled_from([b"d" * 32, b"e" * 32]),
)
SOME = st.lists(st.integers(0, 9), max_size=6)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("promise"), CAUSES, SOME, st.integers(0, 5)),
        st.tuples(st.just("settle"), CAUSES, SOME, st.integers(0, 5)),
    ),
    max_size=12,
)


class PlainPromises:
    """The rule once more, promise by promise and record by record."""

    def __init__(self):
        self.made, self.settled = {}, set()

    def promise(self, cause, positions, deadline):
        _, before = self.made.get(cause, (None, deadline))
        self.made[cause] = set(positions), max(deadline, before)

    def settle(self, cause):
        same = [cause]
        if cause.origin is Origin.CYCLE:
            same = [
                c for c in self.made if (c.origin, c.reference) == (cause.origin, cause.reference)
            ]
        for each in same:
            positions, _ = self.made.pop(each, (set(), 0))
            if each == cause:
                self.settled |= positions

    def is_free(self, position, cause, now):
        return position not in self.settled and not any(
            position in positions
            for other, (positions, deadline) in self.made.items()
            if (other.origin, other.reference) != (cause.origin, cause.reference)
            and deadline >= now
        )


@given(STEPS, CAUSES, st.integers(0, 6))
def test_free_is_what_the_plain_rule_says_also_after_a_restart(steps, cause, now):
    database = open_database(None)
    blotter, plain = blotter_of([list(range(10))], database), PlainPromises()
    everything = np.arange(10)

    for kind, each, positions, deadline in steps:
        if kind == "promise":
            with database.transaction() as session:
                some = np.array(positions, dtype=np.int64)
                blotter.promise(session, each, some, deadline)
            plain.promise(each, positions, deadline)
        else:
            blotter.settle([each])
            plain.settle(each)
        expected = [plain.is_free(position, cause, now) for position in range(10)]
        assert blotter.is_free(everything, cause, now).tolist() == expected
        ones = [blotter.is_free(np.array([p]), cause, now)[0] for p in range(10)]
        assert ones == expected
    if not any(kind == "settle" for kind, *_ in steps):
        again = Blotter(database).is_free(everything, cause, now)
        assert again.tolist() == blotter.is_free(everything, cause, now).tolist()


def test_restart_knows_what_the_exchange_asked_about(tmp_path):
    database = open_database(tmp_path / "books.sqlite")
    blotter = blotter_of([[1, 2], [3, 4, 5]], database)
    asked = columns([1, 3, 4])
    asked.quantities[1] += 1
    for first, trades in ((0, asked), (7, columns([5]))):
        with database.transaction() as session:
            blotter.answer(session, first, blotter.match(trades))

    for each in (blotter, Blotter(database)):
        assert each.never_asked_for().tolist() == [1]
        assert each._standing.values.tolist() == [
            Standing.AFFIRMED,
            Standing.OPEN,
            Standing.DIFFERENT,
            Standing.AFFIRMED,
            Standing.AFFIRMED,
        ]


def test_index_of_a_blotter_leaves_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(blotters, "INDEX_RUN_TRADES_MAX", 8)
    database = open_database(tmp_path / "books.sqlite")
    numbers = list(range(1, 41))
    blotter = blotter_of([numbers[:19], numbers[19:]], database)

    assert len(blotter._index._full) == 5
    assert blotter.find(columns(numbers[::-1])).tolist() == list(range(40))[::-1]


def test_repeated_feed_changes_nothing():
    database = open_database(None)
    blotter = blotter_of([[1, 2]], database)
    with database.transaction() as session:
        blotter.record(session, np.array([1, 2]), columns([2, 3]))

    assert len(blotter) == 3
    assert blotter.find(columns([1, 2, 3])).tolist() == [0, 1, 2]
    assert blotter.at(np.array([2])).numbers.tolist() == [3]


@pytest.mark.parametrize(
    ("column", "kind"), [("dates", BreakKind.DATE), ("instruments", BreakKind.INSTRUMENT)]
)
def test_trade_of_another_date_or_instrument_is_found_by_all_else(column, kind):
    database = open_database(None)
    blotter = Blotter(database)
    theirs = columns([1, 2])
    ours = replace(theirs, **{column: getattr(theirs, column) + np.array([1, 0])})
    with database.transaction() as session:
        blotter.record(session, np.arange(2), ours)

    match = blotter.match(theirs)

    assert match.kinds == {0: kind}
    assert match.positions.tolist() == [0, 1]
    with database.transaction() as session:
        blotter.answer(session, 0, match)
    assert blotter.never_asked_for().tolist() == []
    assert blotter.last_price(int(ours.instruments[1])) == int(theirs.prices[1])
    database.close()
