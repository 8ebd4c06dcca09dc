"""Trades as they are kept and as they travel: packed, encoded, hashed.

Packed columns are as narrow as they go, which makes them a quarter of the size. The same trades are
always encoded the same, and the hash is over the encoding:

    count | base and width of each column | values of each column

Numbers are little-endian, of eight bytes; a width is one byte. Values begin at multiples of eight.
They are not compressed: that took longer than writing what it saved.
"""

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ledger.clearing.columns import COLUMN_NAMES, Column, TradeColumns

Narrow: TypeAlias = NDArray[np.integer[Any]]

_WIDEST: Final = int(np.iinfo(np.int64).max)
_NARROW_KINDS: Final = (np.uint8, np.uint16, np.uint32)
_WIDEST_BY_KIND: Final = {kind: int(np.iinfo(kind).max) for kind in _NARROW_KINDS}
_DTYPE_BY_WIDTH: Final = {
    np.dtype(kind).itemsize: np.dtype(kind).newbyteorder("<") for kind in (*_NARROW_KINDS, np.int64)
}
_HEADER: Final = struct.Struct("<Q" + "qB" * len(COLUMN_NAMES))
_ALIGNMENT: Final = 8


class RecordError(ValueError):
    """A record is not what its hash says, or no record of trades at all."""


@dataclass(frozen=True, slots=True)
class PackedTrades:
    """Trades as columns as narrow as they go: a base each, and how far each value is above it.

    Width and base follow from the values alone, so the same trades are always packed the same.
    """

    count: int
    bases: Mapping[str, int]
    columns: Mapping[str, Narrow]

    def __len__(self) -> int:
        return self.count

    @staticmethod
    def of(trades: TradeColumns) -> "PackedTrades":
        """The trades, packed."""
        bases, columns = {}, {}
        for name, column in trades.columns().items():
            bases[name], columns[name] = _narrowed(column)
        return PackedTrades(len(trades), bases, columns)

    def encoded(self) -> bytes:
        """What is written down of them, and hashed."""
        words = [self.count]
        for name, column in self.columns.items():
            words += [self.bases[name], column.itemsize]
        parts: list[bytes | memoryview] = [_HEADER.pack(*words), _padding(_HEADER.size)]
        for column in self.columns.values():
            little = np.ascontiguousarray(column, dtype=_DTYPE_BY_WIDTH[column.itemsize])
            parts += [little.data, _padding(little.nbytes)]
        return b"".join(parts)

    def is_sound(self) -> bool:
        """Whether there are trades, and all their numbers are of 63 bits and none below zero."""
        return self.count > 0 and all(map(_fits, self.bases.values(), self.columns.values()))

    def take(self, rows: Column | slice) -> "PackedTrades":
        """Some of the trades, as wide as they are here."""
        columns = {name: _taken(column, rows) for name, column in self.columns.items()}
        return PackedTrades(len(columns["numbers"]), self.bases, columns)

    def unpacked(self) -> TradeColumns:
        """The trades."""
        trades = room_for(self.count)
        self.unpack_into(trades, slice(None))
        return trades

    def unpack_into(self, trades: TradeColumns, rows: Column | slice) -> None:
        """Writes the trades over some rows of others."""
        for name, column in self.columns.items():
            base, target = self.bases[name], getattr(trades, name)
            if isinstance(rows, slice):
                np.add(column, np.int64(base), out=target[rows], dtype=np.int64)
            else:
                target[rows] = np.add(column, np.int64(base), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class TradeRecord:
    """Trades as they were written down once: whoever holds it can check it."""

    count: int
    content_hash: bytes
    payload: bytes

    @staticmethod
    def of(packed: PackedTrades) -> "TradeRecord":
        """The record of some trades."""
        payload = packed.encoded()
        return TradeRecord(packed.count, hashlib.sha256(payload).digest(), payload)

    def checked(self) -> PackedTrades:
        """The trades. Raises RecordError when the hash or the count is of others."""
        if hashlib.sha256(self.payload).digest() != self.content_hash:
            raise RecordError("the trades of a record are not those of its hash")
        packed = decode(self.payload)
        if packed.count != self.count:
            raise RecordError(f"a record of {packed.count} trades, not of {self.count}")
        return packed


def decode(payload: bytes) -> PackedTrades:
    """The trades of an encoding. Raises RecordError when it is none."""
    if len(payload) < _HEADER.size:
        raise RecordError("no record of trades: too short")
    count, *words = _HEADER.unpack_from(payload)
    bases, widths = words[::2], words[1::2]
    if not all(width in _DTYPE_BY_WIDTH for width in widths):
        raise RecordError("a column of a record is of a width that there is not")
    if not all(abs(base) <= _WIDEST for base in bases):
        raise RecordError("a base of a record has more than 63 bits")
    sizes = [_HEADER.size, *(count * width for width in widths)]
    starts = list(accumulate(_aligned(size) for size in sizes))
    if starts[-1] != len(payload):
        raise RecordError(f"no record of {count} trades: it has {len(payload)} bytes")
    columns = (
        np.frombuffer(payload, _DTYPE_BY_WIDTH[width], count, start)
        for width, start in zip(widths, starts, strict=False)
    )
    return PackedTrades(
        count,
        dict(zip(COLUMN_NAMES, bases, strict=True)),
        dict(zip(COLUMN_NAMES, columns, strict=True)),
    )


def content_hash(trades: TradeColumns) -> bytes:
    """SHA-256 over the trades, in order, as they would be written down."""
    return hashlib.sha256(PackedTrades.of(trades).encoded()).digest()


def room_for(count: int) -> TradeColumns:
    """Columns of so many trades, for values to be written into."""
    return TradeColumns(*(np.empty(count, dtype=np.int64) for _ in COLUMN_NAMES))


def _taken(column: Narrow, rows: Column | slice) -> Narrow:
    if isinstance(rows, slice):
        return column[rows]
    # Of a column with one value for all there is nothing to look up.
    return column[rows] if column.any() else np.zeros(len(rows), dtype=column.dtype)


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def _padding(size: int) -> bytes:
    return bytes(_aligned(size) - size)


def _fits(base: int, column: Narrow) -> bool:
    """Whether all values are whole numbers of 63 bits, none below zero."""
    low, high = int(column.min()), int(column.max())
    return base + low >= 0 and base + high <= _WIDEST


def _narrowed(column: Column) -> tuple[int, Narrow]:
    """A base, and what each value is above it."""
    if not len(column):
        return 0, column
    base, last = int(column.min()), int(column.max())
    for kind, widest in _WIDEST_BY_KIND.items():
        if last - base <= widest:
            # Cut first, then taken away: in so many bits the difference is the same.
            narrow: Narrow = column.astype(kind)
            return base, np.subtract(narrow, kind(base & widest), out=narrow) if base else narrow
    return 0, column
