"""Streams of trade batches: each batch one durable, content-hashed, columnar record.

Positions number the trades of a stream from 0. What a stream keeps in memory of a batch is where it
begins; the latest trades are kept as well, packed. Large records are in a file of the stream.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Final

import numpy as np
from sqlalchemy import Insert, insert
from sqlmodel import Session, col, func, select

from ledger.books.database import Database, UnitOfWork
from ledger.books.growing_column import GrowingColumn
from ledger.books.payload_file import Payloads
from ledger.books.recent_trades import ReadTrades, RecentTrades
from ledger.books.tables import BatchRow, table_of
from ledger.books.trade_records import PackedTrades, TradeRecord, room_for
from ledger.clearing.columns import Column, TradeColumns

RECENT_TRADES_MAX: Final = 100_000
NEVER: Final = 2**62
SMALL: Final = 1_000
"""Records of fewer trades travel joined: of single trades there are very many."""
FEW_BATCHES: Final = 16
DENSE: Final = 2
"""Where so many times as many trades hold all that are asked for, they are read in one go."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive trades of a stream: positions [first_position, first_position + count)."""

    id: str
    first_position: int
    count: int
    content_hash: bytes


class BatchStream:
    """One stream of batches in a node's database.

    One thread may append while others read; they find what is below ``end_position``. The latest
    trades are kept in memory, ``recent_max`` of them or a single batch.
    """

    def __init__(self, database: Database, name: str, recent_max: int = RECENT_TRADES_MAX) -> None:
        self._database = database
        self._name = name
        self._recent = RecentTrades(recent_max)
        self._read_lately = ReadTrades(recent_max)
        self._starts: GrowingColumn[np.int64] = GrowingColumn(np.int64)
        self._end = 0
        with database.reading() as session:
            ends = select(BatchRow.first_position, BatchRow.count)
            ends = ends.where(BatchRow.stream == name).order_by(col(BatchRow.first_position))
            rows = session.exec(ends).all()
            path = database.folder / f"{name}.trades" if database.folder else None
            self._payloads = Payloads(path, _file_end(session, name))
        if rows:
            self._starts.append(np.array([first for first, _ in rows], dtype=np.int64))
            self._end = sum(rows[-1])

    @property
    def end_position(self) -> int:
        """The position that the next trade will have."""
        return self._end

    @property
    def batches(self) -> list[Batch]:
        """Every batch, in order, from the disk."""
        with self._database.reading() as session:
            columns = (
                BatchRow.id,
                BatchRow.first_position,
                BatchRow.count,
                BatchRow.content_hash,
            )
            rows = select(*columns).where(BatchRow.stream == self._name)
            return [Batch(*row) for row in session.exec(rows.order_by(col(columns[1])))]

    def batch_of(self, position: int) -> Batch | None:
        """The batch that the trade at a position is in; None when there is no such trade."""
        columns = (BatchRow.id, BatchRow.first_position, BatchRow.count, BatchRow.content_hash)
        rows = select(*columns).where(
            BatchRow.stream == self._name, BatchRow.first_position <= position
        )
        with self._database.reading() as session:
            found = session.exec(rows.order_by(col(BatchRow.first_position).desc())).first()
        batch = Batch(*found) if found else None
        return batch if batch and position < batch.first_position + batch.count else None

    def append(self, session: UnitOfWork, batch_id: str, trades: TradeColumns) -> Batch:
        """Puts a new batch into a transaction. It counts once that is committed."""
        return self.append_all(session, [(batch_id, trades)])[0]

    def append_all(
        self, session: UnitOfWork, parts: Sequence[tuple[str, TradeColumns]]
    ) -> list[Batch]:
        """Puts new batches into a transaction, one after another; once in each transaction."""
        packed = [(batch_id, PackedTrades.of(trades)) for batch_id, trades in parts]
        return self.append_records(
            session, [(batch_id, TradeRecord.of(each), each) for batch_id, each in packed]
        )

    def append_records(
        self, session: UnitOfWork, records: Sequence[tuple[str, TradeRecord, PackedTrades]]
    ) -> list[Batch]:
        """The same with what is encoded already, kept as it came; the trades are the record's."""
        added: list[Batch] = []
        end = self.end_position
        for batch_id, record, packed in records:
            batch = Batch(batch_id, end, record.count, record.content_hash)
            session.on_commit(partial(self._publish, batch, packed))
            added.append(batch)
            end += batch.count
        if added:
            kept = self._payloads.keep(session, [record.payload for _, record, _ in records])
            session.connection().execute(
                _insert(),
                [
                    {
                        "stream": self._name,
                        "id": batch.id,
                        "first_position": batch.first_position,
                        "count": batch.count,
                        "content_hash": batch.content_hash,
                        **columns,
                    }
                    for batch, columns in zip(added, kept, strict=True)
                ],
            )
        return added

    def trades(self, first: int, end: int) -> TradeColumns:
        """The trades at positions [first, end)."""
        parts = list(self._parts(first, min(end, self.end_position)))
        if len(parts) == 1:
            return parts[0].unpacked()
        trades, filled = room_for(sum(map(len, parts))), 0
        for part in parts:
            part.unpack_into(trades, slice(filled, filled + len(part)))
            filled += len(part)
        return trades

    def trades_at(self, positions: Column) -> TradeColumns:
        """The trades at some positions, in the order asked for."""
        if _are_consecutive(positions):
            return self.trades(int(positions[0]), int(positions[-1]) + 1)
        if len(positions):
            first, last = int(positions.min()), int(positions.max())
            if last - first < DENSE * len(positions):
                return self.trades(first, last + 1).take(positions - first)
        segments = self._recent.segments()
        starts = np.array([first for first, _ in segments], dtype=np.int64)
        trades = room_for(len(positions))
        older = positions < (starts[0] if segments else NEVER)
        _fill(trades, np.flatnonzero(~older), positions, starts, lambda i: segments[i][1])
        if older.any():
            _fill(trades, np.flatnonzero(older), positions, self._starts.values, self._read)
        return trades

    def records(self, first: int, end: int) -> list[TradeRecord]:
        """The trades at [first, end) as they were written down, batch by batch.

        Small batches, and what is asked for in part only, are joined and written anew.
        """
        records: list[TradeRecord] = []
        if first >= end:
            return records
        # In this order: the last batch that begins so far ends where the stream did, or is later.
        stream_end, starts, at = self.end_position, self._starts.values, first
        for place in range(_place(starts, first), _place(starts, end - 1) + 1):
            begins = int(starts[place])
            ends = int(starts[place + 1]) if place + 1 < len(starts) else stream_end
            if first <= begins and ends <= end and ends - begins >= SMALL:
                records += [*self._joined(at, begins), self._record(begins)]
                at = ends
        return [*records, *self._joined(at, end)]

    def end_of_batches(self, first: int, count_max: int) -> int:
        """Where the batches end that hold the trades from ``first`` on and so many at most.

        Always at least the end of one batch; ``first`` when nothing follows.
        """
        end, starts = self.end_position, self._starts.values
        if end <= first + count_max:
            return max(end, first)
        last = int(starts[_place(starts, first + count_max)])
        if last > first:
            return last
        following = _place(starts, first) + 1
        return int(starts[following]) if following < len(starts) else end

    def read_all(self) -> Iterator[tuple[int, TradeColumns]]:
        """Every batch from the disk, with its first position: for a node that starts."""
        for place, first in enumerate(self._starts.values.tolist()):
            packed = self._read_batch(place)
            self._recent.add(first, packed)
            yield first, packed.unpacked()

    def _joined(self, first: int, end: int) -> list[TradeRecord]:
        """The trades at [first, end) in one record, if there are any."""
        return [TradeRecord.of(PackedTrades.of(self.trades(first, end)))] if first < end else []

    def _parts(self, first: int, end: int) -> Iterator[PackedTrades]:
        """The trades at [first, end) as they lie in memory and on the disk, in order."""
        segments = self._recent.segments()
        first_recent = segments[0][0] if segments else NEVER
        if first < min(end, first_recent):
            yield from self._older_parts(first, min(end, first_recent))
        for begins, packed in segments:
            if max(first, begins) < min(end, begins + len(packed)):
                yield packed.take(slice(max(first - begins, 0), end - begins))

    def _older_parts(self, first: int, end: int) -> Iterator[PackedTrades]:
        """The same from the disk alone: a few batches one by one, many at once."""
        starts = self._starts.values
        places = range(_place(starts, first), _place(starts, end - 1) + 1)
        if len(places) <= FEW_BATCHES:
            batches: Iterable[PackedTrades] = map(self._read, places)
        else:
            batches = self._read_many(int(starts[places[0]]), end)
        for place, packed in zip(places, batches, strict=True):
            begins = int(starts[place])
            yield packed.take(slice(max(first - begins, 0), end - begins))

    def _read_many(self, first: int, end: int) -> Iterator[PackedTrades]:
        """The batches that begin at [first, end)."""
        rows = select(BatchRow).where(
            BatchRow.stream == self._name,
            BatchRow.first_position >= first,
            BatchRow.first_position < end,
        )
        with self._database.reading() as session:
            for row in session.exec(rows.order_by(col(BatchRow.first_position))):
                yield self._record_of(row).checked()
                session.expunge(row)

    def _publish(self, batch: Batch, trades: PackedTrades) -> None:
        assert batch.first_position == self.end_position, "one append in each unit of work"
        # In this order: whoever reads the end of the stream finds the trades before it.
        self._recent.add(batch.first_position, trades)
        self._starts.append(np.array([batch.first_position], dtype=np.int64))
        self._end += batch.count

    def _read(self, place: int) -> PackedTrades:
        """The trades of one batch, by its place among the batches."""
        first = int(self._starts.values[place])
        packed = self._read_lately.get(first)
        if packed is None:
            packed = self._read_batch(place)
            self._read_lately.add(first, packed)
        return packed

    def _read_batch(self, place: int) -> PackedTrades:
        return self._record(int(self._starts.values[place])).checked()

    def _record(self, first_position: int) -> TradeRecord:
        rows = select(BatchRow).where(
            BatchRow.stream == self._name, BatchRow.first_position == first_position
        )
        with self._database.reading() as session:
            return self._record_of(session.exec(rows).one())

    def _record_of(self, row: BatchRow) -> TradeRecord:
        return TradeRecord(row.count, row.content_hash, self._payloads.of(row))


@cache
def _insert() -> Insert:
    """Made once: making the statement takes longer than a small batch."""
    return insert(table_of(BatchRow))


def _file_end(session: Session, stream: str) -> int:
    """How far the file of a stream counts, by its rows."""
    ends = select(func.max(col(BatchRow.file_offset) + col(BatchRow.file_size)))
    return session.exec(ends.where(BatchRow.stream == stream)).one() or 0


def _place(starts: Column, position: int) -> int:
    """The place of the batch that a position is in."""
    return int(np.searchsorted(starts, position, side="right")) - 1


def _are_consecutive(positions: Column) -> bool:
    return (
        len(positions) > 0
        and int(positions[-1]) - int(positions[0]) == len(positions) - 1
        and bool((positions[1:] > positions[:-1]).all())
    )


def _fill(
    trades: TradeColumns,
    rows: Column,
    positions: Column,
    starts: Column,
    read: Callable[[int], PackedTrades],
) -> None:
    """Writes the trades at some positions over rows of others, batch by batch."""
    places = np.searchsorted(starts, positions[rows], side="right") - 1
    for place in np.unique(places).tolist():
        these = rows[places == place]
        read(place).take(positions[these] - starts[place]).unpack_into(trades, these)
