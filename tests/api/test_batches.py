"""Batches over REST: captured whole, answered the same again, refused whole when malformed."""

import json

import pytest

from api.app import create_app
from api.routers.trades import ARROW_STREAM, BATCH_BYTES_MAX
from ledger.domain.reasons import Reason
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from tests.support.batches import arrow_columns, arrow_stream, json_rows
from tests.support.clients import client_of
from tests.support.consortia import DAY

JSON = "application/json"


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    options = SandboxOptions(dense_sequence=True)
    sandbox = open_sandbox(tmp_path_factory.mktemp("state"), "test", DAY, options=options)
    with client_of(create_app(sandbox)) as opened:
        yield opened


def post(client, body, kind=JSON):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post("/v1/trades:batch", content=content, headers={"content-type": kind})


def end_of(client):
    return client.app.state.sandbox.consortium.exchange.captured.end_position


def test_batch_is_captured_at_consecutive_positions_and_answered_the_same_again(client):
    first, rows = end_of(client), json_rows(1_000, 250)

    captured, again = post(client, rows), post(client, rows)

    assert (captured.status_code, again.status_code) == (201, 200)
    assert captured.json() == again.json()
    assert captured.json()["captured"] == 250
    assert captured.json()["positions"] == [{"row": 0, "count": 250, "first_position": first}]
    assert end_of(client) == first + 250


def test_arrow_and_json_of_the_same_trades_are_the_same_trades(client):
    first = end_of(client)
    post(client, json_rows(2_000, 20))

    again = post(client, arrow_stream(arrow_columns(2_000, 20)), ARROW_STREAM)

    assert again.status_code == 200
    assert (again.json()["captured"], again.json()["repeated"]) == (0, 20)
    assert again.json()["positions"] == [{"row": 0, "count": 20, "first_position": first}]


def test_rows_with_other_terms_are_refused_and_the_rest_stands(client):
    rows = [*json_rows(3_000, 3), *json_rows(3_001, 2, quantity="7"), *json_rows(3_003, 1)]
    first = end_of(client)
    exchange = client.app.state.sandbox.consortium.exchange
    before = len(exchange.refusals())

    answer, again = post(client, rows), post(client, rows)

    assert (answer.status_code, again.status_code) == (207, 207)
    found = answer.json()
    assert (found["captured"], found["repeated"], found["refused"]) == (4, 0, 2)
    assert found["positions"] == [
        {"row": 0, "count": 3, "first_position": first},
        {"row": 3, "count": 2, "first_position": None},
        {"row": 5, "count": 1, "first_position": first + 3},
    ]
    assert [(row["row"], row["code"]) for row in found["refusals"]] == [
        (3, Reason.DUPLICATE.value),
        (4, Reason.DUPLICATE.value),
    ]
    assert again.json() == found
    assert len(exchange.refusals()) == before + 2


def test_single_trades_and_batches_know_each_other(client):
    single = client.post("/v1/trades", json=json_rows(4_000, 1)[0])
    batch = post(client, json_rows(4_000, 2))

    assert (single.status_code, batch.status_code) == (201, 201)
    assert (batch.json()["captured"], batch.json()["repeated"]) == (1, 1)
    assert batch.json()["positions"][0]["first_position"] == single.json()["position"]
    assert client.post("/v1/trades", json=json_rows(4_001, 1)[0]).status_code == 200


def test_only_the_first_hundred_refused_rows_are_shown(client):
    post(client, json_rows(5_000, 150))

    answer = post(client, json_rows(5_000, 150, quantity="8")).json()

    assert (answer["refused"], len(answer["refusals"])) == (150, 100)


def test_malformed_batch_is_refused_whole_with_row_and_field(client):
    first, rows = end_of(client), json_rows(6_000, 5)
    rows[2] |= {"quantity": "0"}
    rows[4] |= {"seller": "CLEARING-HOUSE"}

    refused = post(client, rows)

    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    found = refused.json()
    assert [(fault["row"], fault["field"]) for fault in found["faults"]] == [
        (2, "quantity"),
        (4, "seller"),
    ]
    assert (found["reason"], found["faults_total"]) == ("INVALID", 2)
    assert end_of(client) == first


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"x" * 10_000_000, JSON),
        (b"[" * 10_000_000, JSON),
        (b"x" * 10_000_000, ARROW_STREAM),
        (arrow_stream(arrow_columns(1, 50))[:-200], ARROW_STREAM),
        (b"", JSON),
        (b"", ARROW_STREAM),
        (b"[]", ARROW_STREAM),
        (b"[]", "text/csv"),
    ],
    ids=range(8),
)
def test_garbage_is_refused_and_the_process_lives(client, body, kind):
    first = end_of(client)

    refused = post(client, body, kind)

    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    assert end_of(client) == first
    assert client.get("/livez").status_code == 200


def test_batch_may_be_large_but_not_any_size(client):
    spaces = b" " * (2 * 1024 * 1024)
    allowed = post(client, spaces + json.dumps(json_rows(7_000, 1)).encode())
    refused = post(client, b" " * (BATCH_BYTES_MAX + 1))

    assert allowed.status_code == 201
    assert refused.status_code == 413
    assert client.post("/v1/trades", content=spaces).status_code == 413


def test_gaps_of_a_dense_venue_are_reported_until_they_are_filled(client):
    post(client, json_rows(1, 3, instrument="NOVA6"))
    post(client, json_rows(7, 2, instrument="NOVA6"))

    def gaps():
        found = client.get("/v1/trades/gaps").json()
        assert found["dense_sequence"]
        return [(g["first"], g["last"]) for g in found["data"] if g["symbol"] == "NOVA6"]

    assert gaps() == [(4, 6)]
    post(client, json_rows(5, 1, instrument="NOVA6"))
    assert gaps() == [(4, 4), (6, 6)]
    post(client, json_rows(4, 3, instrument="NOVA6"))
    assert gaps() == []


def test_other_venues_have_no_gaps(tmp_path):
    with client_of(create_app(open_sandbox(tmp_path, "test", DAY))) as client:
        post(client, json_rows(10, 2))
        found = client.get("/v1/trades/gaps").json()

    assert found == {"dense_sequence": False, "missing": 0, "data": [], "next_cursor": None}


def test_cycle_is_struck_by_hand_and_later_trades_go_to_the_next(tmp_path):
    options = SandboxOptions(cycle_seconds=0)
    with client_of(create_app(open_sandbox(tmp_path, "test", DAY, options=options))) as client:
        nothing = client.post("/v1/cycles")
        post(client, json_rows(1, 10))
        first = client.post("/v1/cycles")
        post(client, json_rows(11, 5))
        before = client.get("/v1/trades?limit=500").json()["data"]
        second = client.post("/v1/cycles")
        agrees = client.get("/v1/reconciliation").json()["agrees"]

    assert (nothing.status_code, nothing.content) == (204, b"")
    assert (first.status_code, first.json()["state"], first.json()["trades"]) == (
        201,
        "settled",
        10,
    )
    assert [trade["state"] for trade in before] == ["settled"] * 10 + ["captured"] * 5
    assert (second.json()["number"], second.json()["trades"]) == (first.json()["number"] + 1, 5)
    assert agrees


def test_interface_describes_the_batch(client):
    described = client.get("/openapi.json").json()["paths"]["/v1/trades:batch"]["post"]

    assert set(described["requestBody"]["content"]) == {JSON, ARROW_STREAM}
    statuses = {"200", "201", "207", "401", "403", "409", "413", "422", "429", "503", "507"}
    assert set(described["responses"]) == statuses
    assert set(described["responses"]["422"]["content"]) == {"application/problem+json"}
