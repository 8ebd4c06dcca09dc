"""Creation of the contracts, in their order, and where they are."""

from collections.abc import Sequence
from dataclasses import dataclass

from web3 import Web3

from contracts.abi import Array, address_word, encode_arguments, text_word, uint
from contracts.artifacts import artifact
from contracts.clients.inclusion import Inclusion
from contracts.clients.participants import Participants
from contracts.clients.registers import Cash, Securities
from contracts.clients.settlement import Settlement


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the contracts of one consortium are."""

    participants: bytes
    securities: bytes
    cash: bytes
    settlement: bytes
    inclusion: bytes


class Contracts:
    """Clients for the contracts of one consortium."""

    def __init__(self, w3: Web3, addresses: Addresses) -> None:
        self.addresses = addresses
        self.participants = Participants(w3, addresses.participants)
        self.securities = Securities(w3, addresses.securities)
        self.cash = Cash(w3, addresses.cash)
        self.settlement = Settlement(w3, addresses.settlement)
        self.inclusion = Inclusion(w3, addresses.inclusion)


def participants_init_code() -> bytes:
    """What creates the register of participants."""
    return _bytecode("Participants")


def securities_init_code(participants: bytes) -> bytes:
    """What creates the securities register."""
    return _bytecode("Securities") + encode_arguments([address_word(participants)])


def cash_init_code(participants: bytes, currencies: Sequence[str]) -> bytes:
    """What creates the cash register of some currencies, numbered from 1 in this order."""
    codes = Array.of([text_word(currency) for currency in currencies])
    return _bytecode("Cash") + encode_arguments([address_word(participants), codes])


def settlement_init_code(
    participants: bytes, securities: bytes, cash: bytes, rule_version: int
) -> bytes:
    """What creates the settlement contract."""
    arguments = [address_word(each) for each in (participants, securities, cash)]
    return _bytecode("Settlement") + encode_arguments([*arguments, uint(rule_version)])


def inclusion_init_code(settlement: bytes) -> bytes:
    """What creates the contract that says what is in a settled cycle."""
    return _bytecode("Inclusion") + encode_arguments([address_word(settlement)])


def _bytecode(name: str) -> bytes:
    return bytes.fromhex(artifact(name).bytecode.removeprefix("0x"))
