"""The conventions of the REST interface are as their page says."""

import re
import shlex
from itertools import pairwise

import httpx2
import pytest
from typer.testing import CliRunner

from api.cli.main import app
from nodes.sandbox.sandbox import open_sandbox
from tests.support.clients import headers_in
from tests.support.consortia import DAY
from tests.support.servers import served

ADDRESS = "http://127.0.0.1:8000"


@pytest.fixture
def place(tmp_path):
    with served(open_sandbox(tmp_path, "test", DAY)) as server:
        yield f"http://{server.place}"


def commands_of(text):
    """The indented commands of a page, with the lines that go on in quotes."""
    pattern = r"^    (?:\.venv/bin/)?((?:curl|novate) (?:[^'\n]|'[^']*')*)$"
    return [shlex.split(line) for line in re.findall(pattern, text, re.MULTILINE)]


def ask(place, words):
    """Sends what a curl command sends."""
    [url] = [word.replace(ADDRESS, place) for word in words if word.startswith(ADDRESS)]
    values = list(pairwise(words))
    body = next((value for option, value in values if option == "-d"), None)
    method = "HEAD" if "-I" in words else "POST" if body else "GET"
    return httpx2.request(method, url, content=body, headers=headers_in(words), timeout=60)


def test_commands_of_the_page_are_answered_as_it_says(request, place):
    text = (request.config.rootpath / "docs/rest.md").read_text()
    commands = commands_of(text)
    assert len(commands) == len(re.findall(r"^    (?:curl|\.venv)", text, re.MULTILINE))

    answers = [ask(place, words) for words in commands if words[0] == "curl"]
    [shown] = [
        CliRunner().invoke(app, [*words[1:], "--url", place])
        for words in commands
        if words[0] == "novate"
    ]

    assert [answer.status_code for answer in answers] == [201, 200, 200, 200, 200, 200, 200, 201]
    captured, requests, head, trades, ranged, cycles, past, batch = answers
    assert captured.json()["state"] == "settled"
    assert [each["idempotency_key"] for each in requests.json()["data"]] == ["trade-1"]
    assert (head.content, len(head.headers["ETag"])) == (b"", 66)
    assert [each["number"] for each in trades.json()["data"]] == ["T1"]
    assert ranged.json()["data"] == trades.json()["data"]
    assert [each["state"] for each in cycles.json()["data"]] == ["settled"]
    assert past.json()["as_of_block"] == 1
    assert batch.json()["entered"] == 2
    assert shown.exit_code == 0
    assert "/v1/trades?wait=final" in shown.output
    again = ask(place, commands[0])
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.content == captured.content
