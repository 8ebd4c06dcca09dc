"""A bundle: many byte strings in one, each with its Keccak in front, and each to be had alone.

The digests come first, so that reading one item, and proving that it is the one that a block header
commits to, touches the digests and that item only.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from eth_hash.auto import keccak

from ledger.chain.errors import StorageError

_HEAD_BYTES: Final = 4
_DIGEST_BYTES: Final = 32
_END_BYTES: Final = 4

Slice = Callable[[int, int], bytes]
"""Reads so many bytes from an offset."""

Damaged = Callable[[str], StorageError]
"""Makes the error that says what is wrong."""


def pack(items: Sequence[bytes], digests: Sequence[bytes]) -> bytes:
    """A bundle: how many items, their digests, where each ends, the items."""
    ends = np.cumsum([len(item) for item in items], dtype=np.uint64)
    assert not items or ends[-1] < 1 << 32
    return b"".join(
        (len(items).to_bytes(_HEAD_BYTES, "big"), *digests, ends.astype(">u4").tobytes(), *items)
    )


class Bundle:
    """A packed bundle, read in slices. Every item is checked against its digest."""

    def __init__(self, read: Slice, damaged: Damaged) -> None:
        self._unbounded = read
        self._damaged = damaged
        self._count = int.from_bytes(read(0, _HEAD_BYTES), "big")
        joined = read(_HEAD_BYTES, self._count * _DIGEST_BYTES)
        self._ends_at = _HEAD_BYTES + len(joined)
        self._items_at = self._ends_at + self._count * _END_BYTES
        self.root = keccak(joined)
        self.digests = [joined[i : i + _DIGEST_BYTES] for i in range(0, len(joined), _DIGEST_BYTES)]

    @staticmethod
    def of_bytes(packed: bytes, damaged: Damaged) -> "Bundle":
        """The bundle in a byte string."""
        return Bundle(lambda offset, size: packed[offset : offset + size], damaged)

    @property
    def size(self) -> int:
        """How many bytes all items have together."""
        return self._bounds(self._count - 1)[1] if self._count else 0

    def item(self, position: int) -> bytes:
        """One item. Raises StorageError when it is not the one that its digest stands for."""
        start, end = self._bounds(position)
        item = self._read(self._items_at + start, end - start)
        self._check(position, item)
        return item

    def items(self) -> list[bytes]:
        """All items. Raises StorageError when one is not what its digest stands for."""
        raw_ends = self._read(self._ends_at, self._count * _END_BYTES)
        ends = [0, *np.frombuffer(raw_ends, dtype=">u4").tolist()]
        joined = self._read(self._items_at, ends[-1])
        items = [joined[ends[i] : ends[i + 1]] for i in range(self._count)]
        for position, item in enumerate(items):
            self._check(position, item)
        return items

    def _read(self, offset: int, size: int) -> bytes:
        found = self._unbounded(offset, size)
        if len(found) != size:
            raise self._damaged("its body is cut short")
        return found

    def _bounds(self, position: int) -> tuple[int, int]:
        if not 0 <= position < self._count:
            raise self._damaged(f"it has no transaction {position}")
        first = max(position - 1, 0)
        raw = self._read(self._ends_at + first * _END_BYTES, (position - first + 1) * _END_BYTES)
        ends = np.frombuffer(raw, dtype=">u4").tolist()
        return (ends[0] if position else 0), ends[-1]

    def _check(self, position: int, item: bytes) -> None:
        if keccak(item) != self.digests[position]:
            raise self._damaged(f"item {position} of its body is not the one that was stored")
