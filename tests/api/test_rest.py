"""The REST interface over a real sandbox: capture, look up, page, and every way to be refused."""

import time

import pytest

from api.app import create_app
from ledger.domain.reasons import Reason
from nodes.network import RULE_VERSION
from nodes.sandbox.sandbox import open_sandbox
from tests.support.clients import client_of
from tests.support.consortia import DAY

TRADE = {
    "number": "T1",
    "instrument": "NOVA1",
    "quantity": "100",
    "price": "10.50",
    "seller": "BRK-A",
    "buyer": "BRK-B/client",
}
FINAL_SECONDS_MAX = 20


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    sandbox = open_sandbox(tmp_path_factory.mktemp("state"), "test", DAY)
    with client_of(create_app(sandbox)) as opened:
        yield opened


def post(client, **changes):
    return client.post("/v1/trades", json=TRADE | changes)


def wait_until_final(client, trade_id):
    deadline = time.monotonic() + FINAL_SECONDS_MAX
    while time.monotonic() < deadline:
        trade = client.get(f"/v1/trades/{trade_id}").json()
        if trade["final_block"] is not None:
            return trade
        time.sleep(0.05)
    raise AssertionError(f"{trade_id} was not final within {FINAL_SECONDS_MAX} s")


def test_trade_is_captured_settles_and_is_final(client):
    captured = post(client, number="FINAL1")

    assert captured.status_code == 201
    assert captured.json()["amount"] == "1050.00"
    final = wait_until_final(client, captured.json()["id"])
    assert final["state"] == "settled"
    cycle = client.get(f"/v1/cycles/{final['cycle']}").json()
    assert (cycle["state"], cycle["block"]) == ("settled", final["final_block"])
    assert cycle["rule_version"] == RULE_VERSION


def test_same_trade_is_answered_again_and_other_terms_are_refused(client):
    first = post(client, number="SAME")
    again = post(client, number="SAME")
    other = post(client, number="SAME", quantity="101")

    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert again.json()["id"] == first.json()["id"]
    assert other.headers["content-type"] == "application/problem+json"
    assert other.json()["code"] == Reason.DUPLICATE.value
    assert other.json()["remedy_zh"]


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"number": "t1"}, 422, "INVALID"),
        ({"number": "T1\n"}, 422, "INVALID"),
        ({"quantity": 100}, 422, "INVALID"),
        ({"quantity": True}, 422, "INVALID"),
        ({"quantity": "1_000"}, 422, "INVALID"),
        ({"quantity": "0"}, 422, "INVALID"),
        ({"quantity": "\uff15"}, 422, "INVALID"),
        ({"price": 10.5}, 422, "INVALID"),
        ({"price": "1e3"}, 422, "INVALID"),
        ({"price": "0"}, 422, "INVALID"),
        ({"price": "NaN"}, 422, "INVALID"),
        ({"quantity": "1", "price": "0.004"}, 422, "INVALID"),
        ({"seller": "EXCHANGE"}, 422, "INVALID"),
        ({"seller": "CLEARING-HOUSE"}, 422, "INVALID"),
        ({"buyer": "REGISTRAR"}, 422, "INVALID"),
        ({"instrument": "US0378331006"}, 422, "INVALID"),
        ({"quantity": "9999999999999999", "price": "999999999999"}, 422, "INVALID"),
        ({"instrument": "NOPE"}, 404, "UNKNOWN"),
        ({"instrument": "NOVA1\u0000"}, 422, "INVALID"),
        ({"seller": "NOBODY"}, 404, "UNKNOWN"),
        ({"buyer": "BRK-A/other"}, 404, "UNKNOWN"),
        ({"colour": "red"}, 422, "INVALID"),
    ],
)
def test_bad_trade_is_refused_as_a_problem_and_changes_nothing(client, changes, status, reason):
    before = client.get("/v1/trades?limit=500").json()["data"]

    refused = post(client, **({"number": "BAD"} | changes))

    assert refused.status_code == status
    assert refused.json()["reason"] == reason
    after = client.get("/v1/trades?limit=500").json()["data"]
    assert [trade["id"] for trade in after] == [trade["id"] for trade in before]


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '{"number": "A", "number": "B"}', "\x00"])
def test_body_that_is_no_trade_is_refused(client, body):
    refused = client.post("/v1/trades", content=body, headers={"content-type": "application/json"})

    assert refused.status_code == 422


@pytest.mark.parametrize("body", ["[" * 100_000, '{"a":' * 100_000, "[" * 900, " " * 1_100_000])
def test_deep_or_large_body_is_refused_and_the_process_lives(client, body):
    refused = client.post("/v1/trades", content=body, headers={"content-type": "application/json"})

    assert refused.status_code == (413 if body.isspace() else 422)
    assert client.get("/livez").status_code == 200


