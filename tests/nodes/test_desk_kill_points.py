"""A desk killed with SIGKILL between signing, writing, sending and concluding: nothing is twice."""

import shutil
import signal

import pytest

from ledger.books.postings import Register
from ledger.domain.instructions import State
from tests.support.forked import processes
from tests.support.kill_points import DESK_KILL_POINTS
from tests.support.killed_desk import CASH, LIMIT, die, found, run
from tests.support.postgres import only_files

# Their folders are copied.
pytestmark = only_files

PATIENCE_SECONDS = 60


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    folder = tmp_path_factory.mktemp("begun") / "state"
    found(folder)
    return folder


@pytest.fixture(scope="module")
def never_killed(begun, tmp_path_factory):
    return run(shutil.copytree(begun, tmp_path_factory.mktemp("whole") / "state"))


def test_story_settles_a_whole_two_parts_and_a_set(never_killed):
    assert {each.label: each.parts for each in never_killed.instructions} == {
        "WHOLE": 1,
        "PART": 2,
        "RING-A": 1,
        "RING-B": 1,
        "RING-C": 1,
    }
    assert all(each.state is State.SETTLED for each in never_killed.instructions)
    assert never_killed.balances[Register.SECURITIES] == {"A": 0, "B": 110, "C": 220}
    assert sum(never_killed.balances[Register.CASH].values()) == sum(CASH.values())
    assert never_killed.headroom == LIMIT + 341


@pytest.mark.parametrize("point", DESK_KILL_POINTS, ids=lambda point: point.name)
def test_desk_that_was_killed_goes_on_as_if_it_had_not_been(begun, never_killed, tmp_path, point):
    folder = shutil.copytree(begun, tmp_path / "state")
    process = processes().Process(target=die, args=(folder, [point]))
    process.start()
    process.join(PATIENCE_SECONDS)

    assert process.exitcode == -signal.SIGKILL, "the point was not reached"
    assert run(folder) == never_killed
