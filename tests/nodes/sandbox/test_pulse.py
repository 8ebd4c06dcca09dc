"""The pulse of a market: counts by the second, and totals that follow the cycles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.books import cycles as records
from ledger.books.tables import CycleRow
from nodes.sandbox.pulse import MarketPulse, SecondCounts, Totals

counts = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1_000)), max_size=60)


class Cycles:
    """Cycles of a clearing house, as the pulse reads them."""

    def __init__(self):
        self.rows = []

    def all(self):
        return self.rows

    def settle(self, trades, block, finality_ms=100, state=records.SETTLED):
        number = len(self.rows) + 1
        row = CycleRow(
            number=number,
            id=b"",
            first_position=0,
            end_position=trades,
            state=state,
            trade_count=trades,
            block=block,
            finality_ns=finality_ms * 1_000_000,
            gross_value=10 * trades,
            net_value=trades,
        )
        self.rows.append(row)


class Market:
    """As much of a consortium as has a pulse."""

    def __init__(self):
        self.clearing_house = self.intake = self.stream = self.clock = self
        self.cycles = Cycles()
        self.end_position = 0
        self.seconds = 1_000
        self.alone = 0

    def count_of(self, state):
        return self.alone if state == records.SETTLED else 0

    def stopwatch_ns(self):
        return self.seconds * 1_000_000_000


@pytest.fixture
def market():
    return Market()


@given(counts, st.integers(1, 10))
def test_sums_of_the_last_seconds_are_what_was_counted_in_them(steps, width):
    kept, second, expected = SecondCounts(60), 0, dict[int, int]()
    for gap, count in steps:
        second += gap
        kept.add(second, count)
        expected[second] = expected.get(second, 0) + count
    now = second + 1
    seen = range(now - 60 // width * width, now)

    sums = kept.sums(now, width)

    assert len(sums) == 60 // width
    assert sum(sums) == sum(count for place, count in expected.items() if place in seen)


def test_second_that_is_not_over_is_not_counted_yet():
    kept = SecondCounts(10)
    kept.add(5, 3)

    assert kept.sums(5, 1)[-1] == 0
    assert kept.sums(6, 1)[-1] == 3


def test_what_was_there_before_is_no_burst(market):
    market.end_position = 500
    market.cycles.settle(500, block=3)
    pulse = MarketPulse(market)
    pulse.look()

    assert pulse.settled == 500
    assert sum(pulse.captured.sums(1_001, 1)) == sum(pulse.final.sums(1_001, 1)) == 0


def test_look_takes_in_what_is_new_and_nothing_twice(market):
    pulse = MarketPulse(market)
    market.end_position = 30
    market.cycles.settle(20, block=4)
    market.alone = 5
    pulse.look()
    pulse.look()

    assert pulse.totals == Totals(1, 20, 0, 200, 20, 4)
    assert sum(pulse.captured.sums(1_001, 5)) == 30
    assert sum(pulse.final.sums(1_001, 5)) == 25


def test_cycle_that_is_submitted_counts_once_it_has_settled(market):
    market.cycles.settle(20, block=None, state=records.SUBMITTED)
    pulse = MarketPulse(market)
    before = pulse.totals.trades
    market.cycles.rows.clear()
    market.cycles.settle(20, block=4)
    pulse.look()

    assert (before, pulse.totals.trades) == (0, 20)


def test_percentiles_are_times_that_were_taken(market):
    pulse = MarketPulse(market)
    unknown = pulse.finality_ms([50])
    for each in range(1, 101):
        market.cycles.settle(1, block=each, finality_ms=each)
    pulse.look()

    assert unknown is None
    assert pulse.finality_ms([50, 99]) == [51, 100]


def test_what_settled_by_a_block_leaves_out_later_cycles(market):
    for block in (3, 5, 9):
        market.cycles.settle(10, block=block)
        market.cycles.settle(0, block=None, state=records.EMPTY)
    pulse = MarketPulse(market)

    assert [pulse.settled_by(block, 100) for block in (2, 3, 5, 8, 9)] == [0, 10, 20, 20, 30]
