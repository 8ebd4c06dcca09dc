"""Notices: signed settlements, told to those who keep accounts or are concerned.

Whoever cannot be reached, or does not take the notice, misses it and shows a break: one recipient
never keeps the others from settling.
"""

import logging
from collections.abc import Iterable

from ledger.domain.accounts import participant_of
from ledger.domain.participants import Role
from nodes.bus import UnreachableError
from nodes.messages import Message, SignedCycle, SignedSet
from nodes.node import Node

logger = logging.getLogger(__name__)


def tell_keepers(sender: Node, cycle: SignedCycle) -> None:
    """Tells all banks and the registrar of a signed cycle."""
    keepers = [p.id for p in sender.network.participants if p.role in (Role.BANK, Role.REGISTRAR)]
    _tell(sender, keepers, cycle)


def tell_concerned(sender: Node, signed: SignedSet) -> None:
    """Tells all sides of a signed set, their banks and the registrar."""
    accounts = [a for each in signed.set.instructions for a in (each.deliverer, each.receiver)]
    _tell(sender, _concerned(sender, accounts), signed)


def _concerned(sender: Node, accounts: Iterable[int]) -> list[str]:
    network = sender.network
    owners = {network.participant_id(number) for number in set(map(participant_of, accounts))}
    banks = {network.participant(owner).settlement_bank for owner in owners} - {None}
    return sorted(owners | {bank for bank in banks if bank} | {network.sole(Role.REGISTRAR)})


def _tell(sender: Node, recipients: Iterable[str], message: Message) -> None:
    for recipient in recipients:
        try:
            sender.around.bus.request(sender.id, recipient, message)
        except UnreachableError:
            continue
        except PermissionError as refusal:
            logger.warning("%s did not take a %s: %s", recipient, type(message).__name__, refusal)
