"""Killed at any commit: the journal loses no event, repeats none, and leaves no gap."""

import signal
import subprocess
import sys
from collections import Counter

import pytest

from tests.support.killed_journal import BATCH_TRADES, ROUNDS, live_through


def of(events, kind):
    return [event for event in events if event["type"] == f"org.novate.{kind}.v1"]


def positions(events, act):
    """Every position that events of trades speak of."""
    found = [event["data"]["position"] for event in of(events, f"trade.{act}")]
    for event in of(events, f"trades.{act}"):
        for first, count in event["data"]["ranges"]:
            found += range(first, first + count)
    return found


@pytest.mark.parametrize(
    ("whose", "moment", "times"),
    [
        ("journal", "before", 5),
        ("journal", "after", 12),
        ("house", "before", 9),
        ("house", "after", 60),
    ],
)
def test_killed_journal_goes_on_without_loss_or_repetition(request, tmp_path, whose, moment, times):
    killed = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.support.killed_journal",
            str(tmp_path),
            whose,
            moment,
            str(times),
        ],
        cwd=request.config.rootpath,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr

    events, captured, cycles, height = live_through(tmp_path)

    assert captured == ROUNDS * (BATCH_TRADES + 1)
    assert [event["sequence"] for event in events] == [*range(1, len(events) + 1)]
    assert len({event["id"] for event in events}) == len(events)
    assert sorted(positions(events, "captured")) == [*range(captured)]
    assert sorted(positions(events, "settled")) == [*range(captured)]
    assert [event["data"]["number"] for event in of(events, "cycle.struck")] == [
        n for n, _ in cycles
    ]
    ended = [
        (e["data"]["number"], e["type"].split(".")[3]) for e in events if ".cycle." in e["type"]
    ]
    assert sorted(end for end in ended if end[1] != "struck") == sorted(cycles)
    blocks = [event["block"] for event in of(events, "chain.block_final")]
    assert blocks == [*range(blocks[0], height + 1)]
    for act in ("entered", "held", "settled"):
        labels = Counter(event["subject"] for event in of(events, f"instruction.{act}"))
        assert labels == {f"I{number}": 1 for number in range(ROUNDS)}, act
