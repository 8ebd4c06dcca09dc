"""Arrival is open: when messages are intended follows from the shape and the seed alone."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.arrival import arrivals
from loadtests.shapes import Segment, Shape, shape_of

SHAPES = {
    "steady": {"kind": "steady", "rate": 50, "seconds": 10},
    "step": {"kind": "step", "first": 10, "step": 20, "steps": 4, "step_seconds": 5},
    "burst": {
        "kind": "burst",
        "normal": 20,
        "peak": 100,
        "peak_seconds": 2,
        "decay_seconds": 4,
        "seconds": 12,
    },
    "storm": {
        "kind": "storm",
        "normal": 20,
        "times": 4,
        "lead_seconds": 3,
        "storm_seconds": 4,
        "tail_seconds": 3,
    },
    "soak": {"kind": "soak", "rate": 30, "swing": 0.5, "period": 4, "seconds": 12},
}

segments = st.builds(
    Segment,
    seconds=st.floats(0.1, 100),
    from_rate=st.floats(0.5, 1_000),
    to_rate=st.floats(0.5, 1_000),
)
shapes = st.lists(segments, min_size=1, max_size=5).map(
    lambda found: Shape("made", tuple(found), ("",) * len(found))
)


@given(segment=segments, share=st.floats(0, 1))
def test_the_moment_of_a_count_is_where_that_count_is_reached(segment, share):
    seconds = share * segment.seconds

    assert segment.moment_of(segment.count_until(seconds)) == pytest.approx(seconds, abs=1e-6)


@given(shape=shapes, share=st.floats(0.01, 1))
def test_even_arrivals_ascend_within_the_shape_and_are_as_many_as_it_has(shape, share):
    found = list(itertools.islice(arrivals(shape, share, "even", random.Random(1)), 5_000))

    assert found == sorted(found)
    assert all(0 <= each <= shape.seconds + 1e-6 for each in found)
    if len(found) < 5_000:
        assert abs(len(found) - shape.count * share) <= 1


@pytest.mark.parametrize("kind", SHAPES)
def test_every_kind_of_shape_offers_its_phases_rates(kind):
    shape = shape_of(SHAPES[kind])
    found = list(arrivals(shape, 1, "even", random.Random(1)))

    for phase in shape.phases:
        within = sum(phase.begin <= each < phase.end for each in found)
        assert within == pytest.approx(phase.rate * (phase.end - phase.begin), abs=1.5)


def test_random_arrivals_follow_from_the_seed_and_have_the_rate_on_average():
    shape = shape_of({"kind": "steady", "rate": 500, "seconds": 20})

    first = list(arrivals(shape, 1, "random", random.Random(7)))

    assert first == list(arrivals(shape, 1, "random", random.Random(7)))
    assert len(first) == pytest.approx(10_000, rel=0.05)
    # Spaced by chance: gaps vary as much as they are long.
    gaps = [later - earlier for earlier, later in itertools.pairwise(first)]
    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert deviation == pytest.approx(mean, rel=0.1)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"kind": "flood"}, "shape.kind"),
        ({"kind": "steady", "rate": -1, "seconds": 5}, "rates from 0"),
        ({"kind": "steady", "rate": 1, "seconds": 1e9}, "at most"),
        ({"kind": "step", "first": 1, "step": 1, "steps": 1_000, "step_seconds": 1}, "steps"),
    ],
)
def test_shapes_without_bounds_are_refused(table, said):
    with pytest.raises(ValueError, match=said):
        shape_of(table)
