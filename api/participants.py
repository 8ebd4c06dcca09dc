"""Participants that requests name: refused when there is none of this id, or none that trades."""

from api.errors import refuse
from ledger.domain.reasons import Reason
from nodes.consortium import Consortium


def require_participant(consortium: Consortium, participant: str) -> None:
    """Refuses names of nobody."""
    if participant not in consortium.nodes:
        raise refuse(Reason.UNKNOWN, f"there is no participant {participant}")


def require_trader(consortium: Consortium, participant: str) -> None:
    """Refuses names of nobody, and of who does not trade."""
    require_participant(consortium, participant)
    if not consortium.network.trades(participant):
        raise refuse(Reason.INVALID, f"{participant} does not trade: name a broker or bank")
