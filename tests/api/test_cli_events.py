"""``novate events``, ``novate listen`` and ``novate webhook`` against a running sandbox."""

import json
import subprocess
import sys
from contextlib import contextmanager
from threading import Thread

import httpx2
import pytest
from typer.testing import CliRunner

from api.app import create_app
from api.cli.key_choice import VARIABLE
from api.cli.main import app
from api.server import server_of
from nodes.api_keys import OPERATOR, seeded_secret
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from nodes.webhooks.addresses import AddressRules
from tests.support.clients import SEED, key_header
from tests.support.consortia import DAY
from tests.support.receiver import Receiver, wait
from tests.support.servers import run as run_server

runner = CliRunner()
OPERATOR_KEY = seeded_secret(SEED, OPERATOR.name)
TRADE = {
    "number": "T1",
    "instrument": "NOVA1",
    "quantity": "100",
    "price": "10.50",
    "seller": "BRK-A",
    "buyer": "BRK-B/client",
}


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    options = SandboxOptions(cycle_seconds=0)
    sandbox = open_sandbox(tmp_path_factory.mktemp("state"), "test", DAY, options=options)
    served = create_app(sandbox, webhook_rules=AddressRules(to_loopback=True))
    with run_server(server_of(served, "127.0.0.1", 0)) as place:
        yield f"http://{place}"


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv(VARIABLE, OPERATOR_KEY)


@pytest.fixture
def run(url):
    def invoke(*words):
        result = runner.invoke(app, [*words, "--url", url])
        assert result.exit_code == 0, result.output
        return result.output

    return invoke


@pytest.fixture
def receiver():
    opened = Receiver()
    yield opened
    opened.close()


@contextmanager
def running(request, *words):
    """A command in a process of its own; gives the lines that it says."""
    process = subprocess.Popen(
        [sys.executable, "-m", "api.cli", *words],
        cwd=request.config.rootpath,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
        env={"PATH": "", "PYTHONUNBUFFERED": "1", VARIABLE: OPERATOR_KEY},
    )
    lines, errors = [], []
    readers = [
        Thread(target=lambda pipe=pipe, into=into: into.extend(pipe), daemon=True)
        for pipe, into in ((process.stdout, lines), (process.stderr, errors))
    ]
    for reader in readers:
        reader.start()
    try:
        yield lines, errors
    finally:
        process.terminate()
        process.wait(10)
        for reader in readers:
            reader.join(10)
        process.stdout.close()
        process.stderr.close()


def submit(url, number):
    return httpx2.post(
        f"{url}/v1/trades", json=TRADE | {"number": number}, headers=key_header()
    ).json()["id"]


def test_events_are_listed_and_filtered(url, run):
    trade = submit(url, "LISTED")
    wait(lambda: "trade.captured" in run("events", "--type", "trade.*"))

    listed = run("events", "--subject", trade, "--json").splitlines()
    assert [json.loads(line)["subject"] for line in listed] == [trade]
    assert "sandbox.started" not in run("events", "--type", "trade.*")
    assert run("events", "--since", str(json.loads(listed[0])["sequence"])) == ""


def test_listener_forwards_what_happens_and_what_is_resent(request, url, run, receiver):
    words = ("listen", "--forward-to", receiver.url.removeprefix("http://"), "--type", "trade.*")
    with running(request, *words, "--url", url) as (lines, errors):
        wait(lambda: errors)
        for number in range(20):
            submit(url, f"HEARD{number}")
            if receiver.received:
                break
        receiver.wait_for(1)
        event = json.loads(receiver.received[0][1])
        before = len(receiver.received)
        run("webhook", "resend", event["id"])
        receiver.wait_for(before + 1)
        wait(lambda: any("(resent)" in line for line in lines))

    assert lines[0].startswith(f"{event['id']}  trade.captured  200")
    assert "whsec_" in errors[0]


def test_followed_events_come_as_they_happen(request, url):
    words = ("events", "--follow", "--since", "0", "--json")
    with running(request, *words, "--url", url) as (lines, _):
        wait(lambda: lines)
        submit(url, "FOLLOWED")
        wait(lambda: any(".FOLLOWED" in line for line in lines))

    sequences = [json.loads(line)["sequence"] for line in lines]
    assert sequences == [*range(1, len(sequences) + 1)]


def test_webhook_is_added_shown_switched_resent_and_removed(url, run, receiver):
    added = run("webhook", "add", receiver.url, "--type", "trade.captured")
    id = added.split()[0]
    assert "whsec_" in added
    submit(url, "HOOKED")
    receiver.wait_for(1)
    event = json.loads(receiver.received[0][1])["id"]

    assert receiver.url in run("webhook", "list")
    assert "enabled" in run("webhook", "show", id)
    assert "disabled" in run("webhook", "disable", id)
    assert "1 event will be sent" in run("webhook", "resend", event, "--endpoint", id)
    receiver.wait_for(2)
    wait(lambda: "resend" in run("webhook", "attempts", id))
    assert "delivered" in run("webhook", "attempts", id)
    assert "enabled" in run("webhook", "enable", id)
    assert "removed" in run("webhook", "remove", id)
    assert runner.invoke(app, ["webhook", "show", id, "--url", url]).exit_code == 2


def test_nothing_to_follow_is_said_at_once():
    result = runner.invoke(app, ["events", "--follow", "--url", "http://127.0.0.1:9"])

    assert result.exit_code == 2
    assert "nothing can be followed" in result.output
