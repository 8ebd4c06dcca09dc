"""``novate side``: what it sends and shows, how it ends, and that its page is true."""

import json
import re
import shlex
import time

import httpx2
import pytest
from typer.testing import CliRunner

from api.cli.main import app
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from tests.support.clients import headers_in
from tests.support.consortia import DAY
from tests.support.servers import served

ADDRESS = "http://127.0.0.1:8000"
PAGE = "docs/sides-api.md"
SALE = ("--side", "seller", "--account", "BRK-A", "--counterparty", "BRK-B")
PURCHASE = ("--side", "buyer", "--account", "BRK-B", "--counterparty", "BRK-A")
RECEIPT = ("--side", "receiver", *SALE[2:])
TERMS = ("--instrument", "NOVA1", "--quantity", "100", "--settlement-date", "2026-02-10")
SECONDS_MAX = 20


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    options = SandboxOptions(cycle_seconds=0)
    opened = open_sandbox(tmp_path_factory.mktemp("state"), "test", DAY, options=options)
    with served(opened) as server:
        yield f"http://{server.place}"


@pytest.fixture
def run(url):
    return lambda *words: CliRunner().invoke(app, ["side", *words, "--url", url])


def wait_for(run, participant, reference, state):
    deadline = time.monotonic() + SECONDS_MAX
    while json.loads(run("show", participant, reference, "--json").output)["state"] != state:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_side_is_entered_alleged_amended_and_matches(run):
    entered = run("enter", "C1", *SALE, *TERMS, "--amount", "1000.00", "--entitlement", "ex")
    assert entered.exit_code == 0, entered.output
    assert "BRK-A C1  seller, with BRK-B  100 NOVA1 against 1000.00 CNY" in entered.output
    assert "UNMATCHED (4004)" in entered.output

    run("enter", "C2", *PURCHASE, *TERMS, "--amount", "1002.01", "--entitlement", "ex")
    alleged = run("allegements", "BRK-B").output
    assert "nearest   BRK-B C2 differs in" in alleged
    assert "amount: yours 1002.01, theirs 1000.00" in alleged
    assert alleged.endswith("1 side alleged to BRK-B\n")

    amended = run("amend", "BRK-B", "C2", "C3", "--amount", "1000.00")
    assert "matched   BRK-A:C1+BRK-B:C3" in amended.output
    wait_for(run, "BRK-A", "C1", "settled")
    assert run("withdraw", "BRK-A", "C1").exit_code == 1
    listed = run("list", "--participant", "BRK-B", "--json").output
    assert '"reference": "C3"' in listed
    assert "C2" in run("list", "--state", "cancelled").output


def test_amendment_keeps_what_it_does_not_name(run):
    wishes = ("--hold", "--partial", "--expires", "23:59", "--priority", "high", "--opts-out")
    far = ("--settlement-date", "2999-12-31", "--counterparty-account", "BRK-B/client")
    run("enter", "K1", *SALE, *TERMS, "--amount", "5.00", *wishes, *far)
    run("amend", "BRK-A", "K1", "K2", "--quantity", "99")

    old, new = (json.loads(run("show", "BRK-A", name, "--json").output) for name in ("K1", "K2"))
    run("withdraw", "BRK-A", "K2")
    changed = {name for name in old if old[name] != new[name]}
    assert changed == {"reference", "quantity", "place", "state", "why"}


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("enter", "E1", *TERMS), 2, "--side seller or buyer"),
        (("enter", "E1", *SALE, *TERMS), 2, "needs --amount"),
        (("enter", "E1", "--side", "payer", *SALE[2:]), 2, "--side seller or buyer"),
        (("enter", "E1", "--kind", "fop", *SALE), 2, "--side deliverer or receiver"),
        (
            ("enter", "E1", "--kind", "fop", "--amount", "1.00", *RECEIPT, *TERMS),
            2,
            "has no --amount",
        ),
        (("enter", "E1", *SALE, *TERMS, "--amount", "0"), 2, "INVALID"),
        (("show", "BRK-A", "NONE"), 2, "UNKNOWN"),
        (("withdraw", "BRK-A", "NONE"), 2, "UNKNOWN"),
        (("amend", "BRK-A", "NONE", "N2"), 2, "UNKNOWN"),
        (("allegements", "NOBODY"), 2, "UNKNOWN"),
    ],
)
def test_what_makes_no_sense_ends_with_a_status_and_says_why(run, words, status, says):
    result = run(*words)

    assert result.exit_code == status
    assert says in result.output + result.stderr


def test_requests_of_the_page_are_answered_as_it_says(request, url):
    text = (request.config.rootpath / PAGE).read_text()
    answers = [_ask(url, words) for words in _commands_of(text, "curl")]

    assert len(answers) == text.count("    curl ")
    assert [answer.status_code for answer in answers] == [201, 201, 201, 201, 200, 201, 200]
    first, matched, _, _, alleged, amended, _ = (answer.json() for answer in answers)
    assert (first["state"], matched["instruction"]) == ("unmatched", "BRK-A:S1+BRK-B:P1")
    shown = re.search(r'^    (\{"participant".*?\}\]\})$', text, re.MULTILINE | re.DOTALL)
    assert [each["nearest"] for each in alleged["data"]] == [json.loads(shown[1])]
    assert amended["instruction"] == "BRK-C:S2+BRK-B:P3"


def test_commands_of_the_page_end_well(request, run):
    text = (request.config.rootpath / PAGE).read_text()
    commands = _commands_of(text, "novate")

    assert len(commands) == text.count("    novate side ")
    for _, *words in commands:
        result = run(*words)
        assert result.exit_code == 0, result.output
    wait_for(run, "BRK-A", "S4", "settled")


def _commands_of(text, program):
    """The indented commands of a page, with the lines that go on in quotes."""
    lines = re.findall(rf"^    ({program} (?:[^']|'[^']*')*?)$", text, re.MULTILINE)
    return [shlex.split(line)[1:] for line in lines]


def _ask(url, words):
    """Sends what a curl command sends."""
    options = {words[i]: words[i + 1] for i in range(len(words)) if words[i] == "-d"}
    [address] = [word.replace(ADDRESS, url) for word in words if word.startswith(ADDRESS)]
    body = options.get("-d")
    method = "POST" if body else "GET"
    return httpx2.request(method, address, content=body, headers=headers_in(words), timeout=30)
