"""The commands that talk to a running ``novate up``: what they show, and how they end."""

import json
import socket
import time

import pytest
from typer.testing import CliRunner

from api.cli.main import app
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from tests.support.consortia import DAY
from tests.support.servers import served

runner = CliRunner()
SECONDS_MAX = 20
SIDES = ("--deliverer", "BRK-A", "--receiver", "BRK-B")
DVP = (*SIDES, "--instrument", "NOVA1", "--quantity", "100")


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    options = SandboxOptions(cycle_seconds=0)
    opened = open_sandbox(tmp_path_factory.mktemp("state"), "test", DAY, options=options)
    with served(opened) as server:
        yield f"http://{server.place}"


@pytest.fixture
def run(url):
    return lambda *words: runner.invoke(app, [*words, "--url", url])


def shown(run, label):
    return json.loads(run("instruction", "show", label, "--json").output)


def wait_for(run, label, state):
    deadline = time.monotonic() + SECONDS_MAX
    while shown(run, label)["state"] != state:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_instruction_that_lacks_cash_is_dry_run_funded_and_settles(run):
    entered = run("instruction", "enter", "SHORT", *DVP, "--amount", "1000000000.50")
    assert entered.exit_code == 0, entered.output
    assert "MONY (5004)" in entered.output

    dry = run("dry-run", "instruction", "SHORT")
    assert dry.exit_code == 1
    assert "0.50 CNY must come into BRK-B." in dry.output
    assert "BRK-B" in run("queue", "show").output

    funded = run("fund", "BRK-B", "--amount", "0.50", "--reference", "F1")
    assert funded.output == "BRK-B has 1000000000.50 CNY, 0.00 held\n"
    wait_for(run, "SHORT", "settled")
    assert "final in block" in run("instruction", "show", "SHORT").output
    assert run("instruction", "settle", "SHORT", "--by", "BRK-A").exit_code == 0


def test_instruction_is_held_released_moved_up_and_cancelled(run):
    run("instruction", "enter", "HELD", *DVP, "--amount", "1.00", "--hold", "--priority", "high")
    tried = run("instruction", "settle", "HELD", "--by", "BRK-A")
    assert (tried.exit_code, "HELD (5001)" in tried.output) == (1, True)
    released = run("instruction", "release", "HELD", "--by", "BRK-A")
    assert "held by   BRK-B" in released.output
    assert (
        "priority urgent"
        in run("instruction", "prioritise", "HELD", "urgent", "--by", "BRK-A").output
    )
    assert run("instruction", "hold", "HELD", "--by", "BRK-A").exit_code == 0
    assert "BRK-A must release HELD" in " ".join(
        run("dry-run", "instruction", "HELD").output.replace("BRK-A, BRK-B", "BRK-A").split()
    )
    assert "1 instruction aside: HELD HELD" in run("queue", "show").output
    assert "out for   BRK-A" in run("instruction", "cancel", "HELD", "--by", "BRK-A").output
    assert "cancelled" in run("instruction", "cancel", "HELD", "--by", "BRK-B").output


def test_circle_is_resolved(run):
    for label, payer, payee in (("R1", "BRK-A", "BRK-C"), ("R2", "BRK-C", "BRK-A")):
        sides = ("--receiver", payer, "--deliverer", payee)
        amount = ("--amount", "9000000000.00")
        run("instruction", "enter", label, "--kind", "pay", *sides, *amount)

    assert run("dry-run", "set", "R1", "R2").output == "R1, R2 would settle now.\n"
    alone = run("dry-run", "instruction", "R1")
    assert "a set of 2 would settle together" in alone.output
    resolved = run("queue", "resolve", "fifo")
    assert "settled 2 instructions  18000000000.00 CNY" in resolved.output
    assert run("queue", "resolve", "optimum").output == "settled 0 instructions\n"


def test_list_is_filtered_and_every_line_of_json_is_one(run):
    run("instruction", "enter", "LISTED", "--kind", "fop", *DVP, "--hold")
    table = run("instruction", "list", "--state", "held").output
    assert "LISTED" in table
    lines = run("instruction", "list", "--json", "--reason", "HELD").output.splitlines()
    assert "LISTED" in [json.loads(line)["label"] for line in lines]


def test_dry_run_of_what_is_not_entered_and_of_a_cycle(run):
    sides = ("--deliverer", "BRK-A", "--receiver", "BRK-C/client", "--amount", "1.00")
    new = run("dry-run", "new", "NEVER", "--instrument", "NOVA2", "--quantity", "5", *sides)
    assert (new.exit_code, new.output) == (0, "NEVER would settle now.\n")
    assert run("instruction", "show", "NEVER").exit_code == 2
    cycle = run("dry-run", "cycle")
    assert (cycle.exit_code, cycle.output.startswith("0 trades waiting")) == (0, True)


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["instruction", "enter", "X", *SIDES], 2, "a dvp needs --instrument, --quantity"),
        (["instruction", "enter", "X", "--kind", "fop", *DVP, "--amount", "1"], 2, "no --amount"),
        (["instruction", "enter", "a b", *DVP, "--amount", "1"], 2, "(INVALID, 1001)"),
        (["instruction", "enter", "X", *DVP, "--amount", "1_0"], 2, "(INVALID, 1001)"),
        (["instruction", "show", "no/such"], 2, "(UNKNOWN, 1002)"),
        (["instruction", "hold", "MINE", "--by", "BRK-C"], 1, "(UNAUTHORISED, 2001)"),
        (["instruction", "enter", "MINE", *DVP, "--amount", "2.00"], 1, "(DUPLICATE, 3003)"),
        (["instruction", "list", "--state", "gone"], 2, "query.state"),
        (["fund", "BRK-A", "--reference", "F2"], 2, "give --amount"),
        (["fund", "BRK-A", "--reference", "F2", "--amount", "9999999999.00", "--out"], 1, "MONY"),
    ],
)
def test_refusal_says_why_and_what_to_do(run, words, status, message):
    run("instruction", "enter", "MINE", *DVP, "--amount", "1.00", "--hold")

    result = run(*words)

    assert result.exit_code == status, result.output
    assert message in " ".join(result.output.split())


def test_nobody_who_answers_is_said_so():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    nobody = runner.invoke(app, ["queue", "show", "--url", f"http://127.0.0.1:{port}"])
    no_address = runner.invoke(app, ["queue", "show", "--url", "file:///etc/hosts"])

    assert (nobody.exit_code, no_address.exit_code) == (2, 2)
    assert "does not answer" in nobody.output
    assert "Start novate up" in nobody.output
    assert "expected an address" in no_address.output


@pytest.mark.parametrize("name", ["instruction", "queue", "dry-run", "fund"])
def test_commands_explain_themselves_and_are_grouped(name):
    whole = runner.invoke(app, ["--help"])

    assert runner.invoke(app, [name, "--help"]).exit_code == 0
    assert "talk to what is served" in whole.output
    assert name in whole.output
