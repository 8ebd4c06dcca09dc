"""The business clock over REST and by command, and what the queue of a real sandbox makes of it."""

import json
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from typer.testing import CliRunner

from api.app import create_app
from api.cli.main import app
from contracts.typed_data import InstructionMessage
from ledger.domain.instructions import State
from ledger.domain.reasons import Reason
from ledger.settlement.matching import Side
from nodes.clearing_house.desk import Entry
from nodes.instruction_terms import instruction_id
from nodes.sandbox.sandbox import Sandbox, open_sandbox
from tests.support.clients import client_of
from tests.support.consortia import DAY, small_consortium
from tests.support.servers import served

MUCH = 10**14


@pytest.fixture
def sandbox(tmp_path):
    return open_sandbox(tmp_path / "state", "test", DAY)


@pytest.fixture
def client(sandbox):
    with client_of(create_app(sandbox)) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared_client(tmp_path_factory):
    """For what leaves no trace."""
    sandbox = open_sandbox(tmp_path_factory.mktemp("state"), "test", DAY)
    with client_of(create_app(sandbox)) as opened:
        yield opened


def shown(client):
    return client.get("/v1/clock").json()


def moment_of(clock):
    return datetime.fromisoformat(clock["business_time"])


def queue_payment(sandbox, label, expires_at=None):
    """A payment that its payer has not the cash for."""
    network = sandbox.consortium.network
    message = InstructionMessage(
        id=instruction_id(label),
        deliverer=network.account_number("BRK-A"),
        receiver=network.account_number("BRK-B"),
        instrument=0,
        quantity=0,
        currency=1,
        amount=MUCH,
        rule_version=0,
        deadline=0,
    )
    with sandbox.lock:
        house = sandbox.consortium.clearing_house
        assert sandbox.consortium.trader("BRK-B").mandate_instruction(message) is None
        assert house.desk.enter(Entry(label=label, message=message, expires_at=expires_at)) is None
        house.desk.work()


def state_of(sandbox, label):
    instruction = sandbox.consortium.clearing_house.desk.get(label)
    return instruction.state, instruction.reason


def test_clock_shows_business_time_and_chain_time(client):
    clock = shown(client)

    assert clock["frozen"] is False
    assert clock["end_of_day_at"] is None
    assert clock["business_date"] == clock["business_time"][:10]
    ended = date.fromisoformat(clock["last_day_ended"])
    assert ended == date.fromisoformat(clock["business_date"]) - timedelta(days=1)


def test_clock_is_frozen_moved_and_run_again_and_chain_time_does_not_care(client):
    before = shown(client)
    frozen = client.post("/v1/clock", json={"frozen": True}).json()
    moved = client.post("/v1/clock", json={"advance": 86_400}).json()
    again = shown(client)
    running = client.post("/v1/clock", json={"frozen": False}).json()

    assert frozen["frozen"] is moved["frozen"] is again["frozen"] is True
    assert moment_of(moved) == moment_of(again) == moment_of(frozen) + timedelta(days=1)
    assert running["frozen"] is False
    assert moment_of(running) - moment_of(moved) < timedelta(seconds=5)
    assert running["chain_time"] - before["chain_time"] < 60


def test_clock_is_moved_and_frozen_in_one_request(client):
    tomorrow = moment_of(shown(client)).date() + timedelta(days=1)

    moved = client.post("/v1/clock", json={"time": f"{tomorrow}T11:00", "frozen": True}).json()
    later = client.post("/v1/clock", json={"time": "11:30:15"}).json()
    next_day = client.post("/v1/clock", json={"next_day": True}).json()

    assert moved["business_time"] == f"{tomorrow}T11:00:00"
    assert later["business_time"] == f"{tomorrow}T11:30:15"
    assert next_day["business_time"] == f"{tomorrow + timedelta(days=1)}T09:00:00"


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({}, "expected at least one of frozen, time, advance"),
        ({"frozen": None}, "expected at least one of"),
        ({"frozen": "true"}, "frozen"),
        ({"frozen": 1}, "frozen"),
        ({"advance": -1}, "advance"),
        ({"advance": 1.5}, "advance"),
        ({"advance": 10**9}, "advance"),
        ({"next_day": False}, "next_day"),
        ({"speed": 2}, "speed"),
        ({"time": "25:00"}, "expected a time such as 17:30"),
        ({"time": 1100}, "time"),
        ({"time": "2020-01-01T00:00"}, "it never goes back"),
        ({"time": "11:00", "advance": 1}, "expected one of time, advance, next_day, found time"),
        ({"end_of_day_at": "2026-02-10T18:00"}, "expected a time of day"),
        ([], "body"),
    ],
)
def test_change_that_makes_no_sense_is_refused_and_changes_nothing(shared_client, change, detail):
    client = shared_client
    client.post("/v1/clock", json={"frozen": True})
    before = shown(client)
    answer = client.post("/v1/clock", json=change)

    assert answer.status_code == 422
    assert answer.json()["code"] == Reason.INVALID.value
    assert detail in answer.json()["detail"]
    after = shown(client)
    assert after | {"chain_time": 0} == before | {"chain_time": 0}


