"""Clocks: chain time never goes back, and goes on where a chain has got."""

import time
from datetime import date

import pytest

from nodes.clock import SimulatedClock, WallClock

DAY = date(2026, 2, 10)


def test_chain_time_of_the_machine_stands_still_while_the_chain_is_ahead():
    clock, ahead = WallClock(), int(time.time()) + 3_600

    before = clock.chain_time()
    clock.not_before(ahead)
    clock.not_before(before)

    assert before <= int(time.time())
    assert clock.chain_time() == ahead


def test_simulated_time_goes_on_where_the_chain_has_got_and_never_back():
    clock = SimulatedClock.at(DAY, second=8 * 3600)
    reached = SimulatedClock.at(DAY, second=17 * 3600).chain_time()

    clock.not_before(reached)
    clock.not_before(0)
    clock.set_at_least(DAY, 10 * 3600)

    assert clock.chain_time() == reached
    with pytest.raises(ValueError, match="time does not go back"):
        clock.set(DAY, 16 * 3600)
