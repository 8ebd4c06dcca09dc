"""Gridlock resolution without queue order: whatever can settle by itself does."""

from hypothesis import given

from ledger.model import gridlock as model
from ledger.settlement.gridlock.bypass import bypass
from tests.support.gridlock import columns, flags, queues


@given(queues(rows_max=14))
def test_bypass_settles_what_the_rule_says_in_that_order(queue):
    assert bypass(columns(queue)) == model.bypass(queue)


@given(queues(rows_max=14))
def test_bypass_is_feasible_after_every_settlement(queue):
    rows = columns(queue)
    order = bypass(rows)

    for end in range(len(order) + 1):
        done = set(order[:end])
        if all(model._linked(queue, place) <= done for place in done):
            assert rows.is_feasible(flags(rows, done))