def test_expiry_runs_by_business_time_and_holds_to_the_second(client, sandbox):
    frozen = client.post("/v1/clock", json={"frozen": True}).json()
    expires_at = int(sandbox.consortium.clock.business_time().timestamp()) + 600
    queue_payment(sandbox, "PAY", expires_at)

    client.post("/v1/clock", json={"advance": 600})
    at_expiry = state_of(sandbox, "PAY")
    client.post("/v1/clock", json={"advance": 1})

    assert frozen["frozen"]
    assert at_expiry == (State.QUEUED, Reason.MONY)
    assert state_of(sandbox, "PAY") == (State.FAILED, Reason.LATE)


def test_end_of_day_fails_what_is_left_and_keeps_the_date(client, sandbox):
    client.post("/v1/clock", json={"frozen": True})
    queue_payment(sandbox, "PAY")
    ended = client.post("/v1/clock", json={"end_of_day": True}).json()

    assert state_of(sandbox, "PAY") == (State.FAILED, Reason.LATE)
    assert ended["last_day_ended"] == ended["business_date"]
    queue_payment(sandbox, "NEXT")
    client.post("/v1/clock", json={"advance": 1})
    assert state_of(sandbox, "NEXT")[0] is State.QUEUED


def test_day_ends_by_itself_when_business_time_passes_it(client, sandbox):
    client.post("/v1/clock", json={"next_day": True, "frozen": True})
    client.post("/v1/clock", json={"end_of_day_at": "18:00"})
    queue_payment(sandbox, "PAY")

    before = client.post("/v1/clock", json={"time": "17:59:59"}).json()
    waiting = state_of(sandbox, "PAY")[0]
    after = client.post("/v1/clock", json={"time": "18:00"}).json()

    assert (waiting, state_of(sandbox, "PAY")[0]) == (State.QUEUED, State.FAILED)
    assert before["last_day_ended"] < after["last_day_ended"] == after["business_date"]
    assert after["end_of_day_at"] == "18:00:00"
    midnight = client.post("/v1/clock", json={"end_of_day_at": "midnight"}).json()
    assert midnight["end_of_day_at"] is None


def test_match_of_the_next_day_does_not_end_with_the_day_before(client, sandbox):
    client.post("/v1/clock", json={"frozen": True})
    tomorrow = date.fromisoformat(shown(client)["business_date"]) + timedelta(days=1)
    payment = Side(
        is_deliverer=True,
        deliverer="BRK-A",
        receiver="BRK-B",
        settlement_date=tomorrow,
        currency="CNY",
        amount=MUCH,
        deliverer_account="BRK-A",
    )
    own = replace(payment, is_deliverer=False, deliverer_account="", receiver_account="BRK-B")
    with sandbox.lock:
        assert sandbox.consortium.trader("BRK-A").sides.enter("S", payment) is None
        assert sandbox.consortium.trader("BRK-B").sides.enter("P", own) is None
    client.post("/v1/clock", json={"time": f"{tomorrow.isoformat()}T08:00"})

    matching = sandbox.consortium.clearing_house.matching
    assert matching.state_of("BRK-A", "S") is State.QUEUED
    client.post("/v1/clock", json={"end_of_day": True})
    assert matching.state_of("BRK-A", "S") is State.FAILED


def test_setting_outlives_the_process(tmp_path):
    for expected in (False, True):
        sandbox = open_sandbox(tmp_path / "state", "test", DAY)
        with client_of(create_app(sandbox)) as client:
            assert shown(client)["frozen"] is expected
            at = client.post("/v1/clock", json={"frozen": True, "advance": 60}).json()
    assert sandbox.consortium.clock.business_time().isoformat()[:19] == at["business_time"]


def test_clock_of_a_story_is_shown_and_not_set():
    with client_of(create_app(Sandbox(small_consortium()))) as client:
        assert shown(client)["business_time"] == f"{DAY}T09:00:00"
        answer = client.post("/v1/clock", json={"frozen": True})
        assert (answer.status_code, answer.json()["reason"]) == (403, "UNAUTHORISED")


def test_commands_drive_a_running_sandbox(sandbox):
    def clock(*words):
        return CliRunner().invoke(app, ["clock", *words, "--url", f"http://{server.place}"])

    with served(sandbox) as server:
        assert "running" in clock("show").output
        assert "frozen" in clock("freeze").output
        before = json.loads(clock("show", "--json").output)
        after = json.loads(clock("advance", "86400", "--json").output)
        assert moment_of(after) == moment_of(before) + timedelta(days=1)
        assert "T09:00:00 UTC, frozen" in clock("next-day").output
        assert "T17:30:00 UTC, frozen" in clock("set", "17:30").output
        assert "end of day      18:00:00" in clock("end-of-day", "--at", "18:00").output
        assert "T18:00:00 UTC" in clock("end-of-day").output
        assert "running" in clock("run").output
        refused = clock("set", "00:00")
        assert (refused.exit_code, "it never goes back" in refused.output) == (1, True)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:1", "does not answer"),
        ("file:///etc/passwd", "expected an address such as"),
        ("http://[", "does not answer"),
    ],
)
def test_command_says_when_nobody_is_there(url, words):
    result = CliRunner().invoke(app, ["clock", "show", "--url", url])

    assert result.exit_code == 2
    assert words in result.output
