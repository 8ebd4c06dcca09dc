"""The state of the chain, what a block changes of it, and the digests of both.

A block's changes are stored in one canonical encoding, which its state root commits to. So a state
can be rebuilt, and proved right, by folding changes, without running a transaction. Every so many
changed slots a block is a *checkpoint*: its state root also commits to the whole state, which is
stored, and from which the next start begins.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
import numpy as np
from eth_hash.auto import keccak

_ADDRESS_BYTES: Final = 20
_WORD_BYTES: Final = 32
_KEY_BYTES: Final = _ADDRESS_BYTES + _WORD_BYTES
_RECORD: Final = np.dtype([("key", f"V{_KEY_BYTES}"), ("value", f"V{_WORD_BYTES}")])
_ZERO_VALUE: Final = np.zeros(1, dtype=f"V{_WORD_BYTES}")[0]

Slot = tuple[bytes, int]
Keys = np.ndarray[tuple[int], np.dtype[np.void]]


class Account(msgspec.Struct, frozen=True, array_like=True):
    """What the chain knows of an address beside its storage. ``code`` is empty for a signer."""

    nonce: int
    code: bytes = b""


@dataclass(frozen=True, slots=True)
class StateChanges:
    """New values of accounts and of storage slots, by address and by (address, slot)."""

    accounts: Mapping[bytes, Account] = field(default_factory=dict)
    storage: Mapping[Slot, int] = field(default_factory=dict)

    def encode(self) -> "EncodedChanges":
        """The canonical encoding: ascending by address, and by address and slot."""
        accounts = msgspec.msgpack.encode(sorted(self.accounts.items()))
        records = sorted(
            address + slot.to_bytes(_WORD_BYTES, "big") + value.to_bytes(_WORD_BYTES, "big")
            for (address, slot), value in self.storage.items()
        )
        return EncodedChanges(accounts, b"".join(records))


class EncodedChanges(msgspec.Struct, frozen=True, array_like=True):
    """State changes as bytes: accounts in MessagePack; slots as address, slot, value (84 bytes)."""

    accounts: bytes
    storage: bytes

    @property
    def slot_count(self) -> int:
        """How many storage slots are written."""
        return len(self.storage) // _RECORD.itemsize

    def digest(self) -> bytes:
        """The Keccak of both parts' Keccaks."""
        return keccak(keccak(self.accounts) + keccak(self.storage))

    def decode(self) -> StateChanges:
        """The changes that were encoded."""
        return StateChanges(dict(self.decode_accounts()), dict(self._slots(self.storage)))

    def in_parts(self, slots: int) -> Iterator[StateChanges]:
        """The same changes, at most so many slots at a time; the accounts come first."""
        yield StateChanges(accounts=dict(self.decode_accounts()))
        size = slots * _RECORD.itemsize
        for start in range(0, len(self.storage), size):
            yield StateChanges(storage=dict(self._slots(self.storage[start : start + size])))

    def decode_accounts(self) -> Sequence[tuple[bytes, Account]]:
        """The accounts that were encoded, ascending by address."""
        return msgspec.msgpack.decode(self.accounts, type=list[tuple[bytes, Account]])

    @staticmethod
    def _slots(records: bytes) -> Iterator[tuple[Slot, int]]:
        for i in range(0, len(records), _RECORD.itemsize):
            slot, value, end = i + _ADDRESS_BYTES, i + _KEY_BYTES, i + _RECORD.itemsize
            yield (
                (records[i:slot], int.from_bytes(records[slot:value], "big")),
                int.from_bytes(records[value:end], "big"),
            )


NO_CHANGES: Final = StateChanges().encode()


def fold(parts: Iterable[EncodedChanges]) -> EncodedChanges:
    """The whole state after these changes, oldest first; slots that hold zero are left out."""
    accounts: dict[bytes, Account] = {}
    records: list[bytes] = []
    for part in parts:
        accounts.update(part.decode_accounts())
        records.append(part.storage)
    table = np.frombuffer(b"".join(records), dtype=_RECORD)
    # Sorting keeps equal keys in order of time, so the last of each run is the present value.
    order = np.argsort(_sortable(table["key"]), kind="stable")
    table = table[order]
    keys = _sortable(table["key"])
    is_last = np.append(keys[1:] != keys[:-1], True)[: len(table)]
    table = table[is_last]
    table = table[table["value"] != _ZERO_VALUE]
    return EncodedChanges(msgspec.msgpack.encode(sorted(accounts.items())), table.tobytes())


def next_state_root(
    parent_root: bytes, changes: EncodedChanges, checkpoint: EncodedChanges | None
) -> bytes:
    """The parent's state root extended by a block's changes, and by the whole state if given."""
    whole = checkpoint.digest() if checkpoint else b""
    return keccak(parent_root + changes.digest() + whole)


def _sortable(keys: Keys) -> "np.ndarray[tuple[int], np.dtype[np.bytes_]]":
    # Equal lengths, so the zero padding that byte strings ignore cannot make two keys equal.
    return np.ascontiguousarray(keys).view(f"S{_KEY_BYTES}")
