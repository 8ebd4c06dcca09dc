"""Children that are forked from one parent: each a process of its own, and the parent may die."""

import os
import signal
from subprocess import TimeoutExpired

import pytest

from nodes.processes.children import Children

ENTRY = "tests.support.child:main"
SECONDS_MAX = 30


@pytest.fixture(scope="module")
def children():
    with Children([ENTRY]) as started:
        yield started


def begun(children, *words):
    child = children.start([ENTRY, *words], [])
    assert child.stdout.readline().split() == [word.encode() for word in words]
    child.stdout.close()
    return child


def test_a_child_does_what_it_is_told_and_ends_when_its_input_does(children):
    first, second = begun(children, "one"), begun(children, "two", "words")
    assert first.pid != second.pid
    assert (first.poll(), second.poll()) == (None, None)

    first.stdin.close()
    assert first.wait(SECONDS_MAX) == 7
    with pytest.raises(TimeoutExpired):
        second.wait(0.1)
    second.stdin.close()
    assert second.wait(SECONDS_MAX) == 7


def test_a_child_is_signalled_by_its_parent_and_nobody_once_it_has_ended(children):
    child = begun(children, "one")
    child.send_signal(signal.SIGKILL)
    assert child.wait(SECONDS_MAX) == -signal.SIGKILL
    child.send_signal(signal.SIGTERM)
    assert child.poll() == -signal.SIGKILL
    child.stdin.close()


def test_when_the_parent_is_killed_its_children_end_and_others_can_be_started(children):
    orphan = begun(children, "one")
    os.kill(children._parent._process.pid, signal.SIGKILL)
    assert orphan.wait(SECONDS_MAX) == -signal.SIGKILL

    child = begun(children, "two")
    child.stdin.close()
    assert child.wait(SECONDS_MAX) == 7


def test_descriptors_that_are_to_be_kept_stay_open_in_the_child(children):
    ours, theirs = os.pipe()
    child = children.start([ENTRY], [theirs])
    os.close(theirs)
    child.stdout.readline()
    child.stdout.close()
    os.set_blocking(ours, False)
    with pytest.raises(BlockingIOError):
        os.read(ours, 1)
    child.stdin.close()
    child.wait(SECONDS_MAX)
    os.set_blocking(ours, True)
    assert os.read(ours, 1) == b""
    os.close(ours)
