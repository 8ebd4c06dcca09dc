"""Comparing in columns finds what comparing key by key finds, and writes no more than is new."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from ledger.books.database import open_database
from ledger.books.keyed import Keyed
from ledger.books.reconciliation import (
    Comparison,
    Difference,
    Seen,
    Versions,
    compare_positions,
    open_breaks,
    record,
)
from ledger.domain.breaks import BreakKind

records = st.dictionaries(st.integers(1, 8), st.integers(-2, 2))


def keyed_of(amounts):
    keys = np.array(list(amounts), dtype=np.int64)
    return Keyed.of_rows(keys, np.array([list(amounts.values())], dtype=np.int64))


@given(ours=records, ledger=records, statement=st.none() | records)
def test_columns_differ_where_the_records_do(ours, ledger, statement):
    expected = {}
    for key in sorted({*ours, *ledger, *(statement or {})}):
        stated = ours.get(key) if statement is None else statement.get(key)
        versions = Versions(ours.get(key), ledger.get(key), stated)
        if not versions.agree():
            expected[key] = versions

    stated = None if statement is None else keyed_of(statement)
    assert compare_positions(keyed_of(ours), keyed_of(ledger), stated) == expected


def difference(scope, name, ours):
    return Difference(f"{scope}{name}", BreakKind.QUANTITY, name, ours, "theirs")


scopes = ["own:", "kept:"]
founds = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["1", "2"]))
rounds = st.lists(st.tuples(st.sampled_from(scopes), founds, st.booleans()), max_size=6)


@given(rounds)
def test_breaks_are_open_as_long_as_a_complete_comparison_has_not_missed_them(rounds):
    database = open_database(None)
    expected = {}
    for block, (scope, found, is_complete) in enumerate(rounds):
        differences = [difference(scope, name, ours) for name, ours in found.items()]
        comparison = Comparison(scope, differences, is_complete)
        with database.transaction() as session:
            count = record(session, "A", [comparison], Seen(block, "now"))
        if is_complete:
            expected = {id: ours for id, ours in expected.items() if not id.startswith(scope)}
        expected |= {f"{scope}{name}": ours for name, ours in found.items()}

        with database.reading() as session:
            assert {row.id: row.ours for row in open_breaks(session)} == expected
        assert count == len(expected)
    database.close()


def test_what_is_as_before_is_not_written_again():
    database = open_database(None)
    comparison = Comparison("own:", [difference("own:", "a", "1")], is_complete=True)
    statements = []
    event.listen(
        database._engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_: statements.append(statement.split()[0]),
    )

    for _ in range(2):
        with database.transaction() as session:
            assert record(session, "A", [comparison], Seen(1, "now")) == 1

    assert statements.count("INSERT") == 1
    assert "UPDATE" not in statements
