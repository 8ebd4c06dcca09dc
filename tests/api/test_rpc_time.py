"""Time control by JSON-RPC: in a sandbox with a simulated clock, and business time goes with it."""

import pytest

from api.app import create_app
from nodes.sandbox.sandbox import Sandbox
from tests.support.clients import client_of
from tests.support.consortia import DAY, small_consortium

HOUR = 3600


@pytest.fixture
def client():
    with client_of(create_app(Sandbox(small_consortium()))) as opened:
        yield opened


@pytest.fixture
def ask(client):
    def asked(method, *params):
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return client.post("/rpc", json=body).json()

    return asked


def head_time(ask):
    return int(ask("eth_getBlockByNumber", "latest")["result"]["timestamp"], 16)


def test_time_moves_and_the_next_block_has_it(client, ask):
    before = head_time(ask)

    assert ask("evm_increaseTime", HOUR)["result"] == HOUR
    assert ask("evm_mine")["result"] == "0x0"
    assert head_time(ask) == before + HOUR
    assert ask("evm_setNextBlockTimestamp", hex(before + 2 * HOUR))["result"] is None
    ask("evm_mine")
    assert head_time(ask) == before + 2 * HOUR
    ask("evm_mine", before + 3 * HOUR)
    assert head_time(ask) == before + 3 * HOUR

    clock = client.app.state.sandbox.consortium.clock
    assert clock.chain_time() == before + 3 * HOUR
    assert clock.business_time().date() == DAY


@pytest.mark.parametrize(
    ("method", "value"),
    [
        ("evm_setNextBlockTimestamp", 1),
        ("evm_setNextBlockTimestamp", "soon"),
        ("evm_mine", 1),
        ("evm_increaseTime", -1),
        ("evm_increaseTime", True),
        ("evm_increaseTime", 1.5),
        ("evm_increaseTime", 10**30),
        ("evm_increaseTime", "0x" + "f" * 64),
    ],
)
def test_time_neither_goes_back_nor_leaves_the_calendar(ask, method, value):
    before = head_time(ask), ask("eth_blockNumber")

    assert ask(method, value)["error"]["code"] == -32602
    assert (head_time(ask), ask("eth_blockNumber")) == before


def test_chain_is_not_taken_back(ask):
    for method in ("evm_snapshot", "evm_revert"):
        assert ask(method)["error"]["code"] == -32004
