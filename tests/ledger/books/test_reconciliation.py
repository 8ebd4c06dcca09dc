"""Comparing in columns finds what comparing key by key finds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ledger.books.keyed import Keyed
from ledger.books.reconciliation import Versions, compare_positions

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
