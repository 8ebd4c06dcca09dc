"""After a run the queue is at rest: what settled is covered, and a second run settles nothing."""

import numpy as np
import pytest
from hypothesis import given

from ledger.model.gridlock import ModelQueue, balance
from ledger.settlement.gridlock.bypass import bypass
from ledger.settlement.gridlock.fifo import fifo
from ledger.settlement.gridlock.optimum import optimum
from ledger.settlement.gridlock.rest import rest_of
from tests.support.gridlock import columns, flags, places, queues

ALGORITHMS = {
    "fifo": lambda queue: places(fifo(queue)),
    "bypass": lambda queue: set(bypass(queue)),
}


@pytest.mark.parametrize("run", ALGORITHMS.values(), ids=ALGORITHMS)
@given(queue=queues(rows_max=14))
def test_set_is_feasible_and_a_second_run_settles_nothing_more(run, queue):
    rows = columns(queue)
    settled = run(rows)
    left = [each for place, each in enumerate(queue.instructions) if place not in settled]
    after = {key: balance(queue, settled, key) for key in queue.keys}

    assert rows.is_feasible(flags(rows, settled))
    assert run(columns(ModelQueue(left, after))) == set()
    assert np.array_equal(
        rows.balances_after(flags(rows, settled)), [after[key] for key in queue.keys]
    )


@given(queue=queues(rows_max=14))
def test_optimum_leaves_nothing_to_settle_unless_it_says_that_it_stopped_early(queue):
    rows = columns(queue)
    found = optimum(rows, instructions_max=100, seconds_max=60)
    again = optimum(rest_of(rows, found.selected), instructions_max=100, seconds_max=60)

    assert rows.is_feasible(found.selected)
    assert not again.selected.any() or not found.is_exact
