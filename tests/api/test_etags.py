"""ETags: the same answer has the same name, and who has it is told so; HEAD has no body."""

import pytest

from api.app import create_app
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from tests.support.clients import client_of
from tests.support.consortia import DAY

READS = [
    "/v1/trades",
    "/v1/instructions",
    "/v1/cycles",
    "/v1/participants",
    "/v1/positions",
    "/v1/reconciliation",
    "/v1/queue",
    "/v1/limits",
    "/v1/chain/blocks",
]


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    options = SandboxOptions(cycle_seconds=0)
    sandbox = open_sandbox(tmp_path_factory.mktemp("state"), "test", DAY, options=options)
    with client_of(create_app(sandbox)) as opened:
        yield opened


@pytest.mark.parametrize("path", READS)
def test_what_has_not_changed_is_said_to_be_known(client, path):
    first = client.get(path)
    tag = first.headers["ETag"]
    again = client.get(path, headers={"If-None-Match": f'"other", W/{tag}'})

    assert tag.startswith('"')
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert "content-length" not in again.headers
    assert client.get(path, headers={"If-None-Match": '"other"'}).content == first.content
    assert client.get(path, headers={"If-None-Match": "*"}).status_code == 304


def test_what_has_changed_has_another_name(client):
    before = client.get("/v1/limits").headers["ETag"]
    client.put("/v1/limits", json={"account": "BRK-A", "amount": "7.00"})
    after = client.get("/v1/limits", headers={"If-None-Match": before})

    assert after.status_code == 200
    assert after.headers["ETag"] != before


@pytest.mark.parametrize("path", [*READS, "/v1/nowhere"])
def test_head_answers_as_get_does_without_the_body(client, path):
    read, head = client.get(path), client.head(path)

    assert (head.status_code, head.content) == (read.status_code, b"")
    assert head.headers.get("ETag") == read.headers.get("ETag")
    assert head.headers["content-type"] == read.headers["content-type"]
    if read.status_code == 200:
        assert head.headers["content-length"] == read.headers["content-length"]


def test_refusals_and_writes_have_none(client):
    assert "ETag" not in client.get("/v1/nowhere").headers
    assert "ETag" not in client.post("/v1/cycles").headers


def test_answers_are_not_to_be_kept_or_guessed_at(client):
    for path in ("/v1/trades", "/v1/nowhere"):
        assert client.get(path).headers["Cache-Control"] == "no-store"
    for path in ("/v1/trades", "/livez", "/", "/static/novate.css", "/nowhere", "/openapi.json"):
        assert client.get(path).headers["X-Content-Type-Options"] == "nosniff"
