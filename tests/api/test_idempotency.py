"""Idempotency-Key: done once, answered the same again, refused for anything else, crash or not."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from time import sleep

import httpx2
import pytest
from sqlmodel import select

from api.app import create_app
from api.conventions.repeating import AGAIN, where_to_see
from api.policies import CALLERS, Caller
from ledger.books.interface.answers import KEPT_SECONDS, AnswerRow, Asked
from ledger.domain.reasons import Reason
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from tests.support.clients import client_of, key_header
from tests.support.consortia import DAY
from tests.support.forked import forked
from tests.support.killed_interface import serve

BY_HAND = SandboxOptions(cycle_seconds=0)
TRADE = {
    "number": "T1",
    "instrument": "NOVA1",
    "quantity": "100",
    "price": "10.50",
    "seller": "BRK-A",
    "buyer": "BRK-B",
}
SECONDS_MAX = 60


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    sandbox = open_sandbox(tmp_path_factory.mktemp("state"), "test", DAY, options=BY_HAND)
    with client_of(create_app(sandbox)) as opened:
        yield opened


def post(client, key, path="/v1/trades", **changes):
    body = TRADE | changes if path == "/v1/trades" else changes
    return client.post(path, json=body, headers={"Idempotency-Key": key})


def sandbox_of(client):
    return client.app.state.sandbox


def test_half_a_body_leaves_the_key_free(client):
    headers = {"idempotency-key": "HALF", "content-type": "application/json", **key_header()}
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/trades",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
    }
    messages = [
        {"type": "http.request", "body": b'{"number": "HA', "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive():
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(_):
        """Nobody hears it."""

    client.portal.call(client.app, scope, receive, send)

    assert post(client, "HALF", number="HALF").status_code == 201


def test_same_key_and_body_is_answered_byte_by_byte_the_same(client):
    first, again = post(client, "SAME", number="SAME"), post(client, "SAME", number="SAME")

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.headers["content-type"] == again.headers["content-type"]
    assert first.headers["Request-Id"] != again.headers["Request-Id"]


def test_same_key_with_another_body_path_or_query_is_refused(client):
    post(client, "OTHER", number="OTHER")
    others = [
        post(client, "OTHER", number="OTHER2"),
        post(client, "OTHER", "/v1/queue/resolve", algorithm="fifo"),
        client.delete("/v1/limits?account=BRK-A", headers={"Idempotency-Key": "OTHER"}),
    ]

    assert [other.status_code for other in others] == [409, 409, 409]
    assert {other.json()["reason"] for other in others} == {"DUPLICATE"}
    assert "POST /v1/trades" in others[1].json()["detail"]


def test_refusals_are_answered_the_same_again(client):
    first = post(client, "REFUSED", number="REFUSED", seller="NOBODY")
    again = post(client, "REFUSED", number="REFUSED", seller="NOBODY")

    assert (first.status_code, again.status_code) == (404, 404)
    assert again.headers["content-type"] == "application/problem+json"
    shown = [answer.json() | {"request_id": None} for answer in (first, again)]
    assert shown[0] == shown[1]
    assert again.json()["request_id"] == again.headers["Request-Id"]


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "\u00e9", "a\tb"])
def test_malformed_key_is_refused(client, key):
    headers = {b"Idempotency-Key": key.encode("latin-1")}
    refused = client.post("/v1/trades", json=TRADE, headers=headers)

    assert refused.status_code == 422
    assert refused.json()["reason"] == "INVALID"


def test_longest_key_is_taken_and_two_keys_are_not(client):
    two = [("Idempotency-Key", "A"), ("Idempotency-Key", "B")]

    assert post(client, "~" * 255, number="LONGEST").status_code == 201
    assert client.post("/v1/trades", json=TRADE, headers=two).status_code == 422


def test_answers_without_a_body_are_kept_too(client):
    def strike():
        return client.post("/v1/cycles", headers={"Idempotency-Key": "STRIKE"})

    post(client, "S1", number="S1")
    first = strike()
    post(client, "S2", number="S2")
    again = strike()
    limit = {"account": "BRK-A", "amount": "5.00"}
    client.put("/v1/limits", json=limit)
    taken = [
        client.delete("/v1/limits?account=BRK-A", headers={"Idempotency-Key": "TAKEN"})
        for _ in range(2)
    ]

    assert first.json() == again.json()
    assert [each.status_code for each in taken] == [204, 204]
    assert len(client.get("/v1/cycles").json()["data"]) == 1


def test_callers_do_not_see_the_answers_of_others(client):
    book = sandbox_of(client).interface.answers
    post(client, "MINE", number="MINE")
    theirs = Asked("BRK-Z", "MINE", "POST /v1/trades", b"other", 0)

    assert book.begin(theirs).result() is None


def test_same_key_at_the_same_time_is_done_once(client):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(client, "RACE", number="RACE"), range(16)))

    assert {answer.status_code for answer in answers} == {201}
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1


def is_begun(client, key):
    with sandbox_of(client).interface.database.reading() as session:
        return session.exec(select(AnswerRow).where(AnswerRow.key == key)).first() is not None


def test_what_takes_long_is_not_begun_twice_but_said_to_run(client, monkeypatch):
    monkeypatch.setattr("api.conventions.idempotency.WAIT_SECONDS", 0.1)
    held, release = Event(), Event()

    def hold():
        with sandbox_of(client).lock:
            held.set()
            assert release.wait(SECONDS_MAX)

    def ask():
        return post(client, "SLOW", "/v1/queue/resolve", algorithm="fifo")

    with ThreadPoolExecutor(2) as pool:
        holding = pool.submit(hold)
        assert held.wait(SECONDS_MAX)
        first = pool.submit(ask)
        while not is_begun(client, "SLOW"):
            sleep(0.01)
        answers = [ask() for _ in range(3)]
        release.set()
        holding.result()
        assert first.result().status_code == 200

    assert {answer.status_code for answer in answers} == {409}
    assert {answer.headers["Retry-After"] for answer in answers} == {"1"}
    assert ask().headers["Idempotent-Replayed"] == "true"


def test_server_errors_are_not_kept(client):
    sandbox = sandbox_of(client)
    sandbox.is_ready = False
    refused = [post(client, name, number="AWAY") for name in ("AWAY", "AWAY")]
    struck = client.post("/v1/cycles", headers={"Idempotency-Key": "AWAY-CYCLE"})
    sandbox.is_ready = True

    assert [answer.status_code for answer in (*refused, struck)] == [503, 503, 503]
    assert post(client, "AWAY", number="AWAY").status_code == 201
    again = client.post("/v1/cycles", headers={"Idempotency-Key": "AWAY-CYCLE"})
    assert again.status_code in (201, 204)


def test_keys_are_forgotten_after_a_day_and_on_demand(client):
    book = sandbox_of(client).interface.answers

    def begin(at):
        return book.begin(Asked("OPERATOR", "OLD", "POST /v1/trades", b"1", at)).result()

    assert begin(1_000_000) is None
    assert begin(1_000_000 + KEPT_SECONDS - 1) is not None
    assert begin(1_000_000 + KEPT_SECONDS) is None
    post(client, "CLEARED", number="CLEARED")
    book.clear()
    assert post(client, "CLEARED", number="CLEARED").status_code == 200


def test_every_write_says_what_it_does_when_it_comes_again():
    writes = {
        name
        for name, caller in CALLERS.items()
        # Whoever need not say who he is, is not remembered either: signing in, JSON-RPC.
        if name.partition(" ")[0] in ("POST", "PUT", "PATCH", "DELETE")
        and caller is not Caller.ANYBODY
    }

    assert sorted(AGAIN) == sorted(writes)


@pytest.mark.parametrize(
    ("write", "seen"),
    [
        ("POST /v1/cycles", "/v1/cycles"),
        ("POST /v1/queue/resolve", "/v1/queue"),
        ("POST /v1/sandbox/reset", "/v1/trades"),
        ("POST /v1/breaks/BRK-A/9f2b5c7d81e0a364/comment", "/v1/breaks/BRK-A/9f2b5c7d81e0a364"),
        ("DELETE /v1/sandbox/snapshots/one", "/v1/sandbox/snapshots"),
        ("POST /v1/webhook-endpoints/whe-1/resend", "/v1/webhook-endpoints/whe-1"),
        ("POST /sandbox/snapshots/reset", "/sandbox/snapshots"),
    ],
)
def test_where_to_look_is_what_can_be_read(write, seen):
    assert where_to_see(*write.split()) == seen


@contextmanager
def process(folder, moment):
    with forked(serve, folder, moment) as started:
        yield f"http://{started.stdout.readline().strip()}", started


def read(place, path):
    return httpx2.get(f"{place}/v1/{path}", headers=key_header()).json()["data"]


def ask(place, path, body, key="K"):
    headers = {"Idempotency-Key": key, **key_header()}
    return httpx2.post(f"{place}{path}", json=body, headers=headers, timeout=SECONDS_MAX)


FUNDING = {
    "reference": "F1",
    "kind": "cash",
    "direction": "in",
    "account": "BRK-A",
    "amount": "5.00",
}
INSTRUCTION = {
    "kind": "fop",
    "label": "FOP-1",
    "deliverer": "BRK-A",
    "receiver": "BRK-B",
    "instrument": "NOVA1",
    "quantity": "10",
}


def cash_of(place):
    held = read(place, "positions?participant=BRK-A&limit=500")
    return next(
        each["total"] for each in held if each["account"] == "BRK-A" and each["kind"] == "cash"
    )


@pytest.mark.parametrize("moment", ["begun", "done"])
def test_killed_between_work_and_answer_nothing_happens_twice(tmp_path, moment):
    asked = [
        ("/v1/trades", TRADE),
        ("/v1/sandbox/fund", FUNDING),
        ("/v1/instructions", INSTRUCTION),
    ]
    for path, body in asked:
        with process(tmp_path, moment) as (place, started):
            with pytest.raises(httpx2.TransportError):
                ask(place, path, body, path)
            assert started.wait() == -signal.SIGKILL
    with process(tmp_path, "never") as (place, _):
        second = [ask(place, path, body, path) for path, body in asked]
        third = [ask(place, path, body, path) for path, body in asked]
        trades = read(place, "trades")
        instructions = read(place, "instructions")
        cash = cash_of(place)

    expected = [201, 200, 201] if moment == "begun" else [200, 200, 200]
    assert [answer.status_code for answer in second] == expected
    assert [answer.content for answer in third] == [answer.content for answer in second]
    assert all(answer.headers["Idempotent-Replayed"] == "true" for answer in third)
    assert (len(trades), len(instructions), cash) == (1, 1, "1000000005.00")


@pytest.mark.parametrize("moment", ["begun", "done"])
def test_killed_strike_is_never_done_twice_and_says_where_to_look(tmp_path, moment):
    with process(tmp_path, "never") as (place, _):
        ask(place, "/v1/trades", TRADE, "T")
    with process(tmp_path, moment) as (place, _), pytest.raises(httpx2.TransportError):
        ask(place, "/v1/cycles", {}, "STRIKE")
    with process(tmp_path, "never") as (place, _):
        answers = [ask(place, "/v1/cycles", {}, "STRIKE") for _ in range(2)]
        cycles = read(place, "cycles")

    assert [answer.status_code for answer in answers] == [409, 409]
    assert answers[0].json()["code"] == Reason.DUPLICATE.value
    assert "GET /v1/cycles" in answers[0].json()["detail"]
    assert len(cycles) == (moment == "done")


def test_answers_survive_a_restart(tmp_path):
    with process(tmp_path, "never") as (place, started):
        first = ask(place, "/v1/trades", TRADE)
        os.kill(started.pid, signal.SIGKILL)
    with process(tmp_path, "never") as (place, _):
        again = ask(place, "/v1/trades", TRADE)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again.headers["Idempotent-Replayed"] == "true"
