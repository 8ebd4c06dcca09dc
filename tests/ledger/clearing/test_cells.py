"""Sums in tables: the same as by sorting, whether the table pays or not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.clearing import cells
from ledger.clearing.cells import Cells, interned, rows_within
from ledger.clearing.columns import holding_keys, stable_order

NUMBERS = st.integers(0, 40) | st.integers(0, 2**31)


@st.composite
def columns(draw, count=3):
    """Columns of one length."""
    rows = draw(st.lists(st.tuples(*[NUMBERS] * count), max_size=40))
    return [np.array([row[i] for row in rows], dtype=np.int64) for i in range(count)]


@pytest.fixture(params=["table", "sorting"])
def way(request, monkeypatch):
    """Both ways of interning, whatever the numbers; in parts of a few rows."""
    monkeypatch.setattr(cells, "ROWS_AT_ONCE", 7)
    if request.param == "sorting":
        monkeypatch.setattr(cells, "TABLE_MIN", 0)
        monkeypatch.setattr(cells, "TABLE_PER_ROW", 0)


@pytest.mark.usefixtures("way")
@given(columns(2))
def test_interned_numbers_are_those_that_occur(two):
    found = interned(*two)

    assert found.values.tolist() == sorted({*two[0].tolist(), *two[1].tolist()})
    for column in two:
        assert found.values[found.ranks(column)].tolist() == column.tolist()


@pytest.mark.usefixtures("way")
@given(columns())
def test_cells_lead_to_the_holdings_of_both_sides(three):
    assets, one, other = three
    found = Cells(assets, one, other)

    for rows, ones, others in found.parts():
        assert found.keys[ones].tolist() == holding_keys(assets, one)[rows].tolist()
        assert found.keys[others].tolist() == holding_keys(assets, other)[rows].tolist()
    covered = [row for rows, _, _ in found.parts() for row in range(len(assets))[rows]]
    assert covered == list(range(len(assets)))
    assert (np.diff(found.keys) > 0).all()


@pytest.mark.usefixtures("way")
@given(columns(), st.integers(0, 30))
def test_rows_are_counted_up_to_the_first_holding_too_many(three, holdings_max):
    sides = [holding_keys(three[0], three[i]).tolist() for i in (1, 2)]
    used, plainly = set(), 0
    for both in zip(*sides, strict=True):
        used |= set(both)
        if len(used) > holdings_max:
            break
        plainly += 1

    assert rows_within(*three, holdings_max) == plainly


@given(columns(1))
def test_order_is_stable_and_sorts(one):
    (numbers,) = one

    order = stable_order(numbers, int(numbers.max(initial=0)) + 1)

    assert order.tolist() == sorted(range(len(numbers)), key=lambda row: numbers[row])
