"""Segments: a settled and final cycle is one Parquet file, named by its Merkle root.

segments/ROOT.parquet        the cycle's trades in order of capture, with their positions
segments/index/FIRST-END     where trades are, by fingerprint (segment_index.py)

A file is written under another name, forced to the disk and renamed, and never changed after that;
what a crash leaves is either nothing or the whole file. A segment holds all that its root follows
from, the key of its salts too: who may read it may read all trades of the cycle.

Numbers are four bytes wide where a column's fit, and split by byte, so that those which hardly
change pack to nothing. A trade identity is compared in the few columns that it takes.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ledger.books.database import StorageError
from ledger.books.segment_index import Entries, SegmentIndex, Span, identity_fingerprints
from ledger.books.whole_files import write_whole
from ledger.clearing.columns import COLUMN_NAMES, Column, TradeColumns

FORMAT: Final = "novate-segment-2"
ROWS_PER_GROUP: Final = 65_536
_ROOT = re.compile("[0-9a-f]{64}", re.ASCII)
_POSITION: Final = "position"
_IDENTITY: Final = ("dates", "instruments", "numbers")
_RISING: Final = (_POSITION, "numbers")
"""Columns whose numbers are near the one before."""
_REPEATED: Final = ("quantities", "prices")
"""Columns of few different numbers, though each of several bytes."""
_NARROW: Final = np.iinfo(np.uint32)


class SegmentError(Exception):
    """A segment is missing or is not what was written; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A settled cycle as it is kept.

    Attributes:
        number: the cycle's number at the clearing house.
        first_position, end_position: the positions of the intake that it was struck over.
        salt_key: the key of the cycle's salts.
        positions: of its trades in the intake, ascending.
    """

    number: int
    cycle_id: bytes
    root: bytes
    first_position: int
    end_position: int
    salt_key: bytes
    positions: Column
    trades: TradeColumns


@dataclass(frozen=True, slots=True)
class Found:
    """Where a trade is: the root of its cycle, and its position in the intake."""

    root: bytes
    position: int


class SegmentStore:
    """The segments of one folder. One process adds; any may read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._index = SegmentIndex(folder / "index")

    def has(self, root: bytes) -> bool:
        """Whether a cycle is kept and can be found."""
        return self._index.has(root) and self.path(root).exists()

    def add(self, segment: Segment) -> None:
        """Keeps a cycle; one that is here already stays as it is.

        Raises StorageError when the disk is full or fails; the same may be tried again later.
        """
        try:
            self._add(segment)
        except OSError as error:
            where = self.path(segment.root)
            raise StorageError(f"{where}: {error.strerror or error}") from error

    def read(self, root: bytes) -> Segment:
        """A cycle by its root. Raises SegmentError."""
        path = self.path(root)
        try:
            with pq.ParquetFile(path, memory_map=True) as file:
                table = file.read(use_threads=False)
                return _segment_of(file.schema_arrow.metadata, table, path)
        except FileNotFoundError as error:
            raise SegmentError(f"{path} is missing") from error
        except (OSError, pa.ArrowException, KeyError, ValueError) as error:
            raise SegmentError(f"{path} is damaged: {error}") from error

    def roots(self) -> set[bytes]:
        """The roots of all segments that are here."""
        stems = [path.stem for path in self._folder.glob("*.parquet")]
        return {bytes.fromhex(stem) for stem in stems if _ROOT.fullmatch(stem)}

    def find(self, date: int, instrument: int, number: int) -> Found | None:
        """Where the trade of an identity is; None when it is in no segment.

        A cancellation has the identity of its trade and is found only where that is not.
        """
        wanted = (date, instrument, number)
        fingerprint = identity_fingerprints(*(np.array([each]) for each in wanted))[0]
        cancellation: Found | None = None
        for root, position in self._index.candidates(fingerprint):
            *identity, cancels = self._identity_at(root, position)
            if tuple(identity) == wanted:
                if not cancels:
                    return Found(root, position)
                cancellation = Found(root, position)
        return cancellation

    def finds(self, segment: Segment) -> bool:
        """Whether the index leads to every trade of a cycle."""
        fingerprints = _fingerprints_of(segment.trades)
        return self._index.leads_to(segment.root, fingerprints, segment.positions)

    def path(self, root: bytes) -> Path:
        """The file of a segment."""
        return self._folder / f"{root.hex()}.parquet"

    def _add(self, segment: Segment) -> None:
        path = self.path(segment.root)
        if not path.exists():
            write_whole(path, lambda stream: _write(segment, stream))
        if not self._index.has(segment.root):
            span = Span(segment.first_position, segment.end_position, segment.root)
            self._index.add(span, _fingerprints_of(segment.trades), segment.positions)

    def _identity_at(self, root: bytes, position: int) -> list[int]:
        """Date, instrument, number and cancellation of one trade, from its own group of rows."""
        path = self.path(root)
        try:
            with pq.ParquetFile(path) as file:
                groups = range(file.metadata.num_row_groups)
                first = partial(_first_position, file.metadata)
                group = bisect_right(groups, position, key=first) - 1
                rows = file.read_row_group(max(group, 0), [_POSITION, *_IDENTITY, "cancels"])
                row = int(np.searchsorted(rows[_POSITION].to_numpy(), position))
                there, *found = (int(column[row].as_py()) for column in rows.columns)
        except (OSError, pa.ArrowException, IndexError) as error:
            raise SegmentError(f"{path} is damaged: {error}") from error
        if there != position:
            raise SegmentError(f"{path} has no trade at position {position}")
        return found


