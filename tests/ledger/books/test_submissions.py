"""What a batch was answered is kept as ranges, and found by its content."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ledger.books.capture import SortedBatch
from ledger.books.database import open_database
from ledger.books.submissions import find_submission, record_submission, submission_of
from ledger.books.trade_index import NOT_FOUND
from ledger.clearing.columns import TradeColumns

POSITIONS = st.lists(st.integers(NOT_FOUND, 12), max_size=15)


@given(POSITIONS)
def test_ranges_say_where_each_row_stands_before_and_after_a_restart(positions):
    nothing = TradeColumns.of_rows([])
    verdict = SortedBatch(nothing, np.zeros(0, dtype=np.int64), np.array(positions, np.int64), {})
    database = open_database(None)
    with database.transaction() as session:
        record_submission(session, b"content", verdict)

    answer = submission_of(verdict)
    told = [
        NOT_FOUND if each.first_position == NOT_FOUND else each.first_position + i
        for each in answer.ranges
        for i in range(each.count)
    ]
    assert told == positions
    with database.reading() as session:
        assert find_submission(session, b"content") == answer
        assert find_submission(session, b"other") is None
