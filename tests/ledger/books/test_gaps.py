"""Gaps are the numbers below the highest that were never captured, whatever the order."""

from hypothesis import given
from hypothesis import strategies as st

from ledger.books.gaps import CapturedNumbers
from ledger.books.highest_numbers import HighestNumbers
from ledger.clearing.columns import TradeColumns
from tests.support.trades import trade_row

NUMBERS = st.lists(st.lists(st.integers(1, 30), unique=True, max_size=8), max_size=8)


def columns(numbers, **changes):
    return TradeColumns.of_rows([trade_row(n, 256, 512, 1, 5, **changes) for n in numbers])


@given(NUMBERS)
def test_gaps_are_what_is_missing(parts):
    captured, seen = CapturedNumbers(), set()
    for numbers in parts:
        captured.take_in(columns([n for n in numbers if n not in seen]))
        seen.update(numbers)

    missing = [n for gap in captured.gaps() for n in range(gap.first, gap.last + 1)]
    assert missing == sorted(set(range(1, max(seen, default=0) + 1)) - seen)
    assert sum(gap.missing for gap in captured.gaps()) == len(missing)


def test_cancellation_fills_no_gap():
    captured = CapturedNumbers()
    captured.take_in(columns([1, 3]))
    captured.take_in(columns([2], cancels=1))

    assert [(gap.first, gap.last) for gap in captured.gaps()] == [(2, 2)]


@given(NUMBERS, st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_number_above_the_highest_was_never_captured(parts, asked):
    highest, seen = HighestNumbers(), set()
    for numbers in parts:
        highest.take_in(columns(numbers))
        seen.update(numbers)

    above = highest.are_above(columns(asked)).tolist()
    assert above == [number > max(seen, default=0) for number in asked]
