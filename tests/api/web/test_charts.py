"""What charts drawn by the server are made of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.web.charts import nice_top, points, share


@pytest.mark.parametrize(("highest", "top"), [(0, 1), (1, 1), (1.2, 2), (7, 10), (41, 50)])
def test_axis_ends_at_a_round_number(highest, top):
    assert nice_top(highest) == top


@given(st.integers(1, 10**12))
def test_axis_is_never_below_nor_far_above_the_highest(highest):
    assert highest <= nice_top(highest) <= 2.5 * highest


def test_line_runs_from_edge_to_edge_with_zero_at_the_bottom():
    assert points([0, 5, 10], 10, 100, 50) == "0.0,50.0 50.0,25.0 100.0,0.0"


@given(st.integers(0, 10**15), st.integers(0, 10**15))
def test_share_shows_what_is_there_and_never_too_much(part, whole):
    length = share(part, whole)

    assert 0 <= length <= 100
    assert bool(length) == bool(part and whole)
