"""Gaps are the numbers below the highest that were never captured, whatever the order."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ledger.books.gaps import CapturedNumbers
from ledger.books.highest_numbers import HighestNumbers
from ledger.books.series import SeriesOrder
from ledger.clearing.columns import TradeColumns
from tests.support.trades import trade_row

NUMBERS = st.lists(st.lists(st.integers(1, 30), unique=True, max_size=8), max_size=8)


ROWS = st.lists(
    st.tuples(st.integers(1, 30), st.sampled_from([1, 2, 70_000]), st.booleans(), st.integers(0, 1))
)


@st.composite
def any_trades(draw):
    rows = draw(ROWS)
    trades = TradeColumns.of_rows(
        [trade_row(n, 256, 512, 1, 5, i, cancels=int(cancels)) for n, i, cancels, _ in rows]
    )
    return replace(trades, dates=trades.dates + np.array([day for *_, day in rows], dtype=int))


TRADES = any_trades()


def identities(trades):
    kinds = (trades.cancels > 0).tolist()
    columns = (trades.dates, trades.instruments, trades.numbers)
    return list(zip(*(column.tolist() for column in columns), kinds, strict=True))


def columns(numbers, **changes):
    return TradeColumns.of_rows([trade_row(n, 256, 512, 1, 5, **changes) for n in numbers])


def series(numbers, **changes):
    return SeriesOrder.of(columns(numbers, **changes))


@given(NUMBERS)
def test_gaps_are_what_is_missing(parts):
    captured, seen = CapturedNumbers(), set()
    for numbers in parts:
        captured.take_in(series([n for n in numbers if n not in seen]))
        seen.update(numbers)

    missing = [n for gap in captured.gaps() for n in range(gap.first, gap.last + 1)]
    assert missing == sorted(set(range(1, max(seen, default=0) + 1)) - seen)
    assert sum(gap.missing for gap in captured.gaps()) == len(missing)


def test_cancellation_fills_no_gap():
    captured = CapturedNumbers()
    captured.take_in(series([1, 3]))
    captured.take_in(series([2], cancels=1))

    assert [(gap.first, gap.last) for gap in captured.gaps()] == [(2, 2)]


@given(st.lists(TRADES, max_size=5), TRADES)
def test_new_row_was_never_captured_and_stands_in_its_batch_once(parts, asked):
    highest, seen = HighestNumbers(), set()
    for trades in parts:
        highest.take_in(SeriesOrder.of(trades))
        seen.update(identities(trades))

    new, identity = highest.are_new(SeriesOrder.of(asked)).tolist(), identities(asked)
    assert not any(new[i] and each in seen for i, each in enumerate(identity))
    assert not any(new[i] and identity.count(each) > 1 for i, each in enumerate(identity))


@given(st.lists(TRADES, max_size=5))
def test_ascending_numbers_are_all_new(parts):
    highest, first = HighestNumbers(), 1
    for trades in parts:
        later = replace(trades, numbers=np.arange(first, first + len(trades)))
        assert highest.are_new(SeriesOrder.of(later)).all()
        highest.take_in(SeriesOrder.of(later))
        first += len(trades)
