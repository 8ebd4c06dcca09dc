"""Processes of their own, forked from one that has imported what they need: no test waits for that.

Each is as real as any other: its files, its memory and its death are its own.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import Pipe, get_context
from typing import NamedTuple

from tests.support.postgres import share_schemas

SECONDS_MAX = 120
IMPORTED = [
    f"tests.support.{name}"
    for name in (
        "chain_worker",
        "full_disk",
        "killed_backup",
        "killed_capture",
        "killed_clearing",
        "killed_day",
        "killed_desk",
        "killed_interface",
        "killed_journal",
        "running",
        "segments",
    )
]


class Ended(NamedTuple):
    """How a process has ended: its status, negative for a signal, and what it has said."""

    returncode: int
    stdout: str


class Forked:
    """A process that runs. ``stdout`` is what it says, as text."""

    def __init__(self, process, stdout):
        self._process = process
        self.stdout = stdout
        self.pid = process.pid

    def kill(self):
        """It is gone, with no chance to tidy up."""
        self._process.kill()

    def wait(self):
        """How it has ended."""
        self._process.join(SECONDS_MAX)
        assert self._process.exitcode is not None, "it goes on and on"
        return self._process.exitcode


def processes():
    """Where processes come from. What they import is the same for all: there is one of it."""
    context = get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    return context


@contextmanager
def forked(act, *given) -> Iterator[Forked]:
    """Does something in a process of its own, which is killed at the end of the block."""
    ours, theirs = Pipe(duplex=False)
    process = processes().Process(target=_act, args=(theirs, act, given), daemon=True)
    with ours, theirs:
        process.start()
        stdout = os.fdopen(os.dup(ours.fileno()))
    with stdout:
        try:
            yield Forked(process, stdout)
        finally:
            process.kill()
            process.join()


def run_forked(act, *given) -> Ended:
    """Does something in a process of its own, to its end."""
    with forked(act, *given) as process:
        said = process.stdout.read()
        return Ended(process.wait(), said)


def _act(output, act, given):
    os.dup2(output.fileno(), sys.stdout.fileno())
    output.close()
    share_schemas()
    act(*given)
