"""Streams of trade batches: each batch one durable, content-hashed, columnar record.

The payload is an Arrow stream, compressed; the content hash is over the trades themselves, so that
it does not depend on the encoding. Positions number the trades of a stream from 0.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from threading import RLock
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlalchemy import inspect
from sqlalchemy.orm import defer
from sqlmodel import col, select

from ledger.books.database import Database, UnitOfWork
from ledger.books.tables import BatchRow
from ledger.clearing.columns import COLUMN_NAMES, Column, TradeColumns

RECENT_TRADES_MAX: Final = 100_000
SEGMENT_TRADES_MAX: Final = 50_000
NEVER: Final = 2**62
_OPTIONS = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", compression_level=1))


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive trades of a stream: positions [first_position, first_position + count)."""

    id: str
    first_position: int
    count: int
    content_hash: bytes
    refused: frozenset[int]


class BatchStream:
    """One stream of batches in a node's database. The latest are also kept in memory."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name
        self._recent = RecentTrades()
        self.batches: list[Batch] = []
        self._starts: Column = np.zeros(0, dtype=np.int64)
        with database.reading() as session:
            payload = inspect(BatchRow).attrs["payload"].class_attribute
            rows = select(BatchRow).options(defer(payload))
            rows = rows.where(BatchRow.stream == name).order_by(col(BatchRow.first_position))
            for row in session.exec(rows):
                refused = frozenset(np.frombuffer(row.refused, dtype="<i8").tolist())
                batch = Batch(row.id, row.first_position, row.count, row.content_hash, refused)
                self.batches.append(batch)

    @property
    def end_position(self) -> int:
        """The position that the next trade will have."""
        last = self.batches[-1] if self.batches else None
        return last.first_position + last.count if last else 0

    def append(
        self,
        session: UnitOfWork,
        batch_id: str,
        trades: TradeColumns,
        refused: frozenset[int] = frozenset(),
    ) -> Batch:
        """Puts a new batch into a transaction. It counts once that is committed."""
        return self.append_all(session, [(batch_id, trades)], refused)[0]

    def append_all(
        self,
        session: UnitOfWork,
        parts: Sequence[tuple[str, TradeColumns]],
        refused: frozenset[int] = frozenset(),
    ) -> list[Batch]:
        """Puts new batches into a transaction, one after another; once in each transaction."""
        added: list[Batch] = []
        end = self.end_position
        for batch_id, trades in parts:
            packed = PackedTrades.of(trades)
            batch = Batch(batch_id, end, len(trades), packed.content_hash(), refused)
            session.add(
                BatchRow(
                    stream=self._name,
                    id=batch_id,
                    first_position=batch.first_position,
                    count=batch.count,
                    content_hash=batch.content_hash,
                    payload=packed.encoded(),
                    refused=np.array(sorted(refused), dtype="<i8").tobytes(),
                )
            )
            session.on_commit(partial(self._publish, batch, trades))
            added.append(batch)
            end += len(trades)
        return added

    def trades(self, first: int, end: int) -> TradeColumns:
        """The trades at positions [first, end)."""
        return self.trades_at(np.arange(first, min(end, self.end_position), dtype=np.int64))

    def trades_at(self, positions: Column) -> TradeColumns:
        """The trades at some positions, in the order asked for."""
        recent, first_recent = self._recent.take(positions)
        older = positions < first_recent
        if not older.any():
            return recent
        starts = self._batch_starts()
        places = np.searchsorted(starts, positions[older], side="right") - 1
        parts, order = [], [np.flatnonzero(~older)]
        for place in np.unique(places).tolist():
            rows = np.flatnonzero(older)[places == place]
            parts.append(self._read(self.batches[place]).take(positions[rows] - starts[place]))
            order.append(rows)
        back = np.empty(len(positions), dtype=np.int64)
        back[np.concatenate(order)] = np.arange(len(positions))
        return TradeColumns.concatenate([recent, *parts]).take(back)

    def read_all(self) -> Iterator[tuple[int, TradeColumns]]:
        """Every batch from the disk, with its first position: for a node that starts."""
        for batch in self.batches:
            trades = self._read(batch)
            self._recent.add(batch.first_position, trades)
            yield batch.first_position, trades

    def _batch_starts(self) -> Column:
        """Where each batch begins; kept, since a day of single trades has very many batches."""
        kept = self._starts
        newer = [batch.first_position for batch in self.batches[len(kept) :]]
        if newer:
            self._starts = kept = np.concatenate([kept, np.array(newer, dtype=np.int64)])
        return kept

    def _publish(self, batch: Batch, trades: TradeColumns) -> None:
        assert batch.first_position == self.end_position, "one append in each unit of work"
        # In this order: whoever reads the end of the stream finds the trades before it.
        self._recent.add(batch.first_position, trades)
        self.batches.append(batch)

    def _read(self, batch: Batch) -> TradeColumns:
        with self._database.reading() as session:
            return decode_trades(session.get_one(BatchRow, (self._name, batch.id)).payload)


class RecentTrades:
    """The latest trades of a stream, in memory: a few segments, small ones merged as they come."""

    def __init__(self) -> None:
        self._segments: list[tuple[int, TradeColumns]] = []
        # One thread may append while another reads.
        self._lock = RLock()

    def add(self, first_position: int, trades: TradeColumns) -> None:
        """Takes the next trades in; the oldest go when there are too many."""
        with self._lock:
            self._segments.append((first_position, trades))
            while len(self._segments) > 1 and self._last_two_are_small():
                (first, older), (_, newer) = self._segments.pop(-2), self._segments.pop()
                self._segments.append((first, TradeColumns.concatenate([older, newer])))
            while len(self._segments) > 1 and self._count() > RECENT_TRADES_MAX:
                self._segments.pop(0)

    def take(self, positions: Column) -> tuple[TradeColumns, int]:
        """Those of the trades that are here, in order; and the first position that is here."""
        with self._lock:
            segments = list(self._segments)
        if not segments:
            return TradeColumns.of_rows([]), NEVER
        starts = np.array([first for first, _ in segments], dtype=np.int64)
        places = np.searchsorted(starts, positions, side="right") - 1
        here = np.flatnonzero(places >= 0)
        parts, order = [], []
        for place in np.unique(places[here]).tolist():
            rows = np.flatnonzero(places[here] == place)
            parts.append(segments[place][1].take(positions[here][rows] - starts[place]))
            order.append(rows)
        if len(parts) == 1:
            return parts[0], int(starts[0])
        back = np.empty(len(here), dtype=np.int64)
        back[np.concatenate([*order, np.zeros(0, dtype=np.int64)])] = np.arange(len(here))
        return TradeColumns.concatenate(parts).take(back), int(starts[0])

    def _last_two_are_small(self) -> bool:
        (_, older), (_, newer) = self._segments[-2:]
        return len(older) <= 2 * len(newer) and len(older) + len(newer) <= SEGMENT_TRADES_MAX

    def _count(self) -> int:
        return sum(len(trades) for _, trades in self._segments)


@dataclass(frozen=True, slots=True)
class PackedTrades:
    """Trades as columns as narrow as they go: a base each, and how far each value is above it.

    Width and base follow from the values alone, so the same trades are always packed the same.
    """

    count: int
    bases: Mapping[str, int]
    columns: Mapping[str, NDArray[np.integer[Any]]]

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
        with pa.ipc.new_stream(sink, table.schema, options=_OPTIONS) as writer:
            writer.write_table(table)
        return sink.getvalue().to_pybytes()  # type: ignore[no-any-return] # pyarrow ships no types


def content_hash(trades: TradeColumns) -> bytes:
    """SHA-256 over the trades, in order, whatever their encoding."""
    return PackedTrades.of(trades).content_hash()


def encode_trades(trades: TradeColumns) -> bytes:
    """The trades as a compressed Arrow stream."""
    return PackedTrades.of(trades).encoded()


def decode_trades(payload: bytes) -> TradeColumns:
    """The trades that ``encode_trades`` wrote."""
    table = pa.ipc.open_stream(payload).read_all()
    bases = table.schema.metadata or {}
    return TradeColumns(
        *(
            table.column(name).to_numpy().astype(np.int64) + int(bases.get(name.encode(), 0))
            for name in COLUMN_NAMES
        )
    )


def _narrowed(column: Column) -> "tuple[int, NDArray[np.integer[Any]]]":
    """A base, and what each value is above it."""
    if not len(column):
        return 0, column
    base, last = int(column.min()), int(column.max())
    for kind in (np.uint8, np.uint16, np.uint32):
        if last - base <= np.iinfo(kind).max:
            return base, (column - base).astype(kind)
    return 0, column
