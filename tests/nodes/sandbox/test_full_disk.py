"""Disk full: refused clearly, nothing half captured, and on again when there is room."""

import json

from tests.support.forked import run_forked
from tests.support.full_disk import fill_and_free
from tests.support.postgres import only_files


@only_files
def test_capture_refuses_while_files_cannot_grow_and_goes_on_when_they_can(tmp_path):
    done = run_forked(fill_and_free, tmp_path / "state")

    assert done.returncode == 0
    said = {line["step"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert said["before"] == {"step": "before", "batch": 201, "end": 2_000}
    assert said["full"] == {"step": "full", "answers": [507, 507, 507], "end": 2_000}
    assert said["waiting"]["ready"] == 200
    assert said["after"] == {"step": "after", "answers": [201, 200, 201], "end": 4_001}
    assert said["settled"] == {"step": "settled", "agrees": True, "refusals": 0}
