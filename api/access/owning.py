"""Whose something is, where that it exists is no secret: others are refused by name."""

from api.errors import refuse
from ledger.domain.identifiers import owner_of
from ledger.domain.key_holders import KeyHolder
from ledger.domain.reasons import Reason


def check_owns(holder: KeyHolder, account: str) -> None:
    """Refuses to act on an account that is somebody else's."""
    owner = owner_of(account)
    if not holder.acts_for(owner):
        raise refuse(
            Reason.UNAUTHORISED, f"{account} is of {owner}, and the key is that of {holder.name}"
        )


def check_reads(holder: KeyHolder, participant: str) -> None:
    """Refuses to show what is somebody else's."""
    if not holder.may_see(participant):
        raise refuse(
            Reason.UNAUTHORISED, f"that is of {participant}, and the key is that of {holder.name}"
        )
