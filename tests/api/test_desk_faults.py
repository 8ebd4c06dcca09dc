"""A desk is broken on purpose over REST: the break is seen, the desk healed, the trade settles."""

import json
import re
import shlex
from contextlib import contextmanager
from time import monotonic, sleep
from typing import get_args

import httpx2
import pytest
from typer.testing import CliRunner

from api import fault_schemas
from api.app import create_app
from api.cli.main import app
from nodes.faults.desk_faults import RUNNING_FAULTS
from nodes.invariants import violations
from nodes.sandbox.sandbox import open_sandbox
from tests.support.clients import client_of, key_header
from tests.support.consortia import DAY
from tests.support.forked import forked
from tests.support.killed_interface import serve
from tests.support.servers import served

SECONDS_MAX = 30
TRADE = {
    "number": "T1",
    "instrument": "NOVA1",
    "quantity": "100",
    "price": "10.50",
    "seller": "BRK-A",
    "buyer": "BRK-B",
}


@pytest.fixture
def sandbox(tmp_path):
    return open_sandbox(tmp_path / "state", "test", DAY)


@pytest.fixture
def client(sandbox):
    with client_of(create_app(sandbox)) as opened:
        yield opened


def inject(client, fault, participant, status=200):
    body = {"fault": fault, "participant": participant}
    answer = client.post("/v1/sandbox/faults", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def heal(client, participant):
    assert client.delete(f"/v1/sandbox/faults/{participant}").status_code == 204


def trade(client, **changes):
    answer = client.post("/v1/trades", json=TRADE | changes)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()["id"]


def until(holds, read):
    deadline = monotonic() + SECONDS_MAX
    while not holds(seen := read()):
        assert monotonic() < deadline, seen
        sleep(0.05)
    return seen


def until_state(client, id, state):
    until(lambda seen: seen["state"] == state, lambda: client.get(f"/v1/trades/{id}").json())


def breaks(client, **query):
    answer = client.get("/v1/breaks", params={"state": "open", **query})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def test_a_desk_misses_a_trade_the_break_is_seen_and_mended_and_the_trade_settles(sandbox, client):
    inject(client, "blotter-missing", "BRK-A")
    id = trade(client)
    until_state(client, id, "unaffirmed")
    other = trade(client, number="T2", seller="BRK-B", buyer="BRK-C")
    until_state(client, other, "settled")
    [seen] = breaks(client, owner="BRK-A")
    assert (seen["subject"], seen["kind"], seen["ours"]) == (id, "missing_ours", "-")
    assert "100" in seen["theirs"]

    heal(client, "BRK-A")

    # Nothing else happens: it closes by itself, at once.
    assert breaks(client) == []
    until_state(client, id, "settled")
    alone = client.get(f"/v1/trades/{id}").json()
    assert alone["cycle"] is None
    settling = client.get(f"/v1/chain/transactions/{alone['transaction_hash']}").json()
    assert settling["transaction"]["block"] == alone["final_block"]
    assert alone["transaction_hash"] in client.get(f"/chain/trades/{id}").text
    page = client.get("/parts/today", params={"lang": "en"}).text
    assert "<dt>settled</dt><dd>2</dd>" in page
    assert "<dt>settled, in no cycle</dt><dd>1</dd>" in page
    assert "<dt>gross value of cycles (CNY)</dt><dd>1,050.00</dd>" in page
    closed = client.get(f"/v1/breaks/BRK-A/{seen['id']}").json()
    assert closed["state"] == "closed"
    assert [each["act"] for each in closed["history"]] == ["opened", "closed"]
    until(lambda said: said["agrees"], lambda: client.get("/v1/reconciliation").json())
    assert breaks(client) == []
    with sandbox.lock:
        assert violations(sandbox.consortium) == []


def test_two_desks_miss_a_trade_and_one_is_healed_after_the_other(client):
    inject(client, "blotter-missing", "BRK-A")
    inject(client, "blotter-missing", "BRK-B")
    id = trade(client)
    until_state(client, id, "unaffirmed")

    heal(client, "BRK-A")
    assert [each["owner"] for each in breaks(client)] == ["BRK-B"]
    assert client.get(f"/v1/trades/{id}").json()["state"] == "unaffirmed"
    heal(client, "BRK-B")

    until_state(client, id, "settled")
    assert breaks(client) == []


def test_it_waits_for_a_desk_whose_node_is_away(client):
    inject(client, "blotter-missing", "BRK-A")
    id = trade(client)
    until_state(client, id, "unaffirmed")
    inject(client, "kill", "BRK-B")
    heal(client, "BRK-A")
    assert client.get(f"/v1/trades/{id}").json()["state"] == "unaffirmed"

    inject(client, "restart", "BRK-B")

    until_state(client, id, "settled")


@pytest.mark.parametrize(
    ("fault", "kind", "at_risk"),
    [("blotter-duplicate", "duplicate", "1050.00"), ("blotter-terms", "quantity", "10.50")],
)
def test_a_desk_reports_twice_or_with_other_terms_until_it_is_healed(client, fault, kind, at_risk):
    inject(client, fault, "BRK-A")
    id = trade(client)
    until_state(client, id, "unaffirmed")
    [seen] = breaks(client, owner="BRK-A")
    assert (seen["kind"], seen["subject"]) == (kind, id)
    assert seen["ours"] != seen["theirs"]
    assert (seen["at_risk"], seen["currency"]) == (at_risk, "CNY")

    heal(client, "BRK-A")

    until_state(client, trade(client, number="T2"), "settled")


def test_what_the_break_of_wrong_terms_asks_for_settles_the_trade_and_deals_with_it(
    sandbox, client
):
    inject(client, "blotter-terms", "BRK-A")
    id = trade(client)
    until_state(client, id, "unaffirmed")
    [seen] = breaks(client, owner="BRK-A")
    shown = client.get(f"/v1/breaks/BRK-A/{seen['id']}").json()
    assert [each["name"] for each in shown["actions"]] == ["enter_instruction", "resolve"]

    body = {
        "label": "INSTEAD",
        "kind": "dvp",
        "seller": "BRK-A",
        "buyer": "BRK-B",
        "instrument": "NOVA1",
        "quantity": "100",
        "amount": "1050.00",
    }
    entered = client.post("/v1/instructions", json=body)
    assert entered.status_code == 201, entered.text
    until(
        lambda seen: seen["state"] == "settled",
        lambda: client.get("/v1/instructions/INSTEAD").json(),
    )
    why = {"reason": "settled as INSTEAD", "by": "li.na"}
    resolved = client.post(f"/v1/breaks/BRK-A/{seen['id']}/resolve", json=why)
    assert resolved.status_code == 200, resolved.text

    assert breaks(client) == []
    until(lambda said: said["agrees"], lambda: client.get("/v1/reconciliation").json())
    with sandbox.lock:
        assert violations(sandbox.consortium) == []


def test_faults_of_desks_stand_beside_those_of_nodes_and_one_call_heals_both(client):
    inject(client, "duplicate", "BRK-A")
    inject(client, "blotter-missing", "BRK-A")
    standing = inject(client, "blotter-missing", "BRK-A")["standing"]
    assert [each["fault"] for each in standing] == ["duplicate", "blotter-missing"]
    inject(client, "blotter-terms", "BRK-A", 422)
    inject(client, "blotter-missing", "REGISTRAR", 422)
    inject(client, "blotter-missing", "NOBODY", 404)

    heal(client, "BRK-A")

    answer = client.get("/v1/sandbox/faults").json()
    assert answer["standing"] == []
    assert [each["fault"] for each in answer["faults"]] == list(RUNNING_FAULTS)
    assert set(get_args(fault_schemas.FaultName)) == set(RUNNING_FAULTS)


@contextmanager
def process(folder):
    """A sandbox in a process of its own, that is killed."""
    with forked(serve, folder, "never") as started:
        place = started.stdout.readline().strip()
        with httpx2.Client(base_url=f"http://{place}", headers=key_header()) as client:
            yield client


def test_it_comes_to_the_same_when_everything_is_killed_between_the_steps(tmp_path):
    with process(tmp_path) as client:
        inject(client, "blotter-missing", "BRK-A")
    with process(tmp_path) as client:
        id = trade(client)
        until_state(client, id, "unaffirmed")
    with process(tmp_path) as client:
        standing = client.get("/v1/sandbox/faults").json()["standing"]
        assert [each["fault"] for each in standing] == ["blotter-missing"]
        assert [each["subject"] for each in breaks(client)] == [id]
        heal(client, "BRK-A")
    with process(tmp_path) as client:
        until_state(client, id, "settled")
    with process(tmp_path) as client:
        until(lambda said: said["agrees"], lambda: client.get("/v1/reconciliation").json())
        assert breaks(client) == []
        assert client.get(f"/v1/trades/{id}").json()["state"] == "settled"


def test_the_commands_of_the_documentation_do_what_it_says(sandbox, pytestconfig):
    text = (pytestconfig.rootpath / "docs/reconciliation.md").read_text()
    section = text.split("## Break something on purpose")[1].split("\n## ")[0]
    commands = re.findall(r"^    (novate|curl) (.+)$", section, re.MULTILINE)
    assert len(commands) == 7
    with served(sandbox) as server:
        client = client_of(server.app)
        shown, named = "", {}
        for program, words in commands:
            split = shlex.split(words)
            if program == "curl":
                body = split[split.index("-d") + 1]
                answer = client.post("/v1/trades", json=json.loads(body))
                assert answer.status_code == 201, answer.text
                id = answer.json()["id"]
                until_state(client, id, "unaffirmed")
                [seen] = breaks(client)
                named = {"9f2b5c7d81e0a364": seen["id"]}
                continue
            split = [named.get(each, each) for each in split]
            done = CliRunner().invoke(app, [*split, "--url", f"http://{server.place}"])
            assert done.exit_code == 0, done.output
            shown += done.output
        until_state(client, id, "settled")
    assert "nothing is wrong" in shown
