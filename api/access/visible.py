"""Of what everybody's nodes say, the part that the holder of a key is shown."""

from api import schemas
from api.break_schemas import Reconciliation
from ledger.books.postings import Register
from ledger.domain.key_holders import KeyHolder, KeyRole
from nodes.network import Network


def sees_holding(network: Network, holder: KeyHolder, owner: str, register: Register) -> bool:
    """One's own, and what one keeps the register or the money of."""
    if holder.may_see(owner):
        return True
    if register is Register.CASH:
        bank = network.participant(owner).settlement_bank
        return holder.role is KeyRole.BANK and holder.participant == bank
    return holder.role is KeyRole.REGISTRAR


def visible_participant(holder: KeyHolder, participant: schemas.Participant) -> schemas.Participant:
    """How many breaks somebody has is its own affair."""
    if holder.may_see(participant.id):
        return participant
    return participant.model_copy(update={"open_breaks": None})


def visible_reconciliation(holder: KeyHolder, whole: Reconciliation) -> Reconciliation:
    """The nodes and breaks of one's own."""
    if holder.sees_everything:
        return whole
    nodes = [each for each in whole.nodes if holder.may_see(each.participant)]
    breaks = [each for each in whole.breaks if holder.may_see(each.owner)]
    return Reconciliation(
        suspended=whole.suspended,
        as_of_block=min((each.reconciled_block for each in nodes), default=whole.as_of_block),
        agrees=not breaks and not any(each.is_away for each in nodes),
        nodes=nodes,
        breaks=breaks,
    )
