"""Which transaction settled a cycle, a set, or an instruction alone or in a set."""

from typing import Any, Final

from web3 import Web3
from web3.types import LogReceipt

from contracts.decoding import topics_of
from contracts.events import SetSettled, decode_event
from nodes.explorer.names import checksum, to_hex

LOG_BLOCKS_A_CALL: Final = 1_000
_SET_SETTLED: Final = "SetSettled"
_SETTLED: Final = ("CycleSettled", "InstructionSettled", _SET_SETTLED)


class Settlements:
    """What a settlement contract says has settled."""

    def __init__(self, w3: Web3, settlement: bytes) -> None:
        self._w3 = w3
        self._settlement = checksum(settlement)

    def transaction(self, reference: bytes, first: int, last: int) -> bytes | None:
        """The hash of the transaction in blocks from first to last that settled what has this id.

        None when there is none.
        """
        for log in self._logs(_SETTLED, first, last, reference):
            return bytes(log["transactionHash"])
        # What settles in a set has no topic of its own: the set's event names it.
        for start in range(first, last + 1, LOG_BLOCKS_A_CALL):
            end = min(start + LOG_BLOCKS_A_CALL - 1, last)
            for log in self._logs((_SET_SETTLED,), start, end):
                if _has_settled(log, reference):
                    return bytes(log["transactionHash"])
        return None

    def _logs(
        self, names: tuple[str, ...], first: int, last: int, reference: bytes | None = None
    ) -> list[LogReceipt]:
        """Events of some names: of one reference, or all."""
        settled = sorted(topic for name in names for topic in topics_of(name))
        topics: list[Any] = [[to_hex(topic) for topic in settled]]
        if reference is not None:
            topics.append(to_hex(reference))
        return self._w3.eth.get_logs(
            {"fromBlock": first, "toBlock": last, "address": self._settlement, "topics": topics}
        )


def _has_settled(log: LogReceipt, instruction: bytes) -> bool:
    """Whether a set has settled an instruction, as its event says."""
    data = bytes(log["data"])
    if instruction not in data:  # Most sets have not; to look is cheaper than to decode.
        return False
    event = decode_event([bytes(topic) for topic in log["topics"]], data)
    return isinstance(event, SetSettled) and any(id == instruction for id, _ in event.settled)
