"""Methods about the chain as such: its id, its fees, the software."""

from collections.abc import Mapping, Sequence
from typing import Final

from eth_hash.auto import keccak

from ledger.chain.rpc.backend import Backend
from ledger.chain.rpc.methods import Method
from ledger.chain.rpc.values import Json, data, parse_data, quantity

CLIENT_VERSION: Final = "Novate/v0.1.0"


def chain_id(backend: Backend, _: Sequence[Json]) -> Json:
    """The chain id, which every transaction must carry."""
    return quantity(backend.chain.config.chain_id)


def network_id(backend: Backend, _: Sequence[Json]) -> Json:
    """The chain id, in decimal digits."""
    return str(backend.chain.config.chain_id)


def sha3(_: Backend, params: Sequence[Json]) -> Json:
    """The Keccak-256 of data."""
    return data(keccak(parse_data(params[0])))


def pool_status(backend: Backend, _: Sequence[Json]) -> Json:
    """How many accepted transactions wait for a block, and how many for a missing nonce."""
    queued = backend.chain.queued_count
    pending = backend.chain.pending_count - queued
    return {"pending": quantity(max(pending, 0)), "queued": quantity(queued)}


def modules(_: Backend, __: Sequence[Json]) -> Json:
    """The namespaces that are served."""
    return dict.fromkeys(("eth", "net", "rpc", "txpool", "web3"), "1.0")


def zero(_: Backend, __: Sequence[Json]) -> Json:
    """Fees do not exist here."""
    return quantity(0)


METHODS: Final[Mapping[str, Method]] = {
    "eth_accounts": Method(lambda backend, params: []),
    "eth_blobBaseFee": Method(zero),
    "eth_chainId": Method(chain_id),
    "eth_gasPrice": Method(zero),
    "eth_maxPriorityFeePerGas": Method(zero),
    "eth_syncing": Method(lambda backend, params: False),
    "net_listening": Method(lambda backend, params: True),
    "net_peerCount": Method(zero),
    "net_version": Method(network_id),
    "rpc_modules": Method(modules),
    "txpool_status": Method(pool_status),
    "web3_clientVersion": Method(lambda backend, params: CLIENT_VERSION),
    "web3_sha3": Method(sha3, needs=1),
}
