"""Verifying a stored chain from its first block: every transaction again, every vote, every index.

A fresh replica, with an executor of one's choice, takes the stored chain in like a validator that
has missed everything. What it then has must be what is stored, to the last row of the indexes.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from ledger.chain.executors import new_executor
from ledger.chain.genesis import ChainConfig
from ledger.chain.replica import Replica
from ledger.chain.store import BlockStore
from ledger.chain.validator import RefusedError, Validator

_INDEXES = ("transaction_index", "log_index")


def verify(store: BlockStore, config: ChainConfig, executor: str) -> Iterator[int]:
    """Yields the number of every block as it is found to be right.

    Raises StorageError with the first thing that is not: the block, and the transaction in it.
    """
    with TemporaryDirectory(prefix="novate-verify-") as folder:
        scratch = BlockStore(Path(folder) / "chain.sqlite")
        try:
            replica = Replica(config, scratch, new_executor(executor, config.chain_id))
            yield from _replay(store, Validator("verifier", replica, _no_vote, _no_time, store))
            if replica.head_hash != _final_hash(store):
                raise store.damaged(f"block {replica.head.number + 1} is final but was not found")
            for index in _INDEXES:
                _compare_index(store, scratch, index, replica.head.number)
        finally:
            scratch.close()


def _replay(store: BlockStore, verifier: Validator) -> Iterator[int]:
    try:
        while verifier.catch_up_one():
            yield verifier.replica.head.number
    except RefusedError as error:
        raise store.damaged(str(error)) from error


def _final_hash(store: BlockStore) -> bytes:
    header = store.header_by_number(store.final_height())
    assert header is not None
    return header.hash()


def _compare_index(store: BlockStore, scratch: BlockStore, index: str, height: int) -> None:
    query = f"SELECT * FROM {index} WHERE number <= ? ORDER BY number, position, key"  # noqa: S608 # our own name
    if store.all(query, height) != scratch.all(query, height):
        raise store.damaged(f"the {index.replace('_', ' ')} does not list what the blocks hold")


def _no_vote(_: bytes) -> bytes:
    raise AssertionError("a verifier does not vote")


def _no_time() -> int:
    raise AssertionError("what is final is not compared with the present")
