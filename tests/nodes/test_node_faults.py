"""Any node may be killed at any point: the others go on, it catches up, and all books agree.

Each story is told once without a fault and once for each point and each node: what it comes to is
the same, and no break is open at the end.
"""

import random

import pytest

from ledger.domain.instructions import State
from tests.support.node_faults import COMMITS, MESSAGES, VICTIMS, Point, play

POINTS = [
    Point(what, is_after, call)
    for what in (*MESSAGES, *COMMITS)
    for is_after in (False, True)
    for call in (1, 2)
]


def cases():
    """Every point for every node; the first of each in turn, the others deep."""
    for number, point in enumerate(POINTS):
        for place, victim in enumerate(VICTIMS):
            is_deep = (number + place) % len(VICTIMS)
            yield pytest.param(
                point,
                victim,
                id=f"{victim} {point.name}",
                marks=[pytest.mark.deep] if is_deep else [],
            )


@pytest.fixture(scope="module")
def never_killed():
    outcome, _ = play()
    assert outcome["breaks"] == []
    assert outcome["violations"] == []
    assert outcome["states"] == ["settled"] * 5
    assert outcome["instruction"] is State.SETTLED
    return outcome


@pytest.mark.parametrize(("point", "victim"), list(cases()))
def test_a_node_that_was_killed_comes_to_the_same_books(never_killed, point, victim):
    outcome, _ = play(point, victim)

    assert outcome == never_killed


@pytest.mark.parametrize("victim", VICTIMS)
def test_a_node_that_was_killed_comes_to_the_same_books_from_its_files(
    never_killed, tmp_path, victim
):
    point = random.Random(victim).choice(POINTS[:16])
    outcome, _ = play(point, victim, tmp_path / "state")

    assert outcome == never_killed


@pytest.mark.deep
def test_every_point_is_reached_by_somebody():
    """A point that nobody reaches proves nothing."""
    never = [
        what
        for what in (*MESSAGES, *COMMITS)
        if not any(play(Point(what, is_after=True), victim)[1] for victim in VICTIMS)
    ]

    assert never == []
