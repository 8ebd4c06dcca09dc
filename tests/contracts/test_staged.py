"""Cycles in several parts of full size: they settle whole, and what a line costs in gas."""

from time import perf_counter

import pytest

from tests.support.large_cycles import LargeCycle
from tests.support.twins import Twins


def large(lines):
    cycle = LargeCycle(Twins(), lines)
    cycle.open_accounts()
    return cycle


@pytest.mark.parametrize("lines", [2_100, 20_000, pytest.param(200_000, marks=pytest.mark.deep)])
def test_large_cycle_settles_whole_by_a_last_call_of_constant_cost(lines):
    cycle = large(lines)
    began = perf_counter()

    opening, staging, settling = cycle.settle()

    seconds = perf_counter() - began
    print(f"{lines:,} lines: {staging / lines:,.0f} gas a line, {opening:,} to open,", end=" ")
    print(f"{settling:,} to settle, {seconds:.1f} s")
    cycle.check_settled()
    assert settling < 300_000
    assert staging / lines < 30_000
