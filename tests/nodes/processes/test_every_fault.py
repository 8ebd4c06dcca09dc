"""Every node, at every fault, at many moments of a running flow: the books agree again.

While a node is away the flow goes on; the node comes back. Then everything that was acknowledged is
there once and has settled, every node has reconciled to the same block, and no break is open. In
the end positions are those of an undisturbed run of the same input in one process.
"""

import os
import signal
from dataclasses import dataclass
from datetime import date
from http.client import HTTPException
from time import sleep

import pytest

from api.app import create_app
from nodes.processes.supervisor import RUNNING
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from nodes.state_hash import state_lines
from tests.support.clients import SEED, client_of
from tests.support.feeding import Feeding, Striking, flow, pages
from tests.support.processes import processes

NODES = (
    "BRK-A",
    "BRK-B",
    "BRK-C",
    "BANK-1",
    "BANK-2",
    "EXCHANGE",
    "REGISTRAR",
    "CLEARING-HOUSE",
)
FAULTS = ("kill", "crash", "restart", "cut-off", "slow", "duplicate")
MOMENTS_SECONDS = (0.0, 0.07, 0.3, 0.8)
AWAY_SECONDS = 1.5
SETTLED_SECONDS_MAX = 120
"""What was signed for a cycle that came to nothing binds a minute."""


@dataclass(frozen=True)
class Case:
    """A fault of a node at a moment of the flow; its number is that of the flow."""

    number: int
    node: str
    fault: str
    after_seconds: float

    def __str__(self):
        return f"{self.fault} {self.node} after {self.after_seconds} s"


CASES = [
    Case(number, node, fault, moment)
    for number, (moment, fault, node) in enumerate(
        (moment, fault, node) for moment in MOMENTS_SECONDS for fault in FAULTS for node in NODES
    )
]
SELECTION = [
    next(each for each in CASES if (each.fault, each.node, each.after_seconds) == chosen)
    for chosen in (
        ("kill", "CLEARING-HOUSE", 0.07),
        ("cut-off", "BANK-1", 0.0),
    )
]


@pytest.mark.deep
def test_every_node_is_met_by_every_fault_and_the_books_agree_again(tmp_path):
    prove(tmp_path, CASES)


@pytest.mark.parametrize("case", SELECTION, ids=str)
def test_books_agree_again_after_a_fault_while_trades_go_on(running, case):
    play(running, case, running.ask("GET", "/v1/clock")[1]["business_date"])


def prove(folder, cases):
    """Plays the cases one after another in one sandbox of processes, and without any in another."""
    with processes(folder / "many") as running:
        running.ask("POST", "/v1/clock", {"frozen": True})
        today = running.ask("GET", "/v1/clock")[1]["business_date"]
        for case in cases:
            play(running, case, today)
    undisturbed = open_sandbox(
        folder / "one",
        SEED,
        date.fromisoformat(today),
        options=SandboxOptions(cycle_seconds=0),
    )
    with client_of(create_app(undisturbed)) as client:
        client.post("/v1/clock", json={"frozen": True})
        for case in cases:
            for step in flow(case.number, today):
                assert client.post(step.path, json=step.body).status_code in (200, 201)
            client.post("/v1/cycles")

    assert lines_of(folder / "many") == lines_of(folder / "one")


def lines_of(folder):
    """Positions and what was entered, in a folder that nobody has open.

    In which cycle a trade has settled, or by itself, depends on who was there.
    """
    sandbox = open_sandbox(folder, SEED, date.today())  # noqa: DTZ011 # of a folder that is there
    try:
        lines = state_lines(sandbox.consortium)
        return sorted(each for each in lines if " XNOV." not in each)
    finally:
        sandbox.stop()


def play(running, case, today):
    """One case, to the agreement."""
    steps = flow(case.number, today)
    with Feeding(running, steps) as feeding, Striking(running):
        sleep(case.after_seconds)
        disturb(running, case)
        feeding.is_half.wait(AWAY_SECONDS)
        sleep(AWAY_SECONDS / 5)
        mend(running, case)
        feeding.finish()
    try:
        running.wait_until(lambda: has_settled(running, steps), SETTLED_SECONDS_MAX)
        running.wait_until(running.agrees, 60)
    except AssertionError:
        raise AssertionError(f"{case}: {what_stands(running, steps)}") from None


def disturb(running, case):
    match case.fault:
        case "kill":
            running.control.kill(case.node)
        case "crash":
            os.kill(running.pids()[case.node], signal.SIGKILL)
        case "restart":
            running.control.restart(case.node)
        case "cut-off":
            running.control.pause(case.node)
        case _:
            order(running, case, fault=case.fault)


def mend(running, case):
    match case.fault:
        case "kill":
            running.control.start(case.node)
        case "cut-off":
            running.control.resume(case.node)
        case "crash" | "restart":
            running.wait_until(lambda: running.control.states()[case.node].state == RUNNING)
        case _:
            order(running, case, fault="heal")


def order(running, case, fault):
    body = {"fault": fault, "participant": case.node}
    if fault == "slow":
        body["milliseconds"] = 150
    status, answer = running.ask("POST", "/v1/sandbox/faults", body)
    assert status == 200, answer


def has_settled(running, steps):
    numbers = [step.name for step in steps if step.path == "/v1/trades"]
    try:
        running.strike()
        trades = [each for each in pages(running, "trades") if each["number"] in set(numbers)]
        if sorted(each["number"] for each in trades) != sorted(numbers):
            raise LookupError(f"captured: {[each['number'] for each in trades]}")
        instructions = {each["label"]: each["state"] for each in pages(running, "instructions")}
    except HTTPException:
        return False
    entered = [step.name for step in steps if step.path == "/v1/instructions"]
    matched = [name for name in instructions if any(f":{s.name}+" in name for s in steps)]
    sides = [step for step in steps if step.path == "/v1/sides"]
    return (
        all(each["state"] == "settled" for each in trades)
        and len(matched) == len(sides) // 2
        and all(instructions[name] == "settled" for name in (*entered, *matched))
    )


def what_stands(running, steps):
    """For whoever looks for what is wrong."""
    numbers = {step.name for step in steps}
    found = running.ask("GET", "/v1/reconciliation")[1]
    trades = [each for each in pages(running, "trades") if each["number"] in numbers]
    instructions = pages(running, "instructions")
    return {
        "trades": [(each["number"], each["state"], each["reason"]) for each in trades],
        "instructions": [
            (each["label"], each["state"], each.get("reason"))
            for each in instructions
            if each["state"] != "settled"
        ],
        "nodes": found,
        "processes": {id: place.state for id, place in running.control.states().items()},
    }
