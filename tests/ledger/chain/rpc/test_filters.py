"""Filters that are polled: nothing missed, nothing twice, bounded, expiring."""

import pytest

from contracts.deployment import participants_init_code
from ledger.chain.rpc.backend import CALL_GAS_MAX, Limits, open_backend
from ledger.chain.rpc.errors import RpcError
from ledger.chain.rpc.filters import EXPIRY_NS, FILTERS_MAX
from ledger.chain.rpc.table import handle
from nodes.keys import Key
from tests.support.twins import Sender, Twins, new_chain, ref

KEY = Key.of_seed("filters", "sender")


class Stopwatch:
    def __init__(self):
        self.ns = 0

    def __call__(self):
        return self.ns


def test_new_blocks_are_told_once():
    chain = new_chain()
    backend = open_backend(chain, lambda: 0, None)
    sender = Sender(chain, KEY)
    id = handle(backend, "eth_newBlockFilter", [])

    assert handle(backend, "eth_getFilterChanges", [id]) == []
    hashes = []
    for _ in range(3):
        sender.send(None, participants_init_code())
        hashes.append("0x" + chain.head.hash().hex())

    assert handle(backend, "eth_getFilterChanges", [id]) == hashes
    assert handle(backend, "eth_getFilterChanges", [id]) == []


@pytest.mark.parametrize("limit", [1, 3, 10_000])
def test_new_logs_are_told_once_in_pages(limit):
    twins = Twins()
    backend = open_backend(twins.chain, lambda: 0, None)
    backend.limits = Limits(call_gas=CALL_GAS_MAX, logs=limit)
    first = hex(twins.chain.head.number + 1)
    id = handle(backend, "eth_newFilter", [{"fromBlock": "earliest"}])
    for i in range(4):
        twins.issue(twins.registrar, ref(f"i{i}"), [(1, 5 << 8, 1)], is_cash=False)
    backend.limits = Limits(call_gas=CALL_GAS_MAX, logs=None)
    expected = handle(backend, "eth_getLogs", [{"fromBlock": first}])
    everything = handle(backend, "eth_getLogs", [{"fromBlock": "0x0"}])
    assert handle(backend, "eth_getFilterLogs", [id]) == everything
    backend.limits = Limits(call_gas=CALL_GAS_MAX, logs=limit)

    told = []
    while page := handle(backend, "eth_getFilterChanges", [id]):
        told += page

    assert told == expected


def test_filter_ends_with_its_range():
    twins = Twins()
    backend = open_backend(twins.chain, lambda: 0, None)
    last = hex(twins.chain.head.number + 1)
    id = handle(backend, "eth_newFilter", [{"fromBlock": "latest", "toBlock": last}])
    for i in range(3):
        twins.issue(twins.registrar, ref(f"i{i}"), [(1, 5 << 8, 1)], is_cash=False)

    told = handle(backend, "eth_getFilterChanges", [id])

    assert {log["blockNumber"] for log in told} == {last}
    assert handle(backend, "eth_getFilterChanges", [id]) == []


def test_filter_that_is_not_polled_expires_and_one_that_is_polled_does_not():
    stopwatch = Stopwatch()
    backend = open_backend(new_chain(), stopwatch, None)
    polled, forgotten = (handle(backend, "eth_newBlockFilter", []) for _ in range(2))

    stopwatch.ns += EXPIRY_NS
    handle(backend, "eth_getFilterChanges", [polled])
    stopwatch.ns += 1

    assert handle(backend, "eth_getFilterChanges", [polled]) == []
    with pytest.raises(RpcError, match="filter not found"):
        handle(backend, "eth_getFilterChanges", [forgotten])


def test_filters_are_bounded():
    backend = open_backend(new_chain(), lambda: 0, None)
    ids = [handle(backend, "eth_newBlockFilter", []) for _ in range(FILTERS_MAX + 1)]

    assert len(backend.filters.ids()) == FILTERS_MAX
    assert handle(backend, "eth_uninstallFilter", [ids[0]]) is False
    assert handle(backend, "eth_uninstallFilter", [ids[-1]]) is True
    assert handle(backend, "eth_uninstallFilter", [ids[-1]]) is False


def test_filter_is_used_for_what_it_was_made_for():
    backend = open_backend(new_chain(), lambda: 0, None)
    id = handle(backend, "eth_newBlockFilter", [])

    with pytest.raises(RpcError, match="for blocks"):
        handle(backend, "eth_getFilterLogs", [id])
    with pytest.raises(RpcError, match="eth_getLogs"):
        handle(backend, "eth_newFilter", [{"blockHash": "0x" + "00" * 32}])
