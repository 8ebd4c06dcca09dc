"""Faults of nodes over REST and by command: the others go on, and what was away catches up."""

import json
from datetime import date
from time import monotonic, sleep

import pytest
from typer.testing import CliRunner

from api.app import create_app
from api.cli.main import app
from nodes.faults.desk_faults import RUNNING_FAULTS
from nodes.sandbox.sandbox import open_sandbox
from nodes.scenario.faults import FAULTS
from tests.support.clients import client_of, key_header
from tests.support.servers import served

DAY = date(2026, 2, 10)
SECONDS_MAX = 30


@pytest.fixture
def client(tmp_path):
    with client_of(create_app(open_sandbox(tmp_path / "state", "test", DAY))) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared_client(tmp_path_factory):
    """For what leaves no trace."""
    sandbox = open_sandbox(tmp_path_factory.mktemp("state"), "test", DAY)
    with client_of(create_app(sandbox)) as opened:
        yield opened


def inject(client, fault, participant, status=200, **more):
    body = {"fault": fault, "participant": participant, **more}
    answer = client.post("/v1/sandbox/faults", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def until(client, holds):
    """Waits until something holds of the reconciliation."""
    deadline = monotonic() + SECONDS_MAX
    while not holds(seen := client.get("/v1/reconciliation").json()):
        assert monotonic() < deadline, seen
        sleep(0.05)
    return seen


def made_trades(client, count, seed):
    answer = client.post("/v1/sandbox/trades", json={"count": count, "seed": seed})
    assert answer.status_code == 201, answer.text


def until_settled(client, count):
    deadline = monotonic() + SECONDS_MAX
    while True:
        trades = client.get("/v1/trades", params={"limit": 500}).json()["data"]
        if len(trades) == count and all(each["state"] == "settled" for each in trades):
            return
        assert monotonic() < deadline, trades
        sleep(0.05)


@pytest.mark.parametrize("fault", ["kill", "cut-off"])
@pytest.mark.parametrize("participant", ["BANK-1", "REGISTRAR"])
def test_a_keeper_is_away_while_trades_settle_and_agrees_once_it_is_back(
    client, fault, participant
):
    until(client, lambda seen: seen["agrees"])
    standing = inject(client, fault, participant)["standing"]
    assert standing == [{"participant": participant, "fault": fault, "milliseconds": None}]
    made_trades(client, 40, 3)
    until_settled(client, 40)
    assert not client.get("/v1/reconciliation").json()["agrees"]

    assert client.delete(f"/v1/sandbox/faults/{participant}").status_code == 204

    seen = until(client, lambda seen: seen["agrees"])
    assert seen["breaks"] == []
    assert client.get("/v1/sandbox/faults").json()["standing"] == []


def test_a_broker_hears_of_the_trades_that_it_has_missed(client):
    inject(client, "kill", "BRK-A")
    made_trades(client, 30, 5)
    sleep(1)
    inject(client, "restart", "BRK-A")

    until_settled(client, 30)
    assert until(client, lambda seen: seen["agrees"])["breaks"] == []


def test_an_exchange_that_is_away_takes_no_trades_and_goes_on_where_it_was(client):
    made_trades(client, 10, 1)
    until_settled(client, 10)
    inject(client, "kill", "EXCHANGE")
    answer = client.post("/v1/sandbox/trades", json={"count": 10, "seed": 2})
    assert (answer.status_code, answer.json()["reason"]) == (409, "SILENT"), answer.text

    inject(client, "restart", "EXCHANGE")

    made_trades(client, 10, 2)
    until_settled(client, 20)
    assert until(client, lambda seen: seen["agrees"])["breaks"] == []


def test_everything_twice_and_a_slow_bank_change_nothing(client):
    for node in client.get("/v1/participants").json()["data"]:
        inject(client, "duplicate", node["id"])
    inject(client, "slow", "BANK-2", milliseconds=3)
    made_trades(client, 20, 4)
    until_settled(client, 20)

    assert until(client, lambda seen: seen["agrees"])["breaks"] == []


@pytest.mark.parametrize(
    ("fault", "participant", "more", "status"),
    [
        ("kill", "NOBODY", {}, 404),
        ("kill", "CLEARING-HOUSE", {}, 422),
        ("cut-off", "CLEARING-HOUSE", {}, 422),
        ("slow", "BANK-1", {}, 422),
        ("slow", "BANK-1", {"milliseconds": 0}, 422),
        ("kill", "BANK-1", {"milliseconds": 5}, 422),
        ("explode", "BANK-1", {}, 422),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(
    shared_client, fault, participant, more, status
):
    inject(shared_client, fault, participant, status, **more)

    assert shared_client.get("/v1/sandbox/faults").json()["standing"] == []


def test_healing_somebody_unknown_is_refused(shared_client):
    assert shared_client.delete("/v1/sandbox/faults/NOBODY").status_code == 404


def test_the_command_lists_every_fault_in_both_languages():
    listed = json.loads(CliRunner().invoke(app, ["fault", "list", "--json"]).stdout)["faults"]

    assert [row["name"] for row in listed] == list(FAULTS)
    assert all(row["what"] and row["what_zh"] for row in listed)
    running = {row["name"] for row in listed if row["of_a_running_node"]}
    assert running == set(RUNNING_FAULTS)


def test_the_command_injects_shows_and_heals(tmp_path):
    with served(open_sandbox(tmp_path / "state", "test", DAY)) as server:

        def told(*words):
            url = f"http://{server.place}"
            result = CliRunner().invoke(app, ["fault", *words, "--url", url])
            assert result.exit_code == 0, result.output
            return result.stdout

        assert told("standing") == "nothing is wrong\n"
        assert told("inject", "slow", "BANK-1", "--ms", "4").startswith("BANK-1  slow 4 ms")
        told("inject", "kill", "BANK-2")
        shown = json.loads(told("standing", "--json"))["standing"]
        assert [(each["participant"], each["fault"]) for each in shown] == [
            ("BANK-1", "slow"),
            ("BANK-2", "kill"),
        ]
        told("heal", "BANK-1")
        assert told("heal", "BANK-2") == "nothing is wrong\n"
    refused = CliRunner().invoke(app, ["fault", "inject", "explode", "BANK-1"])
    assert refused.exit_code == 2


def test_that_a_node_is_away_is_no_lasting_answer_to_an_idempotency_key(client):
    money = {"kind": "cash", "account": "BRK-A", "amount": "1.00", "reference": "K1"}
    key = {"Idempotency-Key": "while-away"}

    def fund():
        return client.post("/v1/sandbox/fund", json={**money, "direction": "in"}, headers=key)

    inject(client, "kill", "BRK-A")
    assert [fund().json()["reason"] for _ in range(2)] == ["SILENT", "SILENT"]
    inject(client, "restart", "BRK-A")
    assert fund().status_code == 200
    assert fund().headers["Idempotent-Replayed"] == "true"


def test_a_fault_is_told_to_whose_node_it_is(client):
    inject(client, "slow", "BRK-A", milliseconds=5)
    assert client.delete("/v1/sandbox/faults/BRK-A").status_code == 204
    told = client.get("/v1/events", params={"type": "fault.*"}).json()["data"]
    assert [(each["type"], each["data"], each["participants"]) for each in told] == [
        ("org.novate.fault.injected.v1", {"fault": "slow", "milliseconds": 5}, ["BRK-A"]),
        ("org.novate.fault.healed.v1", {"fault": "heal"}, ["BRK-A"]),
    ]
    query = {"params": {"type": "fault.*"}, "headers": key_header("BRK-B")}
    assert client.get("/v1/events", **query).json()["data"] == []
