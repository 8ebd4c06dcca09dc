"""Whose instructions somebody sees, and for whom it speaks when it says something about them."""

from api.errors import RefusedError, refuse
from ledger.domain.accounts import participant_of
from ledger.domain.instructions import Instruction
from ledger.domain.key_holders import KeyHolder
from ledger.domain.reasons import Reason, Rejected
from ledger.settlement.legs import participants_in
from nodes.clearing_house.desk import Entry
from nodes.consortium import Consortium
from nodes.network import Network
from nodes.sandbox.sandbox import Sandbox


def check_sees(sandbox: Sandbox, holder: KeyHolder, label: str) -> None:
    """Refuses an instruction of others as if there were none."""
    if holder.sees_everything:
        return
    with sandbox.lock:
        consortium = sandbox.consortium
        found = consortium.clearing_house.desk.book.as_kept(label)
        if found is None or not holder.may_see(*sides_of(consortium, found)):
            raise refuse(Reason.UNKNOWN, f"there is no instruction {label}")


def check_speaks(holder: KeyHolder, by: str) -> None:
    """Refuses what is said in the name of somebody else."""
    if not holder.acts_for(by):
        raise refuse(
            Reason.UNAUTHORISED, f"by: expected {holder.participant}, whose key it is, found {by}"
        )


def check_binds(network: Network, holder: KeyHolder, entry: Entry) -> None:
    """Refuses terms that bind somebody else."""
    refusal = bound_refusal(network, holder, entry)
    if refusal is not None:
        raise RefusedError(refusal)


def bound_refusal(network: Network, holder: KeyHolder, entry: Entry) -> Rejected | None:
    """Why terms may not be entered with a key: they bind somebody else."""
    accounts = (entry.message.deliverer, entry.message.receiver)
    for side in (network.participant_id(participant_of(account)) for account in accounts):
        if not holder.acts_for(side):
            detail = (
                f"it would bind {side}, and the key is that of {holder.name}:"
                " let each enter its own side (POST /v1/sides)"
            )
            return Rejected(Reason.UNAUTHORISED, detail)
    return None


def stranger(consortium: Consortium, label: str, by: str) -> Rejected | None:
    """Refuses what is not known, and who is no side of it."""
    found = consortium.clearing_house.desk.book.as_kept(label)
    if found is None:
        return Rejected(Reason.UNKNOWN, f"there is no instruction {label}")
    if by not in sides_of(consortium, found):
        return Rejected(Reason.UNAUTHORISED, f"{by} is no side of {label}")
    return None


def sides_of(consortium: Consortium, instruction: Instruction) -> list[str]:
    """The participants that an instruction is between."""
    return [consortium.network.participant_id(each) for each in participants_in(instruction)]
