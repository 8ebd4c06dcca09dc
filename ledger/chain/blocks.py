"""Blocks, receipts and logs, and the digests that bind them together.

The header is encoded and hashed as an Ethereum header of the Cancun rules, so that standard tools
read it. What its three roots commit to is ours, and cheaper than a Merkle-Patricia trie:

- the transactions root is the Keccak of all transaction hashes in order;
- the receipts root is the Keccak of all receipt digests in order (status, gas, output, logs);
- the state root is a chain: the Keccak of the parent's state root and of this block's state changes
  (ledger/chain/state.py). Two replicas with the same state root made the same changes from genesis
  on; at checkpoints it covers the whole state besides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import rlp
from eth_hash.auto import keccak

_EMPTY_LIST_HASH: Final = keccak(rlp.encode([]))
_EMPTY_TRIE_HASH: Final = keccak(rlp.encode(b""))
_BLOOM_BYTES: Final = 256
_ENCODER: Final = msgspec.msgpack.Encoder()
ZERO_HASH: Final = bytes(32)


class Log(msgspec.Struct, frozen=True, array_like=True):
    """One event of a contract."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


class Receipt(msgspec.Struct, frozen=True, array_like=True):
    """What became of a transaction. ``output`` is the return or revert data."""

    succeeded: bool
    gas_used: int
    output: bytes
    logs: tuple[Log, ...]
    contract: bytes | None = None


class PlacedReceipt(msgspec.Struct, frozen=True, array_like=True):
    """A receipt in its block: gas used up to and with it, and how many logs came before."""

    receipt: Receipt
    cumulative_gas: int
    first_log_index: int

    def encode(self) -> bytes:
        """The receipt as it is stored and committed to: MessagePack, its fields in order."""
        return _ENCODER.encode(self)

    @staticmethod
    def decode(encoded: bytes) -> "PlacedReceipt":
        """The receipt that ``encode`` wrote."""
        return _RECEIPT_DECODER.decode(encoded)


def place(receipts: Sequence[Receipt]) -> list[PlacedReceipt]:
    """The receipts of a block, in order, each with its place."""
    placed, gas, logs = [], 0, 0
    for receipt in receipts:
        gas += receipt.gas_used
        placed.append(PlacedReceipt(receipt, gas, logs))
        logs += len(receipt.logs)
    return placed


_RECEIPT_DECODER: Final = msgspec.msgpack.Decoder(PlacedReceipt)


@dataclass(frozen=True, slots=True)
class Header:
    """The head of a block. ``timestamp`` is in seconds of chain time."""

    number: int
    parent_hash: bytes
    timestamp: int
    proposer: bytes
    gas_limit: int
    gas_used: int
    transactions_root: bytes
    receipts_root: bytes
    state_root: bytes
    logs_bloom: bytes

    def encode(self) -> bytes:
        """The RLP of the header, as of the Cancun rules, with all fees zero."""
        fields = [
            self.parent_hash,
            _EMPTY_LIST_HASH,
            self.proposer,
            self.state_root,
            self.transactions_root,
            self.receipts_root,
            self.logs_bloom,
            0,
            self.number,
            self.gas_limit,
            self.gas_used,
            self.timestamp,
            b"novate",
            ZERO_HASH,
            bytes(8),
            0,
            _EMPTY_TRIE_HASH,
            0,
            0,
            ZERO_HASH,
        ]
        return bytes(rlp.encode(fields))

    def hash(self) -> bytes:
        """The block hash: the Keccak of the encoded header."""
        return keccak(self.encode())

    @staticmethod
    def decode(encoded: bytes) -> "Header":
        """The header that ``encode`` wrote."""
        fields = rlp.decode(encoded)
        return Header(
            number=int.from_bytes(fields[8], "big"),
            parent_hash=fields[0],
            timestamp=int.from_bytes(fields[11], "big"),
            proposer=fields[2],
            gas_limit=int.from_bytes(fields[9], "big"),
            gas_used=int.from_bytes(fields[10], "big"),
            transactions_root=fields[4],
            receipts_root=fields[5],
            state_root=fields[3],
            logs_bloom=fields[6],
        )


def body_roots(encoded: bytes) -> tuple[bytes, bytes]:
    """The transactions root and the receipts root in an encoded header.

    Every field before them has a fixed size, so they always stand at the same place.
    """
    return encoded[124:156], encoded[157:189]


def transactions_root(hashes: Sequence[bytes]) -> bytes:
    """The commitment to the transactions of a block, in order."""
    return keccak(b"".join(hashes))


def receipts_root(digests: Sequence[bytes]) -> bytes:
    """The commitment to the receipts of a block: to the Keccak of each, encoded, in order."""
    return keccak(b"".join(digests))


def logs_bloom(receipts: Sequence[Receipt]) -> bytes:
    """The 2,048-bit filter of addresses and topics, as in the Yellow Paper."""
    items = {
        item for receipt in receipts for log in receipt.logs for item in (log.address, *log.topics)
    }
    bloom = 0
    for item in items:
        digest = keccak(item)
        for i in (0, 2, 4):
            bloom |= 1 << (int.from_bytes(digest[i : i + 2], "big") & 2047)
    return bloom.to_bytes(_BLOOM_BYTES, "big")
