"""JSON-RPC over real WebSockets: subscriptions, and what one connection may not do to others."""

import json
import socket
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from threading import Thread

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from api.rpc.session import SocketLimits
from ledger.chain.rpc.request import BODY_BYTES_MAX
from nodes.sandbox.network import developer_key
from nodes.sandbox.sandbox import open_sandbox
from tests.support.consortia import DAY
from tests.support.servers import served

CHAIN_ID = 668_283
DEVELOPER = developer_key("test")
SECONDS_MAX = 20
FOREVER = "0x5b600056"
# Creation code that logs its caller's data with one topic, the number 7, and leaves no contract.
LOGGING_CODE = bytes.fromhex("6007602060" + "00" + "a1" + "00")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    return open_sandbox(tmp_path_factory.mktemp("state"), "test", DAY)


@pytest.fixture(scope="module")
def server(sandbox):
    with served(sandbox) as running:
        yield running


@pytest.fixture
def place(server):
    return server.place


@contextmanager
def opened(place, **options):
    with connect(f"ws://{place}/rpc", max_size=None, **options) as websocket:
        yield websocket


def ask(websocket, method, *params, id=1):
    websocket.send(json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
    return json.loads(websocket.recv(timeout=SECONDS_MAX))


def mine(sandbox, count=1):
    """Seals blocks, each with one log of one topic."""
    chain = sandbox.consortium.chain
    for _ in range(count):
        nonce = chain.nonce_of(DEVELOPER.address)
        chain.submit(
            DEVELOPER.sign_transaction(
                chain_id=CHAIN_ID, nonce=nonce, to=None, data=LOGGING_CODE, gas=100_000
            )
        )


def wait_until(holds):
    deadline = time.monotonic() + SECONDS_MAX
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def told(websocket):
    return json.loads(websocket.recv(timeout=SECONDS_MAX))["params"]


def test_socket_answers_what_http_answers(place):
    with opened(place) as websocket:
        assert ask(websocket, "eth_chainId")["result"] == hex(CHAIN_ID)
        websocket.send("{")
        assert json.loads(websocket.recv())["error"]["code"] == -32700
        websocket.send(b'[{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}]')
        assert json.loads(websocket.recv())[0]["result"] == hex(CHAIN_ID)


@pytest.mark.parametrize("method", ["foo_subscribe", "eth_resubscribe", "subscribe"])
def test_unknown_way_to_subscribe_is_an_unknown_method(place, method):
    with opened(place) as websocket:
        assert ask(websocket, method, "newHeads")["error"]["code"] == -32601


def test_new_heads_are_told_in_order_until_unsubscribed(place, sandbox):
    with opened(place) as websocket:
        id = ask(websocket, "eth_subscribe", "newHeads")["result"]
        first = sandbox.consortium.chain.head.number + 1
        mine(sandbox, 5)

        heads = [told(websocket) for _ in range(5)]

        assert {each["subscription"] for each in heads} == {id}
        numbers = [int(each["result"]["number"], 16) for each in heads]
        assert numbers == list(range(first, first + 5))
        header = sandbox.consortium.chain.store.header_by_number(first)
        assert heads[0]["result"]["hash"] == "0x" + header.hash().hex()
        assert ask(websocket, "eth_unsubscribe", id)["result"] is True
        assert ask(websocket, "eth_unsubscribe", id)["result"] is False
        mine(sandbox)
        with pytest.raises(TimeoutError):
            websocket.recv(timeout=0.2)


def test_logs_are_told_to_those_who_want_them(place, sandbox):
    with opened(place) as websocket:
        seven, eight = ("0x" + number.to_bytes(32, "big").hex() for number in (7, 8))
        wanted = ask(websocket, "eth_subscribe", "logs", {"topics": [seven]})["result"]
        ask(websocket, "eth_subscribe", "logs", {"topics": [eight]})
        ask(websocket, "eth_subscribe", "logs", {"address": "0x" + "00" * 20})
        every = ask(websocket, "eth_subscribe", "logs")["result"]
        mine(sandbox)

        both = [told(websocket) for _ in range(2)]

        assert [each["subscription"] for each in both] == [wanted, every]
        assert both[0]["result"]["topics"] == [seven]
        assert both[0]["result"] == both[1]["result"]
        with pytest.raises(TimeoutError):
            websocket.recv(timeout=0.2)


@pytest.mark.parametrize(
    "params", [[], ["newPendingTransactions"], ["logs", {"topics": 7}], ["logs", {}, {}], [7]]
)
def test_subscription_to_something_else_is_refused(place, params):
    with opened(place) as websocket:
        assert ask(websocket, "eth_subscribe", *params)["error"]["code"] == -32602
        assert ask(websocket, "eth_unsubscribe", *params)["error" if len(params) != 1 else "id"]


def test_subscriptions_of_a_connection_are_bounded(place):
    with opened(place) as websocket:
        for _ in range(SocketLimits().subscriptions):
            assert "result" in ask(websocket, "eth_subscribe", "newHeads")

        assert ask(websocket, "eth_subscribe", "newHeads")["error"]["code"] == -32005


def test_connections_are_bounded(server, place):
    with ExitStack() as stack:
        for _ in range(SocketLimits().connections):
            ask(stack.enter_context(opened(place)), "eth_chainId")
        with opened(place) as above, pytest.raises(ConnectionClosed) as closed:
            above.recv(timeout=SECONDS_MAX)
        assert closed.value.rcvd.code == 1013
    wait_until(lambda: not server.app.state.rpc.heads.listeners)
    with opened(place) as again:
        assert ask(again, "eth_chainId")["result"] == hex(CHAIN_ID)


def test_message_that_is_too_large_ends_its_connection(place):
    with opened(place) as websocket:
        with suppress(ConnectionClosed):
            websocket.send(" " * (BODY_BYTES_MAX + 1))
        with pytest.raises(ConnectionClosed) as closed:
            websocket.recv(timeout=SECONDS_MAX)
    # A client that was still sending may meet a reset connection before it reads the close.
    assert closed.value.rcvd is None or closed.value.rcvd.code == 1009
    with opened(place) as another:
        assert ask(another, "eth_chainId")["result"] == hex(CHAIN_ID)


def test_page_of_another_host_cannot_connect(place):
    for origin in ("http://evil.example", "null", f"http://{place}1"):
        with pytest.raises(InvalidStatus), opened(place, origin=origin):
            pass
    with opened(place, origin=f"http://{place}") as websocket:
        assert ask(websocket, "eth_chainId")["result"] == hex(CHAIN_ID)


def test_connection_that_does_not_read_is_dropped_and_others_are_told(server, sandbox):
    rpc, place = server.app.state.rpc, server.place
    server.app.state.rpc = replace(rpc, limits=SocketLimits(heads_waiting=12))
    listeners = rpc.heads.listeners
    host, _, port = place.partition(":")
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    narrow.connect((host, int(port)))
    with (
        opened(place) as reader,
        connect(f"ws://{place}/rpc", sock=narrow, max_queue=1, close_timeout=0.2) as slow,
    ):
        ask(reader, "eth_subscribe", "newHeads")
        for id in range(SocketLimits().subscriptions):
            ask(slow, "eth_subscribe", "newHeads", id=id)
        numbers = []
        deadline = time.monotonic() + SECONDS_MAX
        while len(listeners) > 1 and time.monotonic() < deadline:
            mine(sandbox, 10)
            numbers += [int(told(reader)["result"]["number"], 16) for _ in range(10)]

        assert len(listeners) == 1, "the slow one is still served"
        server.app.state.rpc = rpc
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_flood_on_one_connection_leaves_others_served(place, sandbox):
    slow_call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "eth_call",
        "params": [{"data": FOREVER}, "latest"],
    }
    flood = [slow_call] * 40
    stop = []

    def flooded():
        with opened(place) as websocket:
            websocket.send(json.dumps(flood))
            while not stop:
                time.sleep(0.01)

    thread = Thread(target=flooded)
    thread.start()
    try:
        time.sleep(0.3)
        longest = 0.0
        for _ in range(5):
            began = time.monotonic()
            body = {"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber"}
            answer = httpx2.post(f"http://{place}/rpc", json=body, timeout=SECONDS_MAX)
            longest = max(longest, time.monotonic() - began)
            assert "result" in answer.json()
    finally:
        stop.append(True)
        thread.join()
    assert longest < 3
