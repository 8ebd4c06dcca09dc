"""Looking into a state folder that another process may have open: no lock is taken or needed.

The block store lets others read while one process writes, and shows them committed blocks only.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NoReturn

from hexbytes import HexBytes
from web3 import Web3

from contracts.decoding import CONTRACTS, decode_creation
from contracts.deployment import Addresses
from ledger.chain.blocks import Receipt
from ledger.chain.chain import Chain
from ledger.chain.errors import StorageError
from ledger.chain.executor import BlockContext, Call
from ledger.chain.genesis import ChainConfig
from ledger.chain.rpc.provider import web3_of
from ledger.chain.state import StateChanges
from ledger.chain.store import BlockStore
from ledger.chain.transactions import Transaction
from ledger.domain.participants import Role
from nodes.explorer.explorer import Explorer
from nodes.explorer.finality import certified
from nodes.folder_meta import Meta, StateFolderError, read_meta
from nodes.keys import Key
from nodes.network import Network
from nodes.state_folder import chain_file, key_file
from nodes.validators import chain_config

CREATION_BLOCKS_MAX: Final = 256
"""Within how many blocks the founding has created its contracts."""


@contextmanager
def open_explorer(path: Path) -> Iterator[Explorer]:
    """An explorer of the chain in a state folder. Changes nothing; raises StateFolderError."""
    with founded_chain(path) as (network, chain, w3, addresses):
        yield Explorer(network, w3, addresses, certified(chain))


@contextmanager
def founded_chain(path: Path) -> Iterator[tuple[Network, Chain, Web3, Addresses]]:
    """The proposer's chain in a state folder with its contracts. Raises StateFolderError."""
    with open_stored_chain(path) as (network, chain):
        w3 = web3_of(chain)
        addresses = created_contracts(w3)
        if addresses is None:
            raise StateFolderError(f"{path} has no contracts yet: its founding was cut off")
        yield network, chain, w3, addresses


@contextmanager
def open_stored_chain(path: Path) -> Iterator[tuple[Network, Chain]]:
    """The proposer's chain in a state folder, to be looked at. Raises StateFolderError."""
    with open_replica(path, None) as (store, config):
        meta = _meta_of(path)
        try:
            chain = Chain(config, store, _NoExecutor(), lambda: 0, _no_signature)
        except StorageError as error:
            raise StateFolderError(str(error)) from error
        yield meta.network, chain


@contextmanager
def open_replica(path: Path, node: str | None) -> Iterator[tuple[BlockStore, ChainConfig]]:
    """The block store of a node (None: the proposer) in a folder. Raises StateFolderError."""
    meta = _meta_of(path)
    network, seats = meta.network, meta.seats
    if seats is None:
        raise StateFolderError(f"the chain of {path} is not in the folder: ask its own node")
    file = chain_file(path, node or network.sole(Role.CLEARING_HOUSE))
    if not file.exists():
        has = (
            f"the validators are {', '.join(seats.validators)}"
            if node
            else "its founding was cut off"
        )
        raise StateFolderError(f"{path} has no chain of {node or 'the clearing house'}: {has}")
    try:
        config = chain_config(network, seats, lambda name: Key.read(key_file(path, name)))
        store = BlockStore(file, only_read=True)
    except (OSError, StorageError) as error:
        raise StateFolderError(str(error)) from error
    try:
        yield store, config
    finally:
        store.close()


def _meta_of(path: Path) -> Meta:
    meta = read_meta(path)
    if meta is None:
        raise StateFolderError(
            f"{path} holds no chain: name a state folder of novate day or novate up with --folder"
        )
    return meta


def created_contracts(w3: Web3) -> Addresses | None:
    """Where the first of each of our contracts is; None when one has not been created yet."""
    found: dict[str, bytes] = {}
    for number in range(1, min(w3.eth.block_number, CREATION_BLOCKS_MAX) + 1):
        for sent in w3.eth.get_block(number, full_transactions=True)["transactions"]:
            assert not isinstance(sent, bytes), "full transactions were asked for"
            call = None if sent.get("to") else decode_creation(bytes(sent["input"]))
            address = w3.eth.get_transaction_receipt(sent["hash"])["contractAddress"]
            if call and address:
                found.setdefault(call.contract, bytes(HexBytes(address)))
        if len(found) == len(CONTRACTS):
            return Addresses(*(found[contract] for contract in CONTRACTS))
    return None


def _no_signature(_: bytes) -> NoReturn:
    raise StateFolderError("a chain that is only looked at takes no transactions")


class _NoExecutor:
    """Stands where an executor would: what is only looked at runs nothing."""

    name = "none"

    def apply(self, changes: StateChanges) -> None:
        """Nothing is run, so no state is needed."""

    def run(self, context: BlockContext, transactions: Sequence[Transaction]) -> NoReturn:  # noqa: ARG002 # an executor's signature
        """Refused."""
        raise StateFolderError("a chain that is only looked at takes no transactions")

    def call(self, context: BlockContext, call: Call) -> Receipt:  # noqa: ARG002 # an executor's signature
        """Refused."""
        raise StateFolderError("a chain that is only looked at answers no calls")

    def storage_at(self, address: bytes, slot: int) -> int:  # noqa: ARG002 # an executor's signature
        """Refused."""
        raise StateFolderError("a chain that is only looked at has no state")
