"""The proof of a trade, made and checked step by step while one looks on."""

from dataclasses import dataclass

from ledger.clearing.chunks import records_of
from ledger.clearing.commitment import Step, climb, leaf_hash
from ledger.clearing.proof import TradeProof, verify
from nodes.consortium import Consortium
from nodes.proof_check import wrong_on_chain


@dataclass(frozen=True, slots=True)
class Proven:
    """What came out of a check. ``wrong`` is empty when the proof holds."""

    wrong: str
    wrong_on_chain: str
    proof: TradeProof
    leaf: bytes
    steps: list[Step]


def proven(consortium: Consortium, proof: TradeProof) -> Proven:
    """Checks a proof off line and with the contracts, and shows the way from chunk to root."""
    leaf = leaf_hash(proof.index, proof.salt, records_of(proof.trades))
    return Proven(
        wrong=verify(proof),
        wrong_on_chain=wrong_on_chain(proof, consortium.contracts),
        proof=proof,
        leaf=leaf,
        steps=climb(proof.index, leaf, proof.path),
    )
