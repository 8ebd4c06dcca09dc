"""Killed with SIGKILL at every fault point of the clearing path: nothing is lost, nothing is twice.

Each test kills a process of its own at one point of the table (tests/support/kill_points.py), opens
its folder again, runs on, and compares with a clearing that was never killed.
"""

import random
import shutil
import signal
from dataclasses import replace

import pytest

from tests.support.forked import processes
from tests.support.kill_points import KILL_POINTS, Mode, Step
from tests.support.killed_clearing import clear, die, found
from tests.support.postgres import only_files

# Their folders are copied.
pytestmark = only_files

PATIENCE_SECONDS = 60
KILLS_MAX = 4
CALLS_MAX = 12
MODE_MATTERS = (Step.WRITE_DOWN, Step.SETTLE, Step.PROJECT)


def cases():
    """Each point in its modes; where the mode changes little, one in turn, the others deep."""
    for number, point in enumerate(KILL_POINTS):
        for place, mode in enumerate(point.modes):
            is_deep = point.step not in MODE_MATTERS and (place + number) % len(point.modes)
            name = f"{point.name}, {mode.value}"
            yield pytest.param(mode, point, id=name, marks=[pytest.mark.deep] if is_deep else [])


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    folder = tmp_path_factory.mktemp("begun") / "state"
    found(folder)
    return folder


@pytest.fixture(scope="module")
def never_killed(begun, tmp_path_factory):
    outcome_by_mode = {}
    for mode in Mode:
        folder = shutil.copytree(begun, tmp_path_factory.mktemp("whole") / "state")
        outcome_by_mode[mode] = clear(folder, mode)
    return outcome_by_mode


def killed(folder, mode, points):
    """Whether a process that clears was killed, and did not come to its end."""
    process = processes().Process(target=die, args=(folder, mode, points))
    process.start()
    process.join(PATIENCE_SECONDS)
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode == -signal.SIGKILL


def test_clearing_in_parts_comes_to_the_same_as_in_one_call(never_killed):
    one_call, staged = never_killed[Mode.ONE_CALL], never_killed[Mode.STAGED]

    assert [count for *_, count in one_call.cycles] == [3, 4]
    assert len(one_call.captured) == 8
    assert staged.state_hash == one_call.state_hash
    assert staged.cycles == one_call.cycles
    assert staged.captured == one_call.captured
    assert len(staged.transactions) > len(one_call.transactions)


def test_every_step_of_the_path_has_points_in_both_modes():
    for step in Step:
        modes = {mode for point in KILL_POINTS if point.step is step for mode in point.modes}
        assert modes == set(Mode), step
    assert len({point.name for point in KILL_POINTS}) == len(KILL_POINTS)


@pytest.mark.parametrize(("mode", "point"), list(cases()))
def test_clearing_that_was_killed_goes_on_as_if_it_had_not_been(
    begun, never_killed, tmp_path, mode, point
):
    folder = shutil.copytree(begun, tmp_path / "state")

    assert killed(folder, mode, [point]), "the point was not reached"
    assert clear(folder, mode) == never_killed[mode]


@pytest.mark.deep
@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("seed", range(30))
def test_clearing_that_was_killed_again_and_again_goes_on_as_if_it_had_not_been(
    begun, never_killed, tmp_path, seed, mode
):
    folder, chance = shutil.copytree(begun, tmp_path / "state"), random.Random(seed)
    points = [point for point in KILL_POINTS if mode in point.modes]
    for _ in range(chance.randint(1, KILLS_MAX)):
        point = replace(chance.choice(points), call=chance.randint(1, CALLS_MAX))
        killed(folder, mode, [point])

    assert clear(folder, mode) == never_killed[mode]
