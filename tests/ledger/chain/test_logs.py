"""Logs are found by index, and found are exactly those that a look at every log would find."""

from hypothesis import given
from hypothesis import strategies as st

from ledger.chain.block_file import MEMORY
from ledger.chain.blocks import Log, Receipt
from ledger.chain.genesis import genesis_header
from ledger.chain.log_index import LogFilter
from ledger.chain.sealed import genesis_block, sealed
from ledger.chain.state import StateChanges
from ledger.chain.store import BlockStore
from tests.support.blocks import some_transactions
from tests.support.twins import chain_config

ADDRESSES = st.sampled_from([bytes([i]) * 20 for i in range(3)])
# The first two share their index key; the third shares it with an address.
TOPICS = st.sampled_from([bytes(32), b"\1" + bytes(31), bytes(24) + b"\2" * 8, b"\3" * 32])
LOGS = st.builds(Log, ADDRESSES, st.lists(TOPICS, max_size=4).map(tuple), st.binary(max_size=2))
RECEIPTS = st.builds(
    Receipt, st.just(True), st.just(1), st.just(b""), st.lists(LOGS, max_size=3).map(tuple)
)
BLOCKS = st.lists(st.lists(RECEIPTS, max_size=3), max_size=5)
FILTERS = st.builds(
    LogFilter,
    st.integers(0, 6),
    st.integers(0, 6),
    st.lists(ADDRESSES, max_size=2, unique=True).map(tuple),
    st.lists(st.lists(TOPICS, max_size=2, unique=True).map(tuple), max_size=4).map(tuple),
)
TRANSACTIONS = some_transactions(3)


@given(BLOCKS, FILTERS)
def test_found_are_exactly_the_logs_that_fit(blocks, wanted):
    store = BlockStore(MEMORY)
    header = genesis_header(chain_config())
    store.append(genesis_block(header), None)
    expected = []
    for receipts in blocks:
        block = sealed(header, 0, TRANSACTIONS[: len(receipts)], receipts, StateChanges())
        store.append(block, None)
        header = block.header
        if wanted.from_block <= header.number <= wanted.to_block:
            logs = [log for receipt in receipts for log in receipt.logs]
            expected += [
                (header.number, i, log) for i, log in enumerate(logs) if naive_fit(wanted, log)
            ]

    found = [(each.block, each.log_index, each.log) for each in store.logs(wanted)]

    assert found == expected
    store.close()


def naive_fit(wanted, log):
    if wanted.addresses and log.address not in wanted.addresses:
        return False
    for i, allowed in enumerate(wanted.topics):
        if i >= len(log.topics):
            return False
        if allowed and log.topics[i] not in allowed:
            return False
    return True
