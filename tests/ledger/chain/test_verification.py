"""novate chain verify's ground: a stored chain is run again, and every lie in it is named."""

import sqlite3

import pytest

from ledger.chain.errors import StorageError
from ledger.chain.store import BlockStore
from ledger.chain.verification import verify
from tests.support.counters import count_raw, deploy_counters
from tests.support.replicas import SENDER, config_of, open_replicated


@pytest.fixture
def folder(tmp_path):
    chain, _ = open_replicated(4, tmp_path)
    contract = deploy_counters(chain, SENDER)
    for nonce in range(1, 5):
        chain.submit(count_raw(SENDER, nonce, contract, nonce))
    chain.close()
    return tmp_path


def verified(folder, name="proposer"):
    store = BlockStore(folder / f"{name}.sqlite")
    try:
        return list(verify(store, config_of(4), "revm"))
    finally:
        store.close()


@pytest.mark.parametrize("name", ["proposer", "V1"])
def test_every_replica_of_an_honest_chain_is_right(folder, name):
    assert verified(folder, name) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DELETE FROM transaction_index WHERE number = 3", "the transaction index are not"),
        ("INSERT INTO log_index VALUES (5, 3, 0)", "the log index are not"),
        (
            """UPDATE certificates SET certificate =
            (SELECT certificate FROM certificates WHERE number = 2) WHERE number = 3""",
            "block 3: the certificate is of another block",
        ),
        ("DELETE FROM certificates WHERE number = 3", "block 3 is final but was not found"),
        ("UPDATE certificates SET certificate = x'93' WHERE number = 3", "certificate of block 3"),
    ],
)
def test_lie_is_named(folder, statement, words):
    with sqlite3.connect(folder / "proposer.sqlite") as db:
        db.execute(statement)
    db.close()

    with pytest.raises(StorageError, match=words):
        verified(folder)
