"""Batches of instructions: judged one by one, answered in order, the same again changes nothing."""

import json
import time

import pytest

from api.app import create_app
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from tests.support.clients import client_of
from tests.support.consortia import DAY

JSON = {"content-type": "application/json"}
SECONDS_MAX = 60


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    options = SandboxOptions(cycle_seconds=0)
    sandbox = open_sandbox(tmp_path_factory.mktemp("state"), "test", DAY, options=options)
    with client_of(create_app(sandbox)) as opened:
        yield opened


def free(label, **changes):
    terms = {
        "kind": "fop",
        "label": label,
        "deliverer": "BRK-A",
        "receiver": "BRK-B",
        "instrument": "NOVA1",
        "quantity": "1",
    }
    return terms | changes


def post(client, items):
    return client.post("/v1/instructions:batch", json=items)


def test_batch_is_entered_answered_in_order_and_settles(client):
    items = [free(f"B-{place}") for place in range(20)]

    first, again = post(client, items), post(client, items)

    assert (first.status_code, again.status_code) == (201, 200)
    assert (first.json()["entered"], again.json()["known"]) == (20, 20)
    results = first.json()["results"]
    assert [each["index"] for each in results] == list(range(20))
    assert [each["instruction"]["label"] for each in results] == [each["label"] for each in items]
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        settled = client.get("/v1/instructions?state=settled&limit=500").json()["data"]
        if len(settled) == 20:
            break
    assert len(settled) == 20


def test_what_is_refused_does_not_keep_the_others_out(client):
    items = [
        free("M-1"),
        free("M-2", quantity=1),
        free("M-3", deliverer="NOBODY"),
        7,
        free("M-1"),
        free("M-1", quantity="2"),
        free("M-4", colour="red"),
        {},
        free("M-5"),
    ]

    answer = post(client, items)

    assert answer.status_code == 207
    found = answer.json()
    assert [each["status"] for each in found["results"]] == [
        201,
        422,
        404,
        422,
        200,
        409,
        422,
        422,
        201,
    ]
    assert (found["entered"], found["known"], found["refused"]) == (2, 1, 6)
    assert "quantity" in found["results"][1]["problem"]["detail"]
    assert found["results"][5]["problem"]["reason"] == "DUPLICATE"
    assert client.get("/v1/instructions/M-2").status_code == 404
    assert client.get("/v1/instructions/M-5").status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{}", 422),
        (b"[]", 422),
        (b"null", 422),
        (b"[1", 422),
        (b'["\xff"]', 207),
        (json.dumps([1] * 1_001).encode(), 422),
        (b"[" * 5_000, 422),
        (b" " * (2 * 1024 * 1024 + 1), 413),
    ],
    ids=range(9),
)
def test_what_is_no_batch_is_refused_and_the_process_lives(client, body, status):
    refused = client.post("/v1/instructions:batch", content=body, headers=JSON)

    assert refused.status_code == status
    assert client.get("/livez").status_code == 200


def test_batch_that_is_not_said_to_be_json_is_refused(client):
    refused = client.post("/v1/instructions:batch", content=b"[]", headers={"content-type": "a/b"})

    assert refused.status_code == 422
    assert "found a/b" in refused.json()["detail"]


def test_largest_batch_is_taken_with_a_key_and_answered_again(client):
    items = [free(f"L-{place}", quantity=str(place % 100 // 99)) for place in range(1_000)]
    headers = {"Idempotency-Key": "LARGE"}

    first = client.post("/v1/instructions:batch", json=items, headers=headers)
    again = client.post("/v1/instructions:batch", json=items, headers=headers)

    assert first.status_code == 207
    assert (first.json()["entered"], first.json()["refused"]) == (10, 990)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.content == first.content
