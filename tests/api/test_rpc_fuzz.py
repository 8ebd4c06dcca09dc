"""Whatever is sent to /rpc, the answer is a well-formed response and the chain stays as it was."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.app import create_app
from ledger.chain.rpc.table import METHODS
from nodes.sandbox.sandbox import open_sandbox
from tests.support.clients import client_of
from tests.support.consortia import DAY

hex_texts = st.one_of(
    st.binary(max_size=40).map(lambda value: "0x" + value.hex()),
    st.binary(min_size=20, max_size=20).map(lambda value: "0x" + value.hex()),
    st.binary(min_size=32, max_size=32).map(lambda value: "0x" + value.hex()),
    st.integers(0, 2**256).map(hex),
)
tags = st.sampled_from(["latest", "earliest", "pending", "safe", "finalized", "0x0", "0x1"])
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), hex_texts, tags
)
names = st.one_of(
    st.text(max_size=5),
    st.sampled_from(["to", "from", "data", "input", "gas", "value", "accessList", "storageKeys"]),
    st.sampled_from(["address", "topics", "fromBlock", "toBlock", "blockHash", "blockNumber"]),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=4)),
    max_leaves=12,
)
requests = st.fixed_dictionaries(
    {
        "jsonrpc": st.just("2.0"),
        "id": st.one_of(st.integers(), st.text(), st.none()),
        "method": st.sampled_from(sorted(METHODS)),
        "params": st.lists(values, max_size=4),
    }
)
bodies = st.one_of(requests, values, st.lists(st.one_of(requests, values), max_size=5))


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    sandbox = open_sandbox(tmp_path_factory.mktemp("state"), "test", DAY)
    with client_of(create_app(sandbox)) as opened:
        yield opened


def check(response):
    assert response["jsonrpc"] == "2.0"
    assert set(response) in ({"jsonrpc", "id", "result"}, {"jsonrpc", "id", "error"})
    error = response.get("error")
    if error is not None:
        assert isinstance(error["message"], str)
        assert error["code"] in (3, *range(-32005, -31999), -32700, *range(-32603, -32599))
        assert error["code"] != -32603, error


def send(client, body):
    chain = client.app.state.sandbox.consortium.chain
    before = chain.head

    answer = client.post("/rpc", content=body)

    assert chain.head == before
    assert answer.status_code in (200, 204)
    if answer.status_code == 204:
        assert answer.content == b""
        return
    content = json.loads(answer.content)
    for response in content if isinstance(content, list) else [content]:
        check(response)


@given(bodies)
def test_any_json_is_answered_in_form_and_changes_nothing(client, body):
    send(client, json.dumps(body).encode("utf-8", "surrogatepass"))


@given(st.binary())
def test_any_bytes_are_answered_in_form_and_change_nothing(client, body):
    send(client, body)
