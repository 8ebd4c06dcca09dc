"""The requests and commands of the documentation work as it says."""

import re
import shlex
import time

import httpx2
import pytest
from typer.testing import CliRunner

from api.cli.main import app
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from tests.support.clients import headers_in, key_header
from tests.support.consortia import DAY
from tests.support.servers import served

ADDRESS = "http://127.0.0.1:8000"
SECONDS_MAX = 20
SETTLED_IN_THE_README = ("README.md", "README.zh.md")


@pytest.fixture
def place(tmp_path):
    options = SandboxOptions(cycle_seconds=0)
    with served(open_sandbox(tmp_path, "test", DAY, options=options)) as server:
        yield f"http://{server.place}"


def commands_of(text, program):
    """The indented commands of a page, with the lines that go on in quotes."""
    lines = re.findall(rf"^    (?:\.venv/bin/)?({program} (?:[^']|'[^']*')*?)$", text, re.MULTILINE)
    return [shlex.split(line)[1:] for line in lines]


def ask(place, words):
    """Sends what a curl command sends."""
    words = [word for word in words if word != "-s"]
    options = {words[i]: words[i + 1] for i in range(len(words)) if words[i] in ("-X", "-d")}
    [url] = [word.replace(ADDRESS, place) for word in words if word.startswith(ADDRESS)]
    body = options.get("-d")
    method = options.get("-X") or ("POST" if body else "GET")
    return httpx2.request(method, url, content=body, headers=headers_in(words), timeout=30)


def wait_for(place, label):
    deadline = time.monotonic() + SECONDS_MAX
    while (
        httpx2.get(f"{place}/v1/instructions/{label}", headers=key_header()).json()["state"]
        != "settled"
    ):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_requests_of_the_page_are_answered_as_it_says(request, place):
    text = (request.config.rootpath / "docs/instructions-api.md").read_text()
    answers = [ask(place, words) for words in commands_of(text, "curl")]

    statuses = [answer.status_code for answer in answers]
    assert len(statuses) == text.count("    curl ")
    assert statuses[:4] == [201, 200, 200, 200]
    # The replacement takes effect at once: its one debtor has asked.
    assert statuses[4:8] == [201, 200, 200, 201]
    assert all(status < 300 for status in statuses), statuses
    assert answers[1].json()["missing"][0]["missing"] == "500.00"
    assert answers[7].json()["label"] == "FOP-2"
    wait_for(place, "DVP-1")


def test_commands_of_the_page_end_as_it_says(request, place):
    text = (request.config.rootpath / "docs/instructions-api.md").read_text()
    commands = commands_of(text, "novate")
    httpx2.post(
        f"{place}/v1/sandbox/fund",
        headers=key_header(),
        json={
            "reference": "EMPTY",
            "kind": "cash",
            "direction": "out",
            "account": "BRK-B",
            "amount": "1000000000.00",
        },
    )
    for words in commands:
        result = CliRunner().invoke(app, [*words, "--url", place])
        assert result.exit_code == (words[:2] == ["dry-run", "instruction"]), result.output
    wait_for(place, "DVP-2")


@pytest.mark.parametrize("name", SETTLED_IN_THE_README)
def test_commands_of_the_readme_settle_an_instruction(request, place, name):
    text = (request.config.rootpath / name).read_text()
    about = ("instruction", "dry-run", "fund", "queue")
    commands = [words for words in commands_of(text, "novate") if words[0] in about]

    assert len(commands) == 4
    for words in commands:
        result = CliRunner().invoke(app, [*words, "--url", place])
        assert result.exit_code == (words[0] == "dry-run"), result.output
    wait_for(place, "DVP-1")
