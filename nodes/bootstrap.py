"""Bootstrap: from a network on paper to contracts on the chain and roles in the right hands.

A deployer key creates the contracts, admits the founding participants and gives its power up. Every
step is a transaction of an outbox, so a bootstrap that was cut off is simply run again.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from web3 import Web3

from contracts import deployment
from contracts.clients.participants import ADMISSIONS_PER_CALL_MAX, Admission
from contracts.clients.registers import ASSETS_PER_CALL_MAX
from contracts.deployment import Addresses, Contracts
from nodes.keys import Key
from nodes.network import RULE_VERSION, Network
from nodes.outbox import Outbox

T = TypeVar("T")


class BootstrapError(Exception):
    """A step was refused; the chain is not usable for this network."""


def deploy(
    network: Network, w3: Web3, outbox: Outbox, key_by_id: Callable[[str], Key]
) -> Contracts:
    """Creates the contracts, admits the participants, and renounces. Safe to run again.

    ``key_by_id`` gives the key that a participant signs with.
    """
    addresses = _create(network, outbox)
    contracts = Contracts(w3, addresses)
    for register in (contracts.securities, contracts.cash):
        data = register.bind_settlement_data(addresses.settlement)
        _do(outbox, f"bind:{register.address.hex()}", register.address, data)
    admissions = [
        _admission(network, participant.id, key_by_id(participant.id).address)
        for participant in network.participants
    ]
    for i, part in enumerate(parts(admissions, ADMISSIONS_PER_CALL_MAX)):
        data = contracts.participants.admit_data(part)
        _do(outbox, f"admit:{i}", addresses.participants, data)
    data = contracts.participants.renounce_administration_data()
    _do(outbox, "renounce", addresses.participants, data)
    return contracts


def register_instruments(network: Network, contracts: Contracts, registrar: Outbox) -> None:
    """Numbers the network's instruments. Safe to run again."""
    isins = [instrument.isin for instrument in network.instruments]
    for i, part in enumerate(parts(isins, ASSETS_PER_CALL_MAX)):
        data = contracts.securities.register_instruments_data(part)
        _do(registrar, f"instruments:{i}", contracts.securities.address, data)


def check_numbers(network: Network, contracts: Contracts) -> None:
    """Raises BootstrapError unless the chain numbers everything as the network does."""
    last = len(network.participants)
    if contracts.participants.count() != last:
        raise BootstrapError("the chain has other participants than the network")
    for number in {1, last}:
        if contracts.participants.identifier_of(number) != network.participant_id(number):
            raise BootstrapError(f"participant {number} is another on the chain")
    if network.instruments:
        isin = network.instruments[-1].isin
        if contracts.securities.asset_of(isin) != network.instrument_number(isin):
            raise BootstrapError(f"{isin} has another number on the chain")


def key_of(network: Network, name: str) -> Key:
    """The sandbox key of a participant or of the deployer."""
    return Key.of_seed(network.seed, name)


def parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Consecutive parts of at most so many items."""
    for first in range(0, len(items), size):
        yield items[first : first + size]


def _create(network: Network, outbox: Outbox) -> Addresses:
    participants = _deploy(outbox, "participants", deployment.participants_init_code())
    securities = _deploy(outbox, "securities", deployment.securities_init_code(participants))
    cash = _deploy(outbox, "cash", deployment.cash_init_code(participants, network.currencies))
    code = deployment.settlement_init_code(participants, securities, cash, RULE_VERSION)
    settlement = _deploy(outbox, "settlement", code)
    inclusion = _deploy(outbox, "inclusion", deployment.inclusion_init_code(settlement))
    return Addresses(participants, securities, cash, settlement, inclusion)


def _deploy(outbox: Outbox, name: str, init_code: bytes) -> bytes:
    outcome = outbox.send(f"deploy:{name}", None, init_code)
    if not outcome.succeeded or outcome.contract is None:
        raise BootstrapError(f"the contract {name} could not be created: {outcome.revert}")
    return outcome.contract


def _do(outbox: Outbox, intent: str, to: bytes, data: bytes) -> None:
    outcome = outbox.send(intent, to, data)
    if not outcome.succeeded:
        raise BootstrapError(f"{intent} was refused: {outcome.revert}")


def _admission(network: Network, participant_id: str, signer: bytes) -> Admission:
    participant = network.participant(participant_id)
    bank = participant.settlement_bank
    return Admission(
        identifier=participant.id,
        signer=signer,
        role=participant.role.value,
        settlement_bank=network.participant_number(bank) if bank else 0,
    )
