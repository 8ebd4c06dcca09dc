"""Whether a chain is the one that a state folder was built on, whole, and nobody else's.

Books and outboxes only mean something together with their own chain: on a wiped one the same signed
transactions would be valid once more, on a used one they would find others' results.
"""

from collections.abc import Iterable
from pathlib import Path

from ledger.books.projection import Projection
from nodes.bootstrap import key_of
from nodes.engine import Engine, EngineIdentity, Request, UnfitEngineError, bytes_of
from nodes.folder_meta import StateFolderError
from nodes.network import Network
from nodes.validators import DEPLOYER


def check_unused(engine: Engine, network: Network) -> None:
    """Raises UnfitEngineError when the network was founded on this chain before, from elsewhere."""
    address = "0x" + key_of(network, DEPLOYER).address.hex()
    [count] = engine.requests([("eth_getTransactionCount", [address, "latest"])])
    if int(count, 16):
        raise UnfitEngineError(
            f"a network with seed {network.seed!r} was founded on this chain before (its deployer"
            f" {address} has sent {int(count, 16)} transactions): continue from its own state"
            " folder with --folder, or give another --seed"
        )


def check_same(path: Path, founded_on: EngineIdentity | None, engine: Engine | None) -> None:
    """Raises StateFolderError unless an engine runs the chain that a folder was founded on.

    No identity, and no engine, mean the chain in the folder itself.
    """
    if founded_on is None:
        if engine is not None:
            raise StateFolderError(
                f"{path} holds a chain of its own: leave --engine out, or name another folder with"
                " --folder"
            )
        return
    name = f"chain {founded_on.chain_id} with genesis {founded_on.genesis}"
    if engine is None:
        raise StateFolderError(
            f"{path} was founded on {name}: give the URL of one of its nodes with --engine"
        )
    found = engine.identity
    if found is None or (found.chain_id, found.genesis) != (
        founded_on.chain_id,
        founded_on.genesis,
    ):
        there = f"chain {found.chain_id} with genesis {found.genesis}" if found else "another"
        raise StateFolderError(
            f"{path} was founded on {name}, the endpoint runs {there}: it is another chain, or was"
            " wiped; name the right node with --engine, or begin a new folder with --folder"
        )
    _check_contracts(path, founded_on, engine)


def check_books(engine: Engine, projections: Iterable[Projection]) -> None:
    """Raises UnfitEngineError when the chain has lost or changed blocks that are in the books."""
    hash_by_height = {each.height: each.block_hash for each in projections if each.height >= 0}
    requests: list[Request] = [
        ("eth_getBlockByNumber", [hex(height), False]) for height in hash_by_height
    ]
    blocks = engine.requests(requests)
    for (height, digest), block in zip(hash_by_height.items(), blocks, strict=True):
        if block is None or bytes_of(block["hash"]) != digest:
            what = "has no" if block is None else "has another"
            raise UnfitEngineError(
                f"the chain {what} block {height}, which is in the books: its node has lost blocks;"
                " restore it from a backup or another validator, or begin another with --folder"
            )


def _check_contracts(path: Path, founded_on: EngineIdentity, engine: Engine) -> None:
    codes = engine.requests(
        [("eth_getCode", [address, "latest"]) for address in founded_on.contracts]
    )
    for address, code in zip(founded_on.contracts, codes, strict=True):
        if not bytes_of(code):
            raise StateFolderError(
                f"{path} has its contracts on this chain, but there is none at {address}: the"
                " chain was wiped or has lost blocks; restore its node, or begin a new folder with"
                " --folder"
            )
