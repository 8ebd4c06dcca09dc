"""Waiting for finality, the way in, and the version."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import httpx2
import pytest

from api.app import create_app
from api.policies import CALLERS
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from tests.support.clients import client_of, key_header
from tests.support.consortia import DAY
from tests.support.servers import served

TRADE = {
    "number": "T1",
    "instrument": "NOVA1",
    "quantity": "100",
    "price": "10.50",
    "seller": "BRK-A",
    "buyer": "BRK-B",
}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with client_of(create_app(open_sandbox(tmp_path_factory.mktemp("s"), "test", DAY))) as opened:
        yield opened


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory):
    options = SandboxOptions(cycle_seconds=0)
    sandbox = open_sandbox(tmp_path_factory.mktemp("state"), "test", DAY, options=options)
    with client_of(create_app(sandbox)) as opened:
        yield opened


def test_trade_is_final_when_its_capture_answers(client):
    answer = client.post("/v1/trades?wait=final&timeout=30", json=TRADE)
    again = client.post("/v1/trades?wait=final&timeout=30", json=TRADE)

    assert (answer.status_code, again.status_code) == (201, 200)
    assert answer.json()["state"] == "settled"
    assert answer.json()["final_block"] is not None
    assert again.json() == answer.json()


def test_answer_comes_when_the_time_is_over(by_hand):
    begun = perf_counter()
    answer = by_hand.post("/v1/trades?wait=final&timeout=0.3", json=TRADE)
    path = f"/v1/trades/{answer.json()['id']}"
    at_once = by_hand.get(f"{path}?wait=final&timeout=0")

    assert answer.json()["state"] == at_once.json()["state"] == "captured"
    assert perf_counter() - begun > 0.3


def test_nobody_waits_when_too_many_do(by_hand):
    by_hand.app.state.waiters, before = asyncio.Semaphore(0), by_hand.app.state.waiters
    begun = perf_counter()
    answer = by_hand.post("/v1/trades?wait=final&timeout=30", json=TRADE | {"number": "FULL"})
    by_hand.app.state.waiters = before

    assert answer.status_code == 201
    assert perf_counter() - begun < 25


def test_many_wait_while_others_are_served(tmp_path):
    options = SandboxOptions(cycle_seconds=0)
    with served(open_sandbox(tmp_path, "test", DAY, options=options)) as server:
        place = f"http://{server.place}/v1"
        ids = [
            httpx2.post(
                f"{place}/trades", json=TRADE | {"number": f"T{n}"}, headers=key_header()
            ).json()["id"]
            for n in range(60)
        ]

        def wait(id):
            path = f"{place}/trades/{id}?wait=final&timeout=30"
            return httpx2.get(path, headers=key_header(), timeout=60).json()

        with ThreadPoolExecutor(60) as pool:
            waiting = [pool.submit(wait, id) for id in ids]
            assert (
                httpx2.post(f"{place}/cycles", headers=key_header(), timeout=60).status_code == 201
            )
            assert {each.result()["state"] for each in waiting} == {"settled"}


@pytest.mark.parametrize("query", ["wait=yes", "wait=final&timeout=31", "timeout=-1", "timeout=x"])
def test_malformed_waits_are_refused(client, query):
    assert client.post(f"/v1/trades?{query}", json=TRADE).status_code == 422


def test_index_names_everything_and_the_version_is_said(client):
    index, version = client.get("/v1").json(), client.get("/version").json()

    shown = {
        f"{method} {each['path']}" for each in index["resources"] for method in each["methods"]
    }
    assert shown == {name for name in CALLERS if name.partition(" ")[2].startswith("/v1")}
    assert (version["version"], version["api"]) == (index["version"], "v1")


@pytest.mark.parametrize(
    ("method", "path", "kind", "status"),
    [
        ("GET", "/v1/nowhere", "", 404),
        ("GET", "/nowhere", "", 404),
        ("PATCH", "/v1/trades", "", 405),
        ("DELETE", "/version", "", 405),
        ("POST", "/v1/trades", "text/csv", 422),
        ("POST", "/v1/trades:batch", "text/csv", 422),
        ("POST", "/v1/instructions:batch", "text/csv", 422),
        ("PUT", "/v1/limits", "text/csv", 422),
    ],
)
def test_every_refusal_is_a_problem_with_a_number(client, method, path, kind, status):
    headers = {"content-type": kind} if kind else {}
    refused = client.request(method, path, headers=headers, content=b"{}" if kind else None)

    assert refused.status_code == status
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] in (1001, 1002)
