"""Verifying a stored chain from its first block: every transaction again, every vote, every index.

A fresh replica, with an executor of one's choice, takes the stored chain in like a validator that
has missed everything. What it then has must be what is stored, to the last row of the indexes.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from ledger.chain.executors import new_executor
from ledger.chain.genesis import ChainConfig
from ledger.chain.opening import open_store
from ledger.chain.replica import Replica
from ledger.chain.store import BlockStore
from ledger.chain.validator import RefusedError, Validator

_COMPARED: Final = (
    "blocks",
    "bodies",
    "certificates",
    "transaction_index",
    "log_index",
)
_BLOCKS_A_COMPARISON: Final = 256


def verify(store: BlockStore, config: ChainConfig, executor: str) -> Iterator[int]:
    """Yields the number of every block as it is found to be right.

    Raises StorageError with the first thing that is not: the block, and the transaction in it.
    """
    if open_store(store, config) is None:
        raise store.damaged("it holds no chain")
    with TemporaryDirectory(prefix="novate-verify-") as folder:
        scratch = BlockStore(Path(folder) / "chain.sqlite")
        try:
            replica = Replica(config, scratch, new_executor(executor, config.chain_id))
            yield from _replay(store, Validator("verifier", replica, _no_vote, _no_time, store))
            height = replica.head.number
            if height != store.final_height():
                raise store.damaged(f"block {height + 1} is final but was not found")
            for table in _COMPARED:
                _compare(store, scratch, table, height)
        finally:
            scratch.close()


def _replay(store: BlockStore, verifier: Validator) -> Iterator[int]:
    try:
        while verifier.catch_up_one():
            yield verifier.replica.head.number
    except RefusedError as error:
        raise store.damaged(str(error)) from error


def _compare(store: BlockStore, scratch: BlockStore, table: str, height: int) -> None:
    """Every row of a table, up to the last final block."""
    words = table.replace("_", " ")
    key = "number, key, position" if table.endswith("_index") else "number"
    query = f"SELECT * FROM {table} WHERE number BETWEEN ? AND ? ORDER BY {key}"  # noqa: S608 # our own names
    for first in range(0, height + 1, _BLOCKS_A_COMPARISON):
        last = min(first + _BLOCKS_A_COMPARISON - 1, height)
        theirs, ours = store.all(query, first, last), scratch.all(query, first, last)
        if theirs != ours:
            raise store.damaged(
                f"blocks {first} to {last}: the {words} are not what running them again gives"
            )
    strays = store.one(f"SELECT number FROM {table} WHERE number NOT BETWEEN 0 AND ?", height + 1)  # noqa: S608 # our own names
    if strays:
        raise store.damaged(f"the {words} go on after the last block: {strays[0]}")


def _no_vote(_: bytes) -> bytes:
    raise AssertionError("a verifier does not vote")


def _no_time() -> int:
    raise AssertionError("what is final is not compared with the present")
