"""Where logs are found: 64-bit keys of addresses and topics, to blocks and transactions.

The index only narrows a search down; what is returned is read from the receipts and compared in
full. Addresses and first topics (which event) are indexed a block, the rarer other topics (which
instruction, which account) a transaction, so that a block of a thousand settlements of one contract
has a thousand rows and not nine thousand.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.chain.blocks import Log, Receipt

WHOLE_BLOCK: Final = -1
_KEY_BYTES: Final = 8
PLACES: Final = 4
NO_END: Final = 1 << 63
"""A ``to_block`` above all blocks."""


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which logs are meant: any of the addresses and, per place, of the topics; empty is all."""

    from_block: int
    to_block: int
    addresses: tuple[bytes, ...] = ()
    topics: tuple[tuple[bytes, ...], ...] = ()

    def fits(self, log: Log) -> bool:
        """Whether a log is meant."""
        if self.addresses and log.address not in self.addresses:
            return False
        if len(self.topics) > len(log.topics):
            return False
        return all(
            not allowed or topic in allowed
            for allowed, topic in zip(self.topics, log.topics, strict=False)
        )

    def keys_by_block(self) -> list[list[int]]:
        """Alternatives of which a block must have one each: addresses, first topics."""
        first_topics = self.topics[0] if self.topics else ()
        wanted = [self.addresses, first_topics]
        return [[key_of(value) for value in values] for values in wanted if values]

    def keys_by_transaction(self) -> list[list[int]]:
        """Alternatives of which a transaction must have one each: later topics."""
        return [[key_of(value) for value in values] for values in self.topics[1:] if values]


def index_rows(receipts: Sequence[Receipt]) -> Iterator[tuple[int, int]]:
    """The rows (key, position) of a block's logs; the position may be WHOLE_BLOCK."""
    block_wide: set[bytes] = set()
    for position, receipt in enumerate(receipts):
        own: set[bytes] = set()
        for log in receipt.logs:
            block_wide.add(log.address)
            block_wide.update(log.topics[:1])
            own.update(log.topics[1:])
        yield from ((key_of(value), position) for value in own)
    yield from ((key_of(value), WHOLE_BLOCK) for value in block_wide)


def key_of(value: bytes) -> int:
    """The index key of an address, topic or hash: its last eight bytes as a signed integer."""
    return int.from_bytes(value[-_KEY_BYTES:], "big", signed=True)
