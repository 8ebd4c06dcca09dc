"""Names for what is only numbers and addresses on the chain. Nothing here fails on a stranger."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Final

from eth_typing import ChecksumAddress, HexStr
from web3 import Web3

from contracts.decoding import DecodedEvent, decode_log, topics_of
from contracts.deployment import Addresses
from ledger.domain.accounts import participant_of
from ledger.domain.amounts import format_amount, grouped
from nodes.clearing_house.cycle import cycle_id
from nodes.network import Network
from nodes.validators import DEPLOYER

CYCLES_AHEAD_MAX: Final = 1_024
"""How many cycles in a row may have been abandoned before one that settled."""

SECURITIES: Final = "Securities"
CASH: Final = "Cash"


class Names:
    """The names of one network on one chain."""

    def __init__(self, network: Network, w3: Web3, addresses: Addresses) -> None:
        self.network = network
        self._w3 = w3
        self._addresses = addresses
        self._contract_by_address = {
            addresses.participants: "Participants",
            addresses.securities: SECURITIES,
            addresses.cash: CASH,
            addresses.settlement: "Settlement",
            addresses.inclusion: "Inclusion",
        }
        self._cycle_by_id: dict[bytes, int] = {}
        self._last_known_cycle = 0

    def contract(self, address: bytes | None) -> str:
        """The contract at an address; empty when it is none of ours."""
        return self._contract_by_address.get(address or b"", "")

    def holder(self, address: bytes) -> str:
        """Who signs with an address, or which contract it is; else the address in hex."""
        known = self._holder_by_address.get(address) or self.contract(address)
        return known or "0x" + address.hex()

    def participant(self, number: int) -> str:
        """The participant of a number on the chain."""
        known = 0 < number <= len(self.network.participants)
        return self.network.participant_id(number) if known else f"participant {number}"

    def account(self, number: int) -> str:
        """The account of a number on the chain."""
        try:
            return self.network.account_id(number)
        except KeyError:
            return f"{self.participant(participant_of(number))}/{number & 0xFF}"

    def asset(self, register: str, number: int) -> str:
        """What people call an asset of a register: a symbol or a currency."""
        if register == CASH:
            known = 0 < number <= len(self.network.currencies)
            return self.network.currency(number) if known else f"currency {number}"
        known = 0 < number <= len(self.network.instruments)
        return self.network.instrument(number).symbol if known else f"instrument {number}"

    def amount(self, register: str, asset: int, amount: int) -> str:
        """A signed amount of an asset as decimal text."""
        known = 0 < asset <= len(self.network.currencies)
        if register == CASH and known:
            return format_amount(amount, self.network.currency(asset))
        return str(amount)

    def amount_of(self, register: str, asset: int, amount: int) -> str:
        """An amount and its asset, for people: ``100 NOVA1``, ``CNY 1,050.00``."""
        text, name = grouped(self.amount(register, asset, amount)), self.asset(register, asset)
        return f"{name} {text}" if register == CASH else f"{text} {name}"

    def cycle_id(self, number: int) -> bytes:
        """The id under which a cycle settles."""
        return cycle_id(self.network.chain_id, self._addresses.settlement, number)

    def cycle(self, id: bytes) -> int | None:
        """The number of the cycle of an id; None when it is not one of this clearing house's."""
        end = self._last_known_cycle + CYCLES_AHEAD_MAX
        for number in range(len(self._cycle_by_id) + 1, end + 1):
            self._cycle_by_id[self.cycle_id(number)] = number
        found = self._cycle_by_id.get(id)
        self._last_known_cycle = max(self._last_known_cycle, found or 0)
        return found

    def time(self, seconds: int) -> str:
        """A time of the chain; the number itself when it is beyond the calendar."""
        try:
            moment = datetime.fromtimestamp(seconds, UTC)
        except (ValueError, OverflowError, OSError):
            return str(seconds)
        return moment.strftime("%Y-%m-%d %H:%M:%S UTC")

    @cached_property
    def _holder_by_address(self) -> Mapping[bytes, str]:
        """Who was admitted under which address, as the participants contract has logged it."""
        holders: dict[bytes, str] = {}
        for event in self._events("Admitted"):
            holders[_address_bytes(event["signer"])] = event["identifier"]
        for event in self._events("AdministrationRenounced"):
            holders.setdefault(_address_bytes(event["administrator"]), DEPLOYER)
        return holders

    def _events(self, name: str) -> list[DecodedEvent]:
        logs = self._w3.eth.get_logs(
            {
                "fromBlock": 0,
                "toBlock": "latest",
                "address": checksum(self._addresses.participants),
                "topics": [[to_hex(topic) for topic in topics_of(name)]],
            }
        )
        found = (
            decode_log("Participants", [bytes(t) for t in log["topics"]], bytes(log["data"]))
            for log in logs
        )
        return [event for event in found if event is not None]


def checksum(address: bytes) -> ChecksumAddress:
    """An address as web3 wants it."""
    return Web3.to_checksum_address(address)


def to_hex(value: bytes) -> HexStr:
    """Bytes as JSON-RPC writes them."""
    return HexStr("0x" + value.hex())


def _address_bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
