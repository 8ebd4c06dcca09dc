"""A backup that is killed."""

import os
import signal
from pathlib import Path

from nodes.backup import writing
from nodes.sandbox.sandbox import open_sandbox
from tests.support.consortia import DAY


def die(*_):
    """The process is gone."""
    os.kill(os.getpid(), signal.SIGKILL)


def back_up(folder, target, moment):
    """Backs up a market, and does not come to its end.

    It is killed before the "manifest" is written, or before the "rename" that gives it its name.
    """
    sandbox = open_sandbox(folder, "test", DAY)
    if moment == "manifest":
        writing.write_manifest = die
    else:
        Path.rename = die
    writing.write_backup(sandbox, target)
