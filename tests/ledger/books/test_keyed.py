"""Columns by key say what plain dictionaries would say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.books.keyed import Keyed, add_up, read_page
from ledger.domain.accounts import asset_of, holder_of, holding_key

keys = st.builds(holding_key, st.integers(1, 40), st.integers(1, 4).map(lambda owner: owner << 8))
amounts = st.integers(-(2**40), 2**40)
numbers = st.tuples(amounts, amounts)
kept = st.dictionaries(keys, numbers)
changes = st.lists(st.tuples(keys, numbers))


def column(values):
    return np.array(list(values), dtype=np.int64)


def keyed_of(values):
    """The same in columns."""
    table = column(values.values()).reshape(-1, 2).T
    return Keyed.of_rows(column(values), table)


def plain(keyed):
    pairs = zip(*keyed.values.tolist(), strict=True)
    return dict(zip(keyed.keys.column.tolist(), pairs, strict=True))


@given(kept, st.lists(keys))
def test_columns_find_what_a_dictionary_finds(values, wanted):
    keyed = keyed_of(values)

    assert keyed.keys.column.tolist() == sorted(values)
    assert keyed.of(column(wanted)).T.tolist() == [list(values.get(key, (0, 0))) for key in wanted]
    for key in wanted:
        assert keyed.get(key, 1) == (values[key][1] if key in values else None)


@given(kept, kept)
def test_other_values_replace_or_join_those_that_are_there(before, new):
    keyed, changed = keyed_of(before), keyed_of(new)

    after = keyed.with_values(changed.keys.column, changed.values)

    assert plain(after) == before | new
    assert plain(keyed) == before


@given(kept, changes)
def test_changes_add_up_as_one_after_another(before, steps):
    plainly, lows = dict(before), {}
    for key, (first, second) in steps:
        old = plainly.get(key, (0, 0))
        plainly[key] = (old[0] + first, old[1] + second)
        lowest = lows.get(key, plainly[key])
        lows[key] = tuple(map(min, lowest, plainly[key]))
    table = column(pair for _, pair in steps).reshape(-1, 2).T

    balances = add_up(keyed_of(before), column(key for key, _ in steps), table)

    changed = balances.keys.tolist()
    assert changed == sorted(lows)
    assert balances.ends.T.tolist() == [list(plainly[key]) for key in changed]
    assert balances.lows.T.tolist() == [list(lows[key]) for key in changed]


@given(kept)
def test_each_participant_has_its_part(values):
    keyed = keyed_of(values)
    for participant in range(1, 6):
        mine = {key: value for key, value in values.items() if holder_of(key) == participant}
        assert plain(keyed.of_participant(participant)) == mine


@pytest.mark.parametrize("assets_per_page", [1, 16])
@given(values=kept, new=kept)
def test_pages_that_a_change_touches_are_all_that_must_be_written(assets_per_page, values, new):
    before, changed = keyed_of(values), keyed_of(new)
    after = before.with_values(changed.keys.column, changed.values)

    pages = dict(before.pages_of(before.keys.column, assets_per_page))
    written = dict(after.pages_of(changed.keys.column, assets_per_page))

    assert plain(Keyed.of_pages(2, (pages | written).values())) == values | new
    for page, payload in written.items():
        assert {asset_of(key) // assets_per_page for key in read_page(payload, 2)[0].tolist()} == {
            page
        }


def test_of_a_key_that_is_stated_twice_the_last_counts():
    twice = Keyed.of_rows(column([7, 5, 7]), column([[1, 2, 3]]).reshape(1, -1))

    assert twice.as_dict() == {5: 2, 7: 3}
