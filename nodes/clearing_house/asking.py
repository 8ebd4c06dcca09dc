"""Asking parties to sign: whatever they answer, the house holds a good signature or a reason.

Nothing that a party sends is believed before it is checked here: what is written down later counts
as signed by all.
"""

from dataclasses import dataclass

from ledger.domain.reasons import Reason
from nodes.bus import NOT_TAKEN
from nodes.messages import (
    Attestation,
    CycleProposal,
    Disagreement,
    SetProposal,
)
from nodes.node import Node


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A party did not sign: why, and which trades it objected to, if it named any."""

    reason: Reason
    named: frozenset[str] = frozenset()


def ask_to_sign(
    house: Node,
    party: int,
    proposal: CycleProposal | SetProposal,
    digest: bytes,
) -> bytes | Unsigned:
    """A party's signature of the digest, checked."""
    recipient = house.network.participant_id(party)
    try:
        answer = house.around.bus.request(house.id, recipient, proposal)
    except NOT_TAKEN:
        return Unsigned(Reason.SILENT)
    except PermissionError:
        return Unsigned(Reason.DISPUTED)
    match answer:
        case Attestation(signature) if house.has_signed(party, digest, signature):
            return signature
        case Disagreement(_, tuple(named)):
            return Unsigned(Reason.DISPUTED, frozenset(name for name in named if type(name) is str))
        case _:
            return Unsigned(Reason.DISPUTED)
