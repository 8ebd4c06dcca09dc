"""What a chain has under the cycle that a proof is of: in a state folder, or behind a node."""

from pathlib import Path
from typing import Final

from web3 import Web3

from contracts.deployment import Contracts
from ledger.clearing.chunks import records_of
from ledger.clearing.proof import TradeProof
from nodes.clock import WallClock
from nodes.endpoint import Endpoint
from nodes.engine import EngineError
from nodes.explorer.cycle_roots import settled_cycles
from nodes.explorer.folder import created_contracts, founded_chain

PATIENCE_SECONDS: Final = 5.0


def wrong_in_folder(proof: TradeProof, path: Path) -> str:
    """What the chain in a state folder says against a proof; nothing when it agrees.

    Raises StateFolderError.
    """
    with founded_chain(path) as (_, _, w3, addresses):
        cycles = {cycle.id: cycle for cycle in settled_cycles(w3, addresses)}
    cycle = cycles.get(proof.cycle_id)
    return _wrong(proof, *((cycle.root, cycle.count) if cycle else (b"", 0)))


def wrong_at_node(proof: TradeProof, url: str) -> str:
    """What the contracts behind a node say against a proof; nothing when they agree.

    Raises EngineError when it does not answer or has no contracts of ours.
    """
    w3 = Web3(Endpoint(url, WallClock(), PATIENCE_SECONDS))
    addresses = created_contracts(w3)
    if addresses is None:
        raise EngineError(f"{url} has no contracts of a consortium in its first blocks")
    return wrong_on_chain(proof, Contracts(w3, addresses))


def wrong_on_chain(proof: TradeProof, contracts: Contracts) -> str:
    """The same of contracts that one has: what they have under the cycle, and what they check."""
    wrong = _wrong(proof, *contracts.settlement.cycle_of(proof.cycle_id))
    if wrong:
        return wrong
    included = contracts.inclusion.included(
        proof.cycle_id,
        proof.index,
        proof.path.leaf_count,
        proof.salt,
        records_of(proof.trades).tobytes(),
        proof.path.siblings,
    )
    return "" if included else "the contract Inclusion says no"


def _wrong(proof: TradeProof, root: bytes, count: int) -> str:
    if not count:
        return f"no cycle 0x{proof.cycle_id.hex()} has settled on this chain"
    if root != proof.root:
        return f"the chain has the root 0x{root.hex()}, the proof 0x{proof.root.hex()}"
    if count != proof.path.trade_count:
        return f"the chain has {count} trades in the cycle, the proof {proof.path.trade_count}"
    return ""