def test_body_without_its_content_type_is_told_of_it(client):
    refused = client.post("/v1/trades", content=b"{}", headers={"content-type": "text/plain"})

    assert refused.status_code == 422
    assert refused.json()["detail"] == "content-type: expected application/json, found text/plain"


def test_other_method_is_refused_as_a_problem(client):
    refused = client.delete("/v1/trades")

    assert refused.status_code == 405
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["allow"]


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"a":' * 100_000, b'"\xff"', b'{"\\ud800":1}'])
def test_body_that_would_hurt_a_parser_is_refused_as_a_problem(client, body):
    refused = client.post("/v1/trades", content=body, headers={"content-type": "application/json"})

    assert refused.status_code in (400, 422)
    assert refused.headers["content-type"] == "application/problem+json"
    assert client.get("/livez").status_code == 200


def test_body_of_any_length_is_read_only_so_far(client):
    def endless():
        for _ in range(5_000):
            yield b"[" * 1_000

    assert client.post("/v1/trades", content=endless()).status_code == 413


def test_every_refusal_is_on_record(client):
    exchange = client.app.state.sandbox.consortium.exchange
    before = len(exchange.refusals())
    for i in range(3):
        post(client, number=f"RECORD{i}")
    again = [post(client, number=f"RECORD{i}", quantity="7").status_code for i in range(3)]

    assert again == [409, 409, 409]
    assert len(exchange.refusals()) == before + 3


def test_sandbox_that_has_failed_shows_no_figures(tmp_path):
    sandbox = open_sandbox(tmp_path, "test", DAY)
    with client_of(create_app(sandbox)) as client:
        sandbox.failure, sandbox.is_ready = "SomeError: what happened", False
        answers = [client.get(f"/v1/{name}") for name in ("trades", "positions", "reconciliation")]
        page, part = client.get("/?lang=en"), client.get("/parts/today?lang=en")

    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert answers[0].json()["reason"] == "UNAVAILABLE"
    assert (page.status_code, part.status_code) == (503, 503)
    for html in (page.text, part.text):
        assert "clearing has stopped" in html
        assert "SomeError: what happened" in html
        assert "No breaks" not in html


def test_lists_are_paged_to_their_end(client):
    for i in range(5):
        post(client, number=f"PAGE{i}")
    seen, cursor = [], None
    while True:
        query = f"&cursor={cursor}" if cursor else ""
        page = client.get(f"/v1/trades?limit=2{query}").json()
        seen += [trade["position"] for trade in page["data"]]
        assert len(page["data"]) <= 2
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert seen == list(range(len(seen)))
    assert len(seen) >= 5


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=501", "cursor=x", "cursor=-1", "cursor=" + "9" * 20, "curser=1", "x="],
)
def test_bad_paging_is_refused(client, query):
    assert client.get(f"/v1/trades?{query}").status_code == 422


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/trades/nonsense", 422),
        ("/v1/trades/XNOV.2026-02-10.ZZ0000NOVA12.NEVER", 404),
        ("/v1/cycles/999", 404),
        ("/v1/cycles/" + "9" * 20, 422),
        ("/v1/cycles/" + "9" * 5_000, 422),
        ("/v1/cycles/1?colour=red", 422),
        ("/v1/nowhere", 404),
        ("/nowhere", 404),
        ("/v1/positions?participant=NOBODY", 404),
    ],
)
def test_what_is_not_there_is_said_to_be_missing(client, path, status):
    answer = client.get(path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["remedy"]


def test_participants_positions_and_reconciliation_say_their_block(client):
    for path in ("/v1/participants", "/v1/positions", "/v1/cycles", "/v1/reconciliation"):
        assert client.get(path).json()["as_of_block"] >= 0
    assert {p["role"] for p in client.get("/v1/participants").json()["data"]} == {
        "broker",
        "bank",
        "exchange",
        "clearing_house",
        "registrar",
    }
    positions = client.get("/v1/positions?participant=BRK-A&limit=500").json()["data"]
    assert all(position["agrees"] for position in positions)
    assert client.get("/v1/reconciliation").json()["agrees"]


def test_health(client):
    assert client.get("/livez").json() == {"status": "alive"}
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert set(ready.json()["reconciled_blocks"]) >= {"BRK-A", "BANK-1", "REGISTRAR"}


def test_interface_describes_itself(client):
    described = client.get("/openapi.json").json()

    assert {"/v1/trades", "/v1/cycles", "/v1/positions", "/v1/reconciliation"} <= set(
        described["paths"]
    )
    answers = described["paths"]["/v1/trades"]["post"]["responses"]
    statuses = {"200", "201", "401", "403", "404", "409", "422", "429", "503", "507"}
    assert set(answers) == statuses
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    assert answers["409"]["content"] == {"application/problem+json": problem}
