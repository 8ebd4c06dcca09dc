"""Gridlock resolution for the greatest value."""

import numpy as np
import pytest
from hypothesis import given

from ledger.model import gridlock as model
from ledger.settlement.gridlock.bypass import bypass
from ledger.settlement.gridlock.fifo import fifo
from ledger.settlement.gridlock.optimum import optimum
from loadtests.benchmarks.gridlock_queues import payments, securities_and_cash
from tests.support.gridlock import columns, flags, places, queues

UNBOUNDED = {"instructions_max": 1_000, "seconds_max": 60}


@given(queues(rows_max=9, scale=1))
def test_optimum_is_the_best_of_all_sets_ties_included(queue):
    found = optimum(columns(queue), **UNBOUNDED)

    assert found.is_exact
    assert places(found.selected) == model.optimum(queue)


@given(queues(rows_max=8, scale=10**15 + 1))
def test_optimum_of_large_amounts_is_exact_to_the_unit(queue):
    found = optimum(columns(queue), **UNBOUNDED)

    assert found.is_exact
    assert places(found.selected) == model.optimum(queue)


@given(queues(rows_max=12))
def test_without_a_search_it_is_feasible_and_worth_no_less_than_fifo_and_bypass(queue):
    rows = columns(queue)
    found = optimum(rows, instructions_max=0, seconds_max=0)
    value = rows.settled_value(found.selected)

    assert rows.is_feasible(found.selected)
    assert value >= rows.settled_value(fifo(rows))
    assert value >= rows.settled_value(flags(rows, bypass(rows)))
    if found.is_exact:
        assert places(found.selected) == model.optimum(queue)


def test_one_unit_among_quadrillions_decides():
    most = 10**15
    queue = model.ModelQueue(
        [
            model.ModelInstruction((("A", "B", most),), most),
            model.ModelInstruction((("A", "C", most + 1),), most + 1),
            model.ModelInstruction((("A", "D", most + 2),), most + 2),
        ],
        {"A": most + 1},
    )

    assert places(optimum(columns(queue), **UNBOUNDED).selected) == {1}


def test_amounts_too_wide_for_the_solver_are_said_not_to_be_exact():
    wide = 2**61
    queue = model.ModelQueue(
        [
            model.ModelInstruction((("A", "B", wide),), wide),
            model.ModelInstruction((("A", "C", wide + 1),), wide + 1),
        ],
        {"A": wide + 1},
    )
    found = optimum(columns(queue), **UNBOUNDED)

    assert not found.is_exact
    assert columns(queue).is_feasible(found.selected)


@pytest.mark.parametrize("made", [securities_and_cash, payments])
def test_search_that_stops_early_says_so_and_keeps_what_it_had(made):
    queue = made(200, 5)
    found = optimum(queue, instructions_max=200, seconds_max=0.01)

    assert not found.is_exact
    assert queue.is_feasible(found.selected)
    assert queue.settled_value(found.selected) >= queue.settled_value(fifo(queue))


@pytest.mark.parametrize("made", [securities_and_cash, payments])
def test_the_same_queue_has_the_same_optimum_however_keys_are_numbered(made):
    queue = made(60, 6)
    turned = np.random.default_rng(1).permutation(queue.keys)
    found = optimum(queue, **UNBOUNDED)
    again = optimum(
        type(queue)(
            leg_row=queue.leg_row,
            leg_debtor=turned[queue.leg_debtor],
            leg_creditor=turned[queue.leg_creditor],
            leg_amount=queue.leg_amount,
            available=queue.available[np.argsort(turned)],
            link=queue.link,
            can_settle=queue.can_settle,
            value=queue.value,
        ),
        **UNBOUNDED,
    )

    assert found.is_exact
    assert again.is_exact
    assert np.array_equal(found.selected, again.selected)


@pytest.mark.deep
@given(queues(rows_max=11, scale=1))
def test_optimum_is_the_best_of_all_sets_over_many_queues(queue):
    found = optimum(columns(queue), **UNBOUNDED)

    assert places(found.selected) == model.optimum(queue)
