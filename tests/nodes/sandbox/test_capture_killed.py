"""Killed at any moment of a capture: nothing acknowledged is lost, nothing is captured twice."""

import signal

import pytest

from tests.support.forked import run_forked
from tests.support.killed_capture import BATCHES, TRADES, batch, capture_all, open_one


@pytest.mark.parametrize(
    ("moment", "times"),
    [pytest.param("before", 1, marks=pytest.mark.deep), ("after", 2), ("before", 4)],
)
def test_killed_capture_goes_on_and_ends_the_same(tmp_path, moment, times):
    whole, expected = capture_all(tmp_path / "whole")
    killed = run_forked(capture_all, tmp_path / "killed", moment, times)
    assert killed.returncode == -signal.SIGKILL
    acknowledged = [int(line) for line in killed.stdout.split()]

    consortium = open_one(tmp_path / "killed")
    captured = consortium.exchange.captured
    found = set(captured.trades(0, captured.end_position).numbers.tolist())
    for number in range(BATCHES):
        numbers = set(batch(consortium, number).numbers.tolist())
        assert number not in acknowledged or numbers <= found
    # The batch that was being captured is there as a whole, or not at all.
    assert len(found) in {TRADES // 2 * (n + 1) for n in range(BATCHES + 1)} | {0}
    consortium.close()

    again, trades = capture_all(tmp_path / "killed")
    assert trades.numbers.tolist() == expected.numbers.tolist()
    assert len(set(trades.numbers.tolist())) == len(trades)
    assert [each.submission for each in again] == [each.submission for each in whole]
