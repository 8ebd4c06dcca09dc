"""Every request has a name and is noted; the log is filtered, paged, bounded and has no secrets."""

import json

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from api.app import create_app
from api.cli.main import app
from api.conventions.secrets import masked, masked_query
from ledger.books.interface import requests
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from tests.support.clients import client_of, key_header
from tests.support.consortia import DAY
from tests.support.servers import served

BY_HAND = SandboxOptions(cycle_seconds=0)
TRADE = {
    "number": "T1",
    "instrument": "NOVA1",
    "quantity": "100",
    "price": "10.50",
    "seller": "BRK-A",
    "buyer": "BRK-B",
}


def open_one(folder):
    return open_sandbox(folder, "test", DAY, options=BY_HAND)


@pytest.fixture
def client(tmp_path):
    with client_of(create_app(open_one(tmp_path))) as opened:
        yield opened


def found(client, query=""):
    return client.get(f"/v1/requests?limit=500{query}").json()["data"]


def test_every_answer_names_its_request_and_problems_too(client):
    answers = [
        client.get("/v1/trades"),
        client.get("/v1/nowhere"),
        client.delete("/v1/trades"),
        client.post("/v1/trades", content=b"[" * 6_000),
        client.post("/v1/trades", content=b"x", headers={"Idempotency-Key": ""}),
    ]

    assert [answer.headers["Request-Id"] for answer in answers] == [
        f"req_1_{place}" for place in range(1, 6)
    ]
    for answer in answers[1:]:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["request_id"] == answer.headers["Request-Id"]
        assert int(answer.headers["content-length"]) == len(answer.content)


def test_names_go_on_after_a_restart_and_the_log_is_kept(tmp_path):
    for boot in (1, 2):
        with client_of(create_app(open_one(tmp_path))) as client:
            assert client.get("/v1/trades").headers["Request-Id"] == f"req_{boot}_1"
    with client_of(create_app(open_one(tmp_path))) as client:
        ids = [each["id"] for each in found(client)]
    assert ids == ["req_2_1", "req_1_1"]


def test_request_is_noted_with_its_answer_and_both_bodies(client):
    headers = {"Idempotency-Key": "K"}
    first = client.post("/v1/trades", json=TRADE, headers=headers)
    again = client.post("/v1/trades", json=TRADE, headers=headers)
    noted = client.get(f"/v1/requests/{first.headers['Request-Id']}").json()
    repeated = client.get(f"/v1/requests/{again.headers['Request-Id']}").json()

    assert (noted["method"], noted["path"], noted["status"]) == ("POST", "/v1/trades", 201)
    assert (noted["idempotency_key"], noted["is_replayed"]) == ("K", False)
    assert repeated["is_replayed"]
    assert (noted["bytes_in"], noted["bytes_out"]) == (
        len(first.request.content),
        len(first.content),
    )
    assert json.loads(noted["body"]) == TRADE
    assert json.loads(noted["answer"]) == first.json()
    assert noted["duration_us"] > 0
    secret = client.headers["Authorization"].removeprefix("Bearer ")
    assert secret not in json.dumps(found(client))
    assert secret not in json.dumps(noted)


def test_refusals_are_noted_with_their_reason(client):
    client.post("/v1/trades", json=TRADE | {"seller": "NOBODY"})

    [noted] = found(client, "&status=4xx")
    assert (noted["status"], noted["problem"]) == (404, 1002)


