"""Temporary files of tests lie in memory where there is room: then no commit waits for a disk.

A process that is killed leaves there what it would leave on a disk; only a machine that loses its
power does not, which no test can show. ``TMPDIR`` names another place, as everywhere.
"""

import os
import tempfile
from pathlib import Path

PLACE = Path("/dev/shm")
ROOM_BYTES_MIN = 6 * 2**30
"""Twice what a run leaves behind."""


def use_memory_folder():
    """From now on, here and in processes that are started."""
    if "TMPDIR" not in os.environ and _has_room():
        os.environ["TMPDIR"] = tempfile.tempdir = str(PLACE)


def _has_room():
    if not os.access(PLACE, os.W_OK):
        return False
    place = os.statvfs(PLACE)
    memory = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    available = int(memory["MemAvailable"].split()[0]) * 1_024
    return min(place.f_bavail * place.f_frsize, available) >= ROOM_BYTES_MIN
