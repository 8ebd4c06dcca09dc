"""Streams of trade batches: each batch one durable, content-hashed, columnar record.

The payload is an Arrow stream, compressed; the content hash is over the trades themselves, so that it
does not depend on the encoding. Positions number the trades of a stream from 0.
"""

import hashlib
from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass
from threading import RLock
from typing import Final

import numpy as np
import pyarrow as pa
from sqlmodel import Session, col, select

from ledger.books.database import Database
from ledger.books.tables import BatchRow
from ledger.clearing.columns import COLUMN_NAMES, Column, TradeColumns
from ledger.clearing.commitment import records_of

RECENT_BATCHES_MAX: Final = 4
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
        # One thread may append while another reads.
        self._lock = RLock()
        self._recent: OrderedDict[str, TradeColumns] = OrderedDict()
        self.batches: list[Batch] = []
        self._batch_by_id: dict[str, Batch] = {}
        with database.reading() as session:
            columns = select(
                BatchRow.id,
                BatchRow.first_position,
                BatchRow.count,
                BatchRow.content_hash,
                BatchRow.refused,
            )
            rows = columns.where(BatchRow.stream == name).order_by(col(BatchRow.first_position))
            for batch_id, first, count, digest, refused in session.exec(rows):
                rows_refused = frozenset(np.frombuffer(refused, dtype="<i8").tolist())
                self._keep(Batch(batch_id, first, count, digest, rows_refused))

    @property
    def end_position(self) -> int:
        """The position that the next trade will have."""
        last = self.batches[-1] if self.batches else None
        return last.first_position + last.count if last else 0

    def get(self, batch_id: str) -> Batch | None:
        """A batch by its id; None when it was never appended."""
        return self._batch_by_id.get(batch_id)

    def append(
        self,
        session: Session,
        batch_id: str,
        trades: TradeColumns,
        refused: frozenset[int] = frozenset(),
    ) -> Batch:
        """Puts a new batch into a transaction. It counts once that is committed."""
        batch = Batch(batch_id, self.end_position, len(trades), content_hash(trades), refused)
        session.add(
            BatchRow(
                stream=self._name,
                id=batch_id,
                first_position=batch.first_position,
                count=batch.count,
                content_hash=batch.content_hash,
                payload=encode_trades(trades),
                refused=np.array(sorted(refused), dtype="<i8").tobytes(),
            )
        )
        session.flush()
        self._keep(batch)
        self._remember(batch_id, trades)
        return batch

    def batches_since(self, position: int) -> list[Batch]:
        """The batches with trades at or after a position."""
        place = bisect_right(self.batches, position, key=lambda batch: batch.first_position) - 1
        batches = self.batches[max(place, 0) :]
        return [batch for batch in batches if batch.first_position + batch.count > position]

    def trades(self, first: int, end: int) -> TradeColumns:
        """The trades at positions [first, end)."""
        parts = []
        for batch in self.batches_since(first):
            offset = batch.first_position
            if offset >= end:
                break
            parts.append(self.load(batch).take(slice(max(first - offset, 0), end - offset)))
        return TradeColumns.concatenate(parts)

    def trades_at(self, positions: Column) -> TradeColumns:
        """The trades at some positions, in the order asked for."""
        starts = np.array([batch.first_position for batch in self.batches], dtype=np.int64)
        places = np.searchsorted(starts, positions, side="right") - 1
        order = np.argsort(places, kind="stable")
        parts = [
            self.load(self.batches[place]).take(positions[places == place] - starts[place])
            for place in np.unique(places)
        ]
        back = np.empty(len(positions), dtype=np.int64)
        back[order] = np.arange(len(positions))
        return TradeColumns.concatenate(parts).take(back)

    def load(self, batch: Batch) -> TradeColumns:
        """The trades of a batch."""
        with self._lock:
            trades = self._recent.get(batch.id)
        if trades is None:
            with self._database.reading() as session:
                row = session.get_one(BatchRow, (self._name, batch.id))
                trades = decode_trades(row.payload)
        self._remember(batch.id, trades)
        return trades

    def _keep(self, batch: Batch) -> None:
        self.batches.append(batch)
        self._batch_by_id[batch.id] = batch

    def _remember(self, batch_id: str, trades: TradeColumns) -> None:
        with self._lock:
            self._recent[batch_id] = trades
            self._recent.move_to_end(batch_id)
            while len(self._recent) > RECENT_BATCHES_MAX:
                self._recent.popitem(last=False)


def content_hash(trades: TradeColumns) -> bytes:
    """SHA-256 over the trades, in order."""
    return hashlib.sha256(records_of(trades).tobytes()).digest()


def encode_trades(trades: TradeColumns) -> bytes:
    """The trades as an Arrow stream."""
    table = pa.table({name: pa.array(column) for name, column in trades.columns().items()})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=_OPTIONS) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def decode_trades(payload: bytes) -> TradeColumns:
    """The trades that ``encode_trades`` wrote."""
    table = pa.ipc.open_stream(payload).read_all()
    return TradeColumns(*(table.column(name).to_numpy() for name in COLUMN_NAMES))
