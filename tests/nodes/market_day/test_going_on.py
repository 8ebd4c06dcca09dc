"""A settled day's folder goes on: trades over REST, and the same day once more."""

from concurrent.futures import wait

import pytest

from ledger.clearing.columns import COLUMN_NAMES
from nodes.folder_meta import StateFolderError
from nodes.market_day.made_day import MadeDay, write_made_day
from nodes.sandbox.capture_queue import Captured
from nodes.sandbox.sandbox import open_sandbox
from tests.support.consortia import DAY
from tests.support.killed_day import run_day

HEADER = "trade_id,trade_date,time,instrument,quantity,price,seller,buyer,action"
LINES = (
    "T1,2026-02-10,09:30:00,NOVA1,100,10.50,BRK-A,BRK-B,new",
    "T2,2026-02-10,09:30:01,NOVA1,50,10.25,BRK-B,BRK-A,new",
)


def day_of(tmp_path, *lines):
    path = tmp_path / "day.csv"
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    return path


def capture_and_clear(sandbox, *numbers):
    """Captures a trade like the first of the day for each number, and settles them."""
    exchange = sandbox.consortium.exchange
    first = exchange.captured.trades(0, 1)
    row = [int(column[0]) for column in first.columns().values()]
    place = COLUMN_NAMES.index("numbers")
    rows = [[*row[:place], number, *row[place + 1 :]] for number in numbers]
    answers = [sandbox.submit(row) for row in rows]
    sandbox.captures.take_turn(1)
    wait(answers)
    sandbox._clear(is_due=True)
    return [answer.result() for answer in answers]


def opened(folder):
    """A sandbox whose threads do not run: the test does what they do, when it wants it done."""
    sandbox = open_sandbox(folder, None, DAY)
    sandbox.is_ready = True
    return sandbox


def test_trades_after_a_settled_day_are_affirmed_and_settle(tmp_path):
    path = tmp_path / "made.csv"
    write_made_day(MadeDay(trades=60, participants=4, instruments=3, seed=7), path)
    before = run_day(path, tmp_path / "state")
    sandbox = opened(tmp_path / "state")
    [answer] = capture_and_clear(sandbox, 999_999)
    house = sandbox.consortium.clearing_house
    standing = house.standing_of(answer.position)
    breaks = [row for node in sandbox.consortium.nodes.values() for row in node.breaks()]
    sandbox.consortium.close()

    assert isinstance(answer, Captured)
    assert standing.state in ("settled", "queued")
    assert breaks == []
    again = run_day(path, tmp_path / "state")
    assert (before.was_settled, again.was_settled) == (False, True)
    assert again.captured == before.captured + 1
    assert again.captured_elsewhere == 1
    assert (again.repeated, again.refused) == (before.repeated, before.refused)
    assert again.is_sound


def test_other_seed_for_a_folder_is_refused(tmp_path):
    opened(tmp_path / "state").consortium.close()

    with pytest.raises(StateFolderError, match="begun with the seed 'novate', not 'other'"):
        open_sandbox(tmp_path / "state", "other", DAY)


def test_repeated_line_is_answered_as_before(tmp_path):
    summary = run_day(day_of(tmp_path, *LINES, LINES[0]))

    assert (summary.captured, summary.repeated, summary.refused) == (2, 1, 0)
    assert summary.settled_in_cycles == 2
    assert summary.is_sound


def test_line_with_other_terms_is_refused_by_its_line_and_the_original_settles(tmp_path):
    other = LINES[0].replace(",100,", ",101,")

    summary = run_day(day_of(tmp_path, *LINES, other))

    assert (summary.captured, summary.repeated, summary.refused) == (2, 0, 1)
    assert summary.settled_in_cycles == 2
    assert [(each["line"], each["reason"]) for each in summary.refused_lines] == [(4, "DUPLICATE")]
    assert summary.is_sound


def test_cancellation_before_its_original_stays_refused_when_the_day_is_run_again(tmp_path):
    cancel = LINES[1].replace("new", "cancel")
    path = day_of(tmp_path, cancel, *LINES)

    first = run_day(path, tmp_path / "state")
    again = run_day(path, tmp_path / "state")

    assert [(each["line"], each["reason"]) for each in first.refused_lines] == [(2, "UNKNOWN")]
    assert first.settled_in_cycles == 2
    assert first.is_sound
    assert again.was_settled
    assert again.refused_lines == first.refused_lines
    assert again.state_hash == first.state_hash
