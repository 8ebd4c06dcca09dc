"""Blocks, receipts and logs, and the digests that bind them together.

The header is encoded and hashed as an Ethereum header of the Cancun rules, so that standard tools
read it. What its three roots commit to is ours, and cheaper than a Merkle-Patricia trie:

- the transactions root is the Keccak of all transaction hashes in order;
- the receipts root is the Keccak of all receipt digests in order (status, gas, logs);
- the state root is a chain: Keccak of the parent's state root and this block's state changes, in
  canonical order. Two replicas with the same state root made the same changes from genesis on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import rlp
from eth_hash.auto import keccak

_EMPTY_LIST_HASH: Final = keccak(rlp.encode([]))
_EMPTY_TRIE_HASH: Final = keccak(rlp.encode(b""))
_BLOOM_BYTES: Final = 256
ZERO_HASH: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class Log:
    """One event of a contract."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Account:
    """What the chain knows of an address beside its storage. ``code`` is empty for a signer."""

    nonce: int
    code: bytes = b""


@dataclass(frozen=True, slots=True)
class StateChanges:
    """New values of accounts and of storage slots, by address and by (address, slot)."""

    accounts: Mapping[bytes, Account] = field(default_factory=dict)
    storage: Mapping[tuple[bytes, int], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a transaction. ``output`` is the return or revert data."""

    succeeded: bool
    gas_used: int
    output: bytes
    logs: tuple[Log, ...]
    contract: bytes | None = None

    def digest(self) -> bytes:
        """The Keccak of status, gas and logs."""
        logs = [[log.address, list(log.topics), log.data] for log in self.logs]
        return keccak(rlp.encode([int(self.succeeded), self.gas_used, logs]))


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


def transactions_root(hashes: Sequence[bytes]) -> bytes:
    """The commitment to the transactions of a block, in order."""
    return keccak(b"".join(hashes))


def receipts_root(receipts: Sequence[Receipt]) -> bytes:
    """The commitment to the receipts of a block, in order."""
    return keccak(b"".join(receipt.digest() for receipt in receipts))


def state_root(parent_root: bytes, changes: StateChanges) -> bytes:
    """The parent's state root extended by these changes, in canonical order."""
    accounts = [
        [address, account.nonce, keccak(account.code)]
        for address, account in sorted(changes.accounts.items())
    ]
    storage = b"".join(
        address + slot.to_bytes(32, "big") + value.to_bytes(32, "big")
        for (address, slot), value in sorted(changes.storage.items())
    )
    return keccak(parent_root + keccak(rlp.encode(accounts)) + keccak(storage))


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