def _first_position(metadata: Any, group: int) -> int:  # noqa: ANN401 # pyarrow has no types
    return int(metadata.row_group(group).column(0).statistics.min)


def _fingerprints_of(trades: TradeColumns) -> Entries:
    return identity_fingerprints(*(getattr(trades, name) for name in _IDENTITY))


def _write(segment: Segment, stream: BinaryIO) -> None:
    columns = {_POSITION: segment.positions, **segment.trades.columns()}
    metadata = dict(_metadata(segment))
    table = pa.table({name: pa.array(_narrowed(column)) for name, column in columns.items()})
    pq.write_table(
        table.replace_schema_metadata(metadata),
        stream,
        row_group_size=ROWS_PER_GROUP,
        compression="zstd",
        compression_level=1,
        use_dictionary=list(_REPEATED),
        column_encoding={
            name: "DELTA_BINARY_PACKED" if name in _RISING else "BYTE_STREAM_SPLIT"
            for name in columns
            if name not in _REPEATED
        },
        write_statistics=[_POSITION],
    )


def _narrowed(column: Column) -> "NDArray[np.integer[Any]]":
    is_small = not len(column) or (column.min() >= 0 and column.max() <= _NARROW.max)
    return column.astype(_NARROW.dtype) if is_small else column


def _metadata(segment: Segment) -> Iterator[tuple[str, str]]:
    yield "format", FORMAT
    yield "number", str(segment.number)
    yield "cycle_id", segment.cycle_id.hex()
    yield "root", segment.root.hex()
    yield "first_position", str(segment.first_position)
    yield "end_position", str(segment.end_position)
    yield "salt_key", segment.salt_key.hex()


def _segment_of(metadata: dict[bytes, bytes] | None, table: Any, path: Path) -> Segment:  # noqa: ANN401 # pyarrow has no types
    said = {name.decode(): value.decode() for name, value in (metadata or {}).items()}
    if said["format"] != FORMAT:
        raise SegmentError(f"{path} has the format {said['format']}, not {FORMAT}")
    return Segment(
        number=int(said["number"]),
        cycle_id=bytes.fromhex(said["cycle_id"]),
        root=bytes.fromhex(said["root"]),
        first_position=int(said["first_position"]),
        end_position=int(said["end_position"]),
        salt_key=bytes.fromhex(said["salt_key"]),
        positions=_wide(table[_POSITION]),
        trades=TradeColumns(*(_wide(table[name]) for name in COLUMN_NAMES)),
    )


def _wide(column: Any) -> Column:  # noqa: ANN401 # pyarrow has no types
    wide = np.empty(len(column), dtype=np.int64)
    end = 0
    for chunk in column.chunks:
        end += len(chunk)
        wide[end - len(chunk) : end] = chunk.to_numpy()
    return wide
