"""Gridlock resolution that keeps queue order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.model import gridlock as model
from ledger.settlement.gridlock.fifo import fifo
from tests.support.gridlock import columns, places, queues


@given(queues())
def test_fifo_finds_the_largest_feasible_set_in_order_and_it_contains_all_others(queue):
    selected = places(fifo(columns(queue)))

    assert selected == model.largest_in_order(queue)
    assert all(other <= selected for other in model.sets_in_order(queue))


@given(queues(), st.randoms(use_true_random=False))
def test_fifo_does_not_depend_on_the_order_of_keys(queue, chance):
    shuffled = queue.keys
    chance.shuffle(shuffled)

    assert places(fifo(columns(queue, shuffled))) == places(fifo(columns(queue)))
    assert model.fifo(queue, shuffled) == places(fifo(columns(queue)))


@given(queues(rows_max=12), st.data())
def test_more_liquidity_never_settles_less(queue, data):
    more = dict(queue.available)
    for key in more:
        more[key] += data.draw(st.integers(0, 5))

    richer = model.ModelQueue(queue.instructions, more)

    assert places(fifo(columns(queue))) <= places(fifo(columns(richer)))


@given(queues(rows_max=14))
def test_fifo_settles_what_the_rule_says(queue):
    assert places(fifo(columns(queue))) == model.fifo(queue)


@pytest.mark.parametrize("rows", [2, 1_000])
def test_long_chain_falls_when_its_last_member_lacks_one_unit(rows):
    legs = [((str(row), str((row + 1) % rows), 10),) for row in range(rows)]
    legs[-1] = (*legs[-1], ("empty", None, 1))
    queue = model.ModelQueue([model.ModelInstruction(leg) for leg in legs])

    assert not fifo(columns(queue)).any()
    assert fifo(columns(model.ModelQueue(queue.instructions, {"empty": 1}))).all()


def test_empty_queue_settles_nothing():
    assert fifo(columns(model.ModelQueue([]))).tolist() == []


def test_sums_beyond_63_bits_are_exact():
    most = 2**63 - 1
    ring = [
        *[model.ModelInstruction((("A", "B", most),))] * 9,
        *[model.ModelInstruction((("B", "A", most),))] * 8,
        model.ModelInstruction((("B", "A", most - 1),)),
    ]

    assert places(fifo(columns(model.ModelQueue(ring, {"A": 1})))) == set(range(18))
    assert places(fifo(columns(model.ModelQueue(ring, {"A": 0})))) == set(range(17)) - {8}


def test_column_of_another_type_is_refused():
    queue = columns(model.ModelQueue([model.ModelInstruction((("A", "B", 1),))]))

    with pytest.raises(AssertionError, match="value is float64"):
        type(queue)(
            leg_row=queue.leg_row,
            leg_debtor=queue.leg_debtor,
            leg_creditor=queue.leg_creditor,
            leg_amount=queue.leg_amount,
            available=queue.available,
            link=queue.link,
            can_settle=queue.can_settle,
            value=queue.value.astype(np.float64),
        )
