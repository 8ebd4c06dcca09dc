"""The roots that cycles have settled with, as a chain has them."""

from dataclasses import dataclass

from eth_typing import HexStr
from web3 import Web3

from contracts.abi import topic
from contracts.deployment import Addresses
from contracts.events import CycleSettled, decode_event

_TOPIC = topic("CycleSettled(bytes32,bytes32,bytes32,uint256,uint256)")


@dataclass(frozen=True, slots=True)
class SettledCycle:
    """A cycle as the chain has it."""

    id: bytes
    root: bytes
    count: int
    block: int


def settled_cycles(w3: Web3, addresses: Addresses) -> list[SettledCycle]:
    """Every settled cycle, oldest first, from the events of the settlement contract."""
    logs = w3.eth.get_logs(
        {
            "fromBlock": 0,
            "toBlock": "latest",
            "address": Web3.to_checksum_address(addresses.settlement),
            "topics": [[HexStr("0x" + _TOPIC.hex())]],
        }
    )
    found = []
    for log in logs:
        event = decode_event([bytes(each) for each in log["topics"]], bytes(log["data"]))
        assert isinstance(event, CycleSettled)
        found.append(SettledCycle(event.id, event.root, event.count, log["blockNumber"]))
    return found
