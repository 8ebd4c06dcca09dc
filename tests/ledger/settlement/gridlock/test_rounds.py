"""Rounds over whole columns: they take nothing that fifo would leave, and end where it ends."""

import numpy as np
import pytest
from hypothesis import given

from ledger.model import gridlock as model
from ledger.settlement.gridlock.fifo import fifo
from ledger.settlement.gridlock.queue_columns import QueueColumns
from ledger.settlement.gridlock.rounds import ROWS_MIN, _Rounds, after_rounds
from loadtests.benchmarks.gridlock_queues import chain, payments, securities_and_cash
from tests.support.gridlock import columns, places, queues


@given(queues(rows_max=14, scale=1))
def test_rounds_until_nothing_falls_are_fifo(queue):
    rows = columns(queue)
    rounds, selected = _Rounds(rows), rows.can_settle.copy()
    before = -1
    while before != selected.sum():
        before = selected.sum()
        assert model.fifo(queue) <= places(selected)
        rounds.cut(selected)

    assert places(selected) == model.fifo(queue)


@pytest.mark.parametrize("accounts", [5, 50, 500])
@pytest.mark.parametrize("made", [securities_and_cash, payments, chain])
def test_long_queue_settles_alike_with_rounds_and_row_by_row(made, accounts):
    queue = made(ROWS_MIN * 2, accounts)
    wide = _with_a_balance_beyond_columns(queue)

    assert after_rounds(wide).sum() == queue.can_settle.sum()
    assert np.array_equal(fifo(queue), fifo(wide))


def _with_a_balance_beyond_columns(queue):
    """One more key, so rich that sums are Python's integers, and nothing is done in rounds."""
    return QueueColumns(
        leg_row=queue.leg_row,
        leg_debtor=queue.leg_debtor,
        leg_creditor=queue.leg_creditor,
        leg_amount=queue.leg_amount,
        available=np.append(queue.available, 2**63 - 1),
        link=queue.link,
        can_settle=queue.can_settle,
        value=queue.value,
    )
