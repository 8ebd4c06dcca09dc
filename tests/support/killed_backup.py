"""A backup that is killed: ``python -m tests.support.killed_backup FOLDER TARGET MOMENT``.

MOMENT is "manifest" (the files are written, the manifest is not) or "rename" (it has not its name).
"""

import os
import signal
import sys
from pathlib import Path

from nodes.backup import writing
from nodes.sandbox.sandbox import open_sandbox
from tests.support.consortia import DAY


def die(*_):
    """The process is gone."""
    os.kill(os.getpid(), signal.SIGKILL)


def main(folder, target, moment):
    """Backs up a new market, and does not come to its end."""
    sandbox = open_sandbox(folder, "test", DAY)
    if moment == "manifest":
        writing.write_manifest = die
    else:
        Path.rename = die
    writing.write_backup(sandbox, target)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
