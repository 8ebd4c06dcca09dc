"""Notices: signed settlements, told to those who keep accounts or are concerned.

Whoever cannot be reached misses the notice and shows a break until it has caught up.
"""

from collections.abc import Iterable

from ledger.domain.participants import Role
from nodes.bus import UnreachableError
from nodes.messages import Message, SignedCycle, SignedInstruction
from nodes.node import Node


def tell_keepers(sender: Node, cycle: SignedCycle) -> None:
    """Tells all banks and the registrar of a signed cycle."""
    keepers = [p.id for p in sender.network.participants if p.role in (Role.BANK, Role.REGISTRAR)]
    _tell(sender, keepers, cycle)


def tell_concerned(sender: Node, signed: SignedInstruction) -> None:
    """Tells both sides of a signed instruction, their banks and the registrar."""
    network, instruction = sender.network, signed.instruction
    owners = {network.participant_id(a >> 8) for a in (instruction.deliverer, instruction.receiver)}
    banks = {network.participant(owner).settlement_bank for owner in owners} - {None}
    everybody = owners | {bank for bank in banks if bank} | {network.sole(Role.REGISTRAR)}
    _tell(sender, sorted(everybody), signed)


def _tell(sender: Node, recipients: Iterable[str], message: Message) -> None:
    for recipient in recipients:
        try:
            sender.around.bus.request(sender.id, recipient, message)
        except UnreachableError:
            continue
