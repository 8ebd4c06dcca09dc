"""Disk full: refused clearly, nothing half captured, and on again when there is room."""

import json
import subprocess
import sys


def test_capture_refuses_while_files_cannot_grow_and_goes_on_when_they_can(request, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.full_disk", str(tmp_path / "state")],
        cwd=request.config.rootpath,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-2_000:]
    said = {line["step"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert said["before"] == {"step": "before", "batch": 201, "end": 2_000}
    assert said["full"] == {"step": "full", "answers": [507, 507, 507], "end": 2_000}
    assert said["waiting"]["ready"] == 200
    assert said["after"] == {"step": "after", "answers": [201, 200, 201], "end": 4_001}
    assert said["settled"] == {"step": "settled", "agrees": True, "refusals": 0}
