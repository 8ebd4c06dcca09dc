"""The commands of docs/statements.md do what it says."""

import re
import shlex

import pytest
from typer.testing import CliRunner

from api.cli.main import app
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from tests.support.clients import client_of
from tests.support.consortia import DAY
from tests.support.servers import served


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    options = SandboxOptions(cycle_seconds=0)
    with served(open_sandbox(tmp_path_factory.mktemp("state"), "test", DAY, options=options)) as s:
        yield s


@pytest.fixture(scope="module")
def text(pytestconfig):
    return (pytestconfig.rootpath / "docs/statements.md").read_text()


def test_commands_run_one_after_another(server, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^    novate (statement .+)$", text, re.MULTILINE)
    assert len(commands) == 4
    for command in commands:
        words = [*shlex.split(command), "--url", f"http://{server.place}"]
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output
    assert "0 differences" in done.output


def test_requests_are_answered(server, text, tmp_path):
    client = client_of(server.app)
    read, sent = re.findall(r"^    curl -s .*?'[^/]+//[^/]+([^']+)'", text, re.MULTILINE)
    assert client.get(read).text.startswith("\ufeff账户")
    positions = client.get("/v1/statements/BRK-A/positions.csv").content
    answer = client.post(sent, content=positions, headers={"content-type": "text/csv"})
    assert answer.json()["agrees"] is True


def test_the_other_system_s_file_is_read_and_a_bad_one_refused_as_shown(server, text):
    client, path = client_of(server.app), "/v1/statements/BRK-A?name=custodian"
    lines = re.search(r"( {4}account,asset,total\n {4}.*)\n", text)[1]
    content = "".join(line.strip() + "\n" for line in lines.splitlines())
    headers = {"content-type": "text/csv"}
    assert client.post(path, content=content, headers=headers).json()["kind"] == "positions"
    bad = content.replace("1000000.00", "1e3")
    refused = client.post(path, content=bad, headers=headers)
    assert refused.json()["detail"] in text
