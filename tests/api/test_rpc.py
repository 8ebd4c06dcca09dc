"""JSON-RPC over HTTP: envelopes, batches, limits, and what is refused."""

import json

import pytest

from api.app import create_app
from ledger.chain.rpc.request import BATCH_MAX, BODY_BYTES_MAX
from ledger.chain.transactions import RAW_BYTES_MAX
from nodes.sandbox.network import developer_key
from nodes.sandbox.sandbox import open_sandbox
from tests.support.clients import client_of
from tests.support.consortia import DAY

CHAIN_ID = 668_283
DEVELOPER = developer_key("test")


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    sandbox = open_sandbox(tmp_path_factory.mktemp("state"), "test", DAY)
    with client_of(create_app(sandbox)) as opened:
        yield opened


def request(method, *params, id=1):
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": list(params)}


def ask(client, method, *params):
    return client.post("/rpc", json=request(method, *params)).json()


def height(client):
    return int(ask(client, "eth_blockNumber")["result"], 16)


def test_request_is_answered_whatever_its_content_type(client):
    body = json.dumps(request("eth_chainId", id="x"))

    for content_type in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
        answer = client.post("/rpc", content=body, headers={"content-type": content_type})

        assert answer.json() == {"jsonrpc": "2.0", "id": "x", "result": hex(CHAIN_ID)}
        assert answer.headers["content-type"] == "application/json"
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"\xff\xfe", -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"\xed\xa0\x80"}', -32700),
        (b'{"jsonrpc":"2.0","id":1e400,"method":"eth_chainId"}', -32700),
        (b"[" * 100_000, -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_call","params":' + b"[" * 900_000, -32700),
        (b"[]", -32600),
        (b"1", -32600),
        (b"null", -32600),
        (b'"eth_chainId"', -32600),
        (b"{}", -32600),
        (b'{"id":1,"method":"eth_chainId"}', -32600),
        (b'{"jsonrpc":"1.0","id":1,"method":"eth_chainId"}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":7}', -32600),
        (b'{"jsonrpc":"2.0","id":[1],"method":"eth_chainId"}', -32600),
        (b'{"jsonrpc":"2.0","id":true,"method":"eth_chainId"}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":{"a":1}}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_nonsense"}', -32601),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_getCode"}', -32602),
    ],
)
def test_bad_body_is_answered_with_the_standard_code(client, body, code):
    before = height(client)

    answer = client.post("/rpc", content=body)

    assert answer.status_code == 200
    assert answer.json()["error"]["code"] == code
    assert answer.json()["jsonrpc"] == "2.0"
    assert height(client) == before


@pytest.mark.parametrize("id", [0, -1, 1.5, "", "a", None, 12345678901234567890123])
def test_id_comes_back_as_it_was(client, id):
    assert client.post("/rpc", json=request("eth_chainId", id=id)).json()["id"] == id


def test_batch_is_answered_in_order_and_without_its_notifications(client):
    notification = {"jsonrpc": "2.0", "method": "eth_chainId"}
    batch = [request("eth_chainId"), notification, 7, request("nonsense", id=2)]

    answers = client.post("/rpc", json=batch).json()

    assert [answer["id"] for answer in answers] == [1, None, 2]
    assert [answer.get("error", {}).get("code") for answer in answers] == [None, -32600, -32601]


def test_notifications_are_not_answered(client):
    notification = {"jsonrpc": "2.0", "method": "eth_chainId"}

    for body in (notification, [notification, notification]):
        answer = client.post("/rpc", json=body)

        assert (answer.status_code, answer.content) == (204, b"")


def test_batch_has_a_limit(client):
    full = client.post("/rpc", json=[request("eth_chainId")] * BATCH_MAX)
    above = client.post("/rpc", json=[request("eth_chainId")] * (BATCH_MAX + 1))

    assert len(full.json()) == BATCH_MAX
    assert above.json()["error"]["code"] == -32600
    assert str(BATCH_MAX) in above.json()["error"]["message"]


def test_largest_transaction_is_read_and_a_larger_body_is_not(client):
    largest = ask(client, "eth_sendRawTransaction", "0x" + "00" * RAW_BYTES_MAX)
    above = ask(client, "eth_sendRawTransaction", "0x" + "00" * (RAW_BYTES_MAX + 1))
    refused = client.post("/rpc", content=b" " * (BODY_BYTES_MAX + 1))

    assert "type 0 is not" in largest["error"]["message"] or largest["error"]["code"] == -32000
    assert "bytes are more than" in above["error"]["message"]
    assert refused.status_code == 413
    assert refused.json()["error"]["code"] == -32600


