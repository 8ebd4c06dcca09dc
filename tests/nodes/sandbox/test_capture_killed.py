"""Killed at any moment of a capture: nothing acknowledged is lost, nothing is captured twice."""

import signal
import subprocess
import sys

import pytest

from tests.support.killed_capture import BATCHES, TRADES, batch, capture_all, open_one


@pytest.mark.parametrize(("moment", "times"), [("before", 1), ("after", 2), ("before", 4)])
def test_killed_capture_goes_on_and_ends_the_same(request, tmp_path, moment, times):
    whole, expected = capture_all(tmp_path / "whole")
    words = [str(tmp_path / "killed"), moment, str(times)]
    killed = subprocess.run(
        [sys.executable, "-m", "tests.support.killed_capture", *words],
        cwd=request.config.rootpath,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
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
