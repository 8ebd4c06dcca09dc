"""One sandbox of processes for all that leave it as they found it: it takes seconds to start."""

import pytest

from tests.support.processes import processes

VALIDITY_SECONDS = 10
"""What was signed for a cycle that came to nothing binds so long."""


@pytest.fixture(scope="session")
def running(tmp_path_factory):
    """All nodes run, and no cycle is struck by time."""
    folder = tmp_path_factory.mktemp("processes") / "state"
    rule = ("--rule", f"cycle_validity_seconds={VALIDITY_SECONDS}")
    log = ("--log", str(folder.with_name("log")), "--log-level", "debug")
    with processes(folder, *rule, *log) as found:
        yield found
