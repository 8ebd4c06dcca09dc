"""The batches of the documentation are captured as it says."""

import json
import re

import pytest

from api.app import create_app
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from nodes.trade_batches.arrow_form import SCHEMA
from tests.support.clients import client_of
from tests.support.consortia import DAY


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_batch_and_strike_of_the_readme_work(request, tmp_path, name):
    text = (request.config.rootpath / name).read_text()
    body = json.loads(re.search(r"trades:batch .* -d '(\[.*?\])'", text, re.DOTALL)[1])
    options = SandboxOptions(cycle_seconds=0)
    with client_of(create_app(open_sandbox(tmp_path, "test", DAY, options=options))) as client:
        captured = client.post("/v1/trades:batch", json=body)
        cycle = client.post("/v1/cycles")

    assert (captured.status_code, captured.json()["captured"]) == (201, 2)
    assert (cycle.status_code, cycle.json()["trades"]) == (201, 2)


def test_documented_columns_are_those_of_the_schema(request):
    text = (request.config.rootpath / "docs/capture.md").read_text()
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| `", text, re.MULTILINE)
    names = [name for row in rows for name in re.findall(r"\w+", row)]

    assert names == SCHEMA.names
