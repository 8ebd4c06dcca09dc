"""A transaction that no executor can run never spoils a block: it alone is refused."""

import pytest

from ledger.chain.errors import ExecutionError
from ledger.chain.executors import new_executor
from ledger.chain.transactions import InvalidTransactionError
from nodes.keys import Key
from tests.support.counters import count_raw
from tests.support.twins import CHAIN_ID, new_chain

KEYS = [Key.of_seed("spoilers", str(i)) for i in range(8)]
POISON = 666


class Choking:
    """An executor that fails whenever a certain transaction is in the block."""

    def __init__(self):
        self.inner = new_executor("revm", CHAIN_ID)

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def run(self, block, transactions):
        if any(t.data[-2:] == POISON.to_bytes(2, "big") for t in transactions):
            raise ExecutionError("choked")
        return self.inner.run(block, transactions)


@pytest.mark.parametrize("place", range(8))
def test_culprit_alone_is_refused(place):
    chain = new_chain(executor=Choking())
    numbers = [POISON if i == place else i for i in range(8)]
    raws = [count_raw(key, 0, bytes(20), n) for key, n in zip(KEYS, numbers, strict=True)]

    answers = chain.submit_all(raws)

    refused = [i for i, a in enumerate(answers) if isinstance(a, InvalidTransactionError)]
    assert refused == [place]
    assert chain.pending_count == 0
    assert all(chain.store.place_of(a) for i, a in enumerate(answers) if i != place)
