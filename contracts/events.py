"""The contracts' events, from logs to typed values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from eth_hash.auto import keccak

from contracts.abi import number_of, split_words, text_of, topic
from contracts.lines import Lines
from contracts.moves import Moves, settled_in_set


@dataclass(frozen=True, slots=True)
class AssetRegistered:
    """An asset got its number."""

    asset: int
    code: str


@dataclass(frozen=True, slots=True)
class Issued:
    """Amounts were created."""

    reference: bytes
    lines: Lines


@dataclass(frozen=True, slots=True)
class Redeemed:
    """An amount was destroyed."""

    reference: bytes
    asset: int
    account: int
    amount: int


@dataclass(frozen=True, slots=True)
class Held:
    """An amount moved from available to held."""

    asset: int
    account: int
    amount: int


@dataclass(frozen=True, slots=True)
class Released:
    """An amount moved from held to available."""

    asset: int
    account: int
    amount: int


@dataclass(frozen=True, slots=True)
class Transferred:
    """An amount moved between two accounts."""

    reference: bytes
    asset: int
    debtor: int
    creditor: int
    amount: int


@dataclass(frozen=True, slots=True)
class Moved:
    """Amounts moved between accounts, all at once."""

    reference: bytes
    moves: Moves


@dataclass(frozen=True, slots=True)
class Booked:
    """The net lines of a cycle were booked."""

    reference: bytes
    lines: Lines


@dataclass(frozen=True, slots=True)
class Staged:
    """Net lines of a cycle: their debits were earmarked, and nothing else has happened yet."""

    reference: bytes
    lines: Lines


@dataclass(frozen=True, slots=True)
class StagedBooked:
    """All staged lines of a cycle count from here."""

    reference: bytes


@dataclass(frozen=True, slots=True)
class StagedDropped:
    """What was staged of a cycle never happens; what it earmarked is available again."""

    reference: bytes


@dataclass(frozen=True, slots=True)
class CycleSettled:
    """A netted cycle settled; ``digest`` is what its parties signed."""

    id: bytes
    digest: bytes
    root: bytes
    count: int
    rule_version: int


@dataclass(frozen=True, slots=True)
class InstructionSettled:
    """An instruction settled; ``terms_hash`` is that of its message."""

    id: bytes
    terms_hash: bytes


@dataclass(frozen=True, slots=True)
class SetSettled:
    """A set of instructions settled; ``digest`` is what its parties signed.

    ``settled`` are the instructions: id, and hash of the terms.
    """

    id: bytes
    digest: bytes
    settled: tuple[tuple[bytes, bytes], ...]


HoldingEvent: TypeAlias = Issued | Redeemed | Held | Released | Transferred | Moved | Booked
StagedEvent: TypeAlias = Staged | StagedBooked | StagedDropped
SettledEvent: TypeAlias = CycleSettled | InstructionSettled | SetSettled
Event: TypeAlias = HoldingEvent | StagedEvent | AssetRegistered | SettledEvent

_LINES_OFFSET: Final = 64
_PACKED_OFFSET: Final = 96


def decode_event(topics: Sequence[bytes], data: bytes) -> Event | None:
    """The event in a log of the registers or the settlement contract; None for any other."""
    decoder = _DECODERS.get(topics[0]) if topics else None
    return decoder(topics, data) if decoder else None


def _numbers(data: bytes) -> list[int]:
    return [number_of(word) for word in split_words(data)]


_DECODERS: Final[Mapping[bytes, Callable[[Sequence[bytes], bytes], Event]]] = {
    topic("AssetRegistered(uint256,bytes32)"): lambda topics, data: AssetRegistered(
        number_of(topics[1]), text_of(data)
    ),
    topic("Issued(bytes32,uint256[])"): lambda topics, data: Issued(
        topics[1], Lines.unpack(data[_LINES_OFFSET:])
    ),
    topic("Redeemed(bytes32,uint256,uint256,uint256)"): lambda topics, data: Redeemed(
        topics[1], *_numbers(data)
    ),
    topic("Held(uint256,uint256,uint256)"): lambda topics, data: Held(*_numbers(data)),
    topic("Released(uint256,uint256,uint256)"): lambda topics, data: Released(*_numbers(data)),
    topic("Transferred(bytes32,uint256,uint256,uint256,uint256)"): lambda topics, data: Transferred(
        topics[1], *_numbers(data)
    ),
    topic("Moved(bytes32,uint256[])"): lambda topics, data: Moved(
        topics[1], Moves.unpack(data[_LINES_OFFSET:])
    ),
    topic("Booked(bytes32,uint256[])"): lambda topics, data: Booked(
        topics[1], Lines.unpack(data[_LINES_OFFSET:])
    ),
    topic("Staged(bytes32,uint256[])"): lambda topics, data: Staged(
        topics[1], Lines.unpack(data[_LINES_OFFSET:])
    ),
    topic("StagedBooked(bytes32)"): lambda topics, _: StagedBooked(topics[1]),
    topic("StagedDropped(bytes32)"): lambda topics, _: StagedDropped(topics[1]),
    topic("CycleSettled(bytes32,bytes32,bytes32,uint256,uint256)"): lambda topics, data: (
        CycleSettled(
            topics[1], data[:32], data[32:64], number_of(data[64:96]), number_of(data[96:128])
        )
    ),
    topic(
        "InstructionSettled(bytes32,uint256,uint256,uint256,uint256,uint256,uint256)"
    ): lambda topics, data: InstructionSettled(topics[1], keccak(topics[1] + data)),
    topic("SetSettled(bytes32,bytes32,uint256[2][])"): lambda topics, data: SetSettled(
        topics[1], data[:32], settled_in_set(data[_PACKED_OFFSET:])
    ),
}