def test_log_is_filtered_and_paged_newest_first(client):
    for number in range(7):
        client.post("/v1/trades", json=TRADE | {"number": f"T{number}"})
    client.get("/v1/cycles?limit=3")
    client.get("/v1/trades/nonsense")

    assert [each["path"] for each in found(client, "&path=/v1/cy")] == ["/v1/cycles"]
    assert [each["query"] for each in found(client, "&path=/v1/cy")] == ["limit=3"]
    assert {each["method"] for each in found(client, "&method=POST")} == {"POST"}
    assert [each["status"] for each in found(client, "&status=4xx")] == [422]
    assert found(client, "&caller=BRK-A") == []
    seen, cursor = [], ""
    while cursor is not None:
        page = client.get(f"/v1/requests?method=POST&limit=2{cursor and '&cursor=' + cursor}")
        client.post("/v1/trades", json=TRADE)
        seen += [each["id"] for each in page.json()["data"]]
        cursor = page.json()["next_cursor"]
    assert seen == [f"req_1_{place}" for place in range(7, 0, -1)]
    assert {each["id"] for each in found(client, f"&since={seen[0]}&method=POST")}.isdisjoint(seen)


@pytest.mark.parametrize(
    "query", ["status=4", "status=6xx", "method=post", "since=1", "since=req_1_x", "colour=red"]
)
def test_malformed_filters_are_refused(client, query):
    assert client.get(f"/v1/requests?{query}").status_code == 422


@pytest.mark.parametrize(
    ("id", "status"), [("req_1_999", 404), ("req_9", 422), ("req_\u0661_1", 422), ("x" * 41, 422)]
)
def test_requests_that_are_not_there_are_said_to_be_missing(client, id, status):
    assert client.get(f"/v1/requests/{id}").status_code == status


def test_log_is_bounded(client, monkeypatch):
    monkeypatch.setattr(requests, "REQUESTS_MAX", 10)
    monkeypatch.setattr(requests, "TRIMMED_EVERY", 5)
    for _ in range(40):
        client.get("/v1/clock")
        assert len(found(client)) <= 15
    assert len(found(client)) >= 10


def test_bodies_are_noted_as_far_as_four_kib(client):
    body = json.dumps({"number": "X" * 10_000})
    refused = client.post("/v1/trades", content=body, headers={"content-type": "application/json"})
    noted = client.get(f"/v1/requests/{refused.headers['Request-Id']}").json()

    assert noted["body"] == body[:4096]
    assert noted["bytes_in"] == len(body)


def test_secrets_are_masked_even_when_cut_off():
    assert masked('{"secret": "a\\"b", "id": "k"}') == '{"secret": "***", "id": "k"}'
    assert masked('{"id":"k","api_key":"abc') == '{"id":"k","api_key":"***'
    key = "nvk_BRK-A_" + "0a" * 32
    assert masked(f'{{"key":"{key}"}}') == '{"key":"nvk_BRK-A_***"}'
    assert masked(f'{{"key":"{key[:-9]}') == '{"key":"nvk_BRK-A_***'
    assert masked_query("a=1&token=abc&b=2") == "a=1&token=***&b=2"


def test_fault_of_the_interface_is_a_problem_with_a_name(tmp_path, monkeypatch):
    application = create_app(open_one(tmp_path))

    def broken():
        raise ZeroDivisionError

    exchange = application.state.sandbox.consortium.exchange
    with (
        TestClient(application, headers=key_header(), raise_server_exceptions=False) as client,
        monkeypatch.context() as patch,
    ):
        patch.setattr(exchange, "gaps", broken)
        answer = client.get("/v1/trades/gaps")
        patch.undo()
        noted = client.get("/v1/requests?status=5xx").json()["data"]

    assert answer.status_code == 500
    assert answer.json()["request_id"] == answer.headers["Request-Id"] == noted[0]["id"]


def test_command_shows_requests(tmp_path):
    with served(open_one(tmp_path)) as server:
        place = f"http://{server.place}"

        def run(*words):
            return CliRunner().invoke(app, [*words, "--url", place])

        run("clock", "show")
        run("instruction", "show", "NOWHERE")
        shown = run("requests")
        failed = run("requests", "--status", "4xx", "--json")
        one = run("requests", json.loads(failed.stdout)["id"])

    assert shown.exit_code == failed.exit_code == one.exit_code == 0
    assert "/v1/clock" in shown.stdout
    assert json.loads(failed.stdout)["problem"] == 1002
    assert "there is no instruction NOWHERE" in one.stdout