def test_body_without_a_length_is_bounded_too(client):
    refused = client.post("/rpc", content=(b" " * 65_536 for _ in range(100)))

    assert refused.status_code == 413
    assert ask(client, "eth_chainId")["result"] == hex(CHAIN_ID)


def test_page_of_another_host_is_refused_and_an_own_one_or_a_wallet_is_not(client):
    for origin, status in (
        ("http://evil.example", 403),
        ("http://testserver:81", 403),
        ("null", 403),
        ("http://[", 403),
        ("http://testserver", 200),
        ("chrome-extension://abcdef", 200),
    ):
        answer = client.post("/rpc", json=request("eth_chainId"), headers={"origin": origin})

        assert answer.status_code == status, origin
        assert "jsonrpc" in answer.json()


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("eth_sendTransaction", "node-held keys do not exist here"),
        ("eth_sign", "node-held keys do not exist here"),
        ("eth_signTransaction", "node-held keys do not exist here"),
        ("eth_signTypedData_v4", "node-held keys do not exist here"),
        ("personal_unlockAccount", "node-held keys do not exist here"),
        ("admin_addPeer", "not administered"),
        ("miner_start", "not administered"),
        ("debug_setHead", "not available"),
        ("anvil_setBalance", "signed transactions only"),
        ("hardhat_setCode", "signed transactions only"),
        ("evm_addAccount", "signed transactions only"),
        ("eth_subscribe", "WebSocket"),
    ],
)
def test_what_would_drive_the_node_is_refused_with_its_reason(client, method, words):
    error = ask(client, method, {})["error"]

    assert error["code"] == -32601
    assert words in error["message"]


@pytest.mark.parametrize(
    "method",
    ["evm_mine", "evm_increaseTime", "evm_setNextBlockTimestamp", "evm_snapshot", "evm_revert"],
)
def test_time_of_the_wall_clock_cannot_be_set(client, method):
    before = height(client)

    error = ask(client, method, "0x7fffffff")["error"]

    assert error["code"] == -32004
    assert "wall clock" in error["message"] or "not supported" in error["message"]
    assert height(client) == before


def test_signed_transaction_is_sent_and_the_sandbox_goes_on(client):
    raw = DEVELOPER.sign_transaction(
        chain_id=CHAIN_ID, nonce=0, to=None, data=bytes.fromhex("00"), gas=100_000
    )

    digest = ask(client, "eth_sendRawTransaction", "0x" + raw.hex())["result"]

    receipt = ask(client, "eth_getTransactionReceipt", digest)["result"]
    assert (receipt["status"], receipt["to"]) == ("0x1", None)
    trade = client.post(
        "/v1/trades",
        json={
            "number": "T1",
            "instrument": "NOVA1",
            "quantity": "1",
            "price": "1.00",
            "seller": "BRK-A",
            "buyer": "BRK-B",
        },
    )
    assert trade.status_code == 201
    assert client.get("/v1/reconciliation").json()["agrees"]


def test_failure_inside_is_told_without_its_story(client, monkeypatch, caplog):
    chain = client.app.state.rpc.service.backend.chain

    def fail(address):
        raise ZeroDivisionError

    monkeypatch.setattr(chain, "code_of", fail)

    error = ask(client, "eth_getCode", "0x" + "00" * 20)["error"]

    assert error == {"code": -32603, "message": "internal error"}
    assert "ZeroDivisionError" in caplog.text


def test_interface_describes_the_route(client):
    assert "/rpc" in client.get("/openapi.json").json()["paths"]


def test_transactions_of_a_batch_share_a_block_and_each_has_its_own_answer(client):
    address = "0x" + DEVELOPER.address.hex()
    first = int(ask(client, "eth_getTransactionCount", address, "latest")["result"], 16)
    raws = [
        "0x"
        + DEVELOPER.sign_transaction(
            chain_id=CHAIN_ID, nonce=first + i, to=bytes(19) + b"\x99", data=b"", gas=100_000
        ).hex()
        for i in range(30)
    ]
    raws[7:7] = ["0x02", 5, raws[0]]
    before = height(client)

    answers = client.post(
        "/rpc", json=[request("eth_sendRawTransaction", raw, id=i) for i, raw in enumerate(raws)]
    ).json()

    assert [answer["id"] for answer in answers if "error" in answer] == [7, 8]
    assert answers[9]["result"] == answers[0]["result"], "the same again is answered the same"
    blocks = {
        ask(client, "eth_getTransactionReceipt", answer["result"])["result"]["blockNumber"]
        for answer in answers
        if "result" in answer
    }
    assert len(blocks) == 1
    assert height(client) >= before + 1
