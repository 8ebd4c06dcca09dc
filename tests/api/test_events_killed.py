"""Killed at any commit: the journal loses no event, repeats none, and leaves no gap."""

import signal
from collections import Counter

import pytest

from tests.support.forked import run_forked
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
        pytest.param("journal", "after", 12, marks=pytest.mark.deep),
        pytest.param("house", "before", 9, marks=pytest.mark.deep),
        ("house", "after", 60),
    ],
)
def test_killed_journal_goes_on_without_loss_or_repetition(tmp_path, whose, moment, times):
    killed = run_forked(live_through, tmp_path, whose, moment, times)
    assert killed.returncode == -signal.SIGKILL

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
