"""Trades as they are kept and as they travel: packed, hashed, encoded.

Packed columns are as narrow as they go, which makes them a quarter of the size. The hash is over
the packed columns and not over their encoding. The encoding is an Arrow stream, compressed.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ledger.clearing.columns import COLUMN_NAMES, Column, TradeColumns

Narrow: TypeAlias = NDArray[np.integer[Any]]

# On one thread: handing a few kilobytes to a pool costs more than compressing them.
_WRITING: Final = pa.ipc.IpcWriteOptions(compression=pa.Codec("lz4"), use_threads=False)
_READING: Final = pa.ipc.IpcReadOptions(use_threads=False)
_WIDEST: Final = int(np.iinfo(np.int64).max)
_NARROW_KINDS: Final = (np.uint8, np.uint16, np.uint32)
_WIDEST_BY_KIND: Final = {kind: int(np.iinfo(kind).max) for kind in _NARROW_KINDS}


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

    def content_hash(self) -> bytes:
        """SHA-256 over the count, and base, width and values of each column, little-endian."""
        digest = hashlib.sha256(self.count.to_bytes(8, "little"))
        for name, column in self.columns.items():
            digest.update(self.bases[name].to_bytes(8, "little", signed=True))
            digest.update(bytes([column.itemsize]))
            digest.update(np.ascontiguousarray(column, dtype=column.dtype.newbyteorder("<")).data)
        return digest.digest()

    def encoded(self) -> bytes:
        """An Arrow stream, compressed; the bases are metadata of the schema."""
        bases = {name: str(base) for name, base in self.bases.items()}
        table = pa.table(dict(self.columns)).replace_schema_metadata(bases)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema, options=_WRITING) as writer:
            writer.write_table(table)
        return sink.getvalue().to_pybytes()  # type: ignore[no-any-return] # pyarrow ships no types

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
        return TradeRecord(packed.count, packed.content_hash(), packed.encoded())

    def checked(self) -> PackedTrades:
        """The trades. Raises RecordError when the hash or the count is of others."""
        packed = decode(self.payload)
        if (packed.count, packed.content_hash()) != (self.count, self.content_hash):
            raise RecordError("the trades of a record are not those of its hash")
        return packed


def decode(payload: bytes) -> PackedTrades:
    """The trades of an encoding. Raises RecordError when it is none."""
    try:
        table = pa.ipc.open_stream(payload, options=_READING).read_all()
    except (pa.ArrowException, OSError) as error:
        raise RecordError(f"no record of trades: {error}") from error
    if tuple(table.column_names) != COLUMN_NAMES:
        raise RecordError("a record with other columns than trades have")
    metadata = table.schema.metadata or {}
    columns = {name: _narrow_column(table.column(name)) for name in COLUMN_NAMES}
    try:
        bases = {name: int(metadata.get(name.encode(), 0)) for name in COLUMN_NAMES}
    except ValueError as error:
        raise RecordError(f"a base of a record is no number: {error}") from error
    if not all(abs(base) <= _WIDEST for base in bases.values()):
        raise RecordError("a base of a record has more than 63 bits")
    return PackedTrades(table.num_rows, bases, columns)


def content_hash(trades: TradeColumns) -> bytes:
    """SHA-256 over the trades, in order, whatever their encoding."""
    return PackedTrades.of(trades).content_hash()


def room_for(count: int) -> TradeColumns:
    """Columns of so many trades, for values to be written into."""
    return TradeColumns(*(np.empty(count, dtype=np.int64) for _ in COLUMN_NAMES))


def _taken(column: Narrow, rows: Column | slice) -> Narrow:
    if isinstance(rows, slice):
        return column[rows]
    # Of a column with one value for all there is nothing to look up.
    return column[rows] if column.any() else np.zeros(len(rows), dtype=column.dtype)


def _narrow_column(column: Any) -> Narrow:  # noqa: ANN401 # pyarrow ships no types
    if not pa.types.is_integer(column.type) or column.null_count:
        raise RecordError("a column of a record is not of whole numbers")
    narrow: Narrow = column.to_numpy()
    return narrow


def _fits(base: int, column: Narrow) -> bool:
    """Whether all values are whole numbers of 63 bits, none below zero."""
    low, high = int(column.min()), int(column.max())
    return column.dtype != np.uint64 and base + low >= 0 and base + high <= _WIDEST


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
