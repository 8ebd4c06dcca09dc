"""Large payloads of a stream in one file beside the database, whose rows say where each lies.

A database writes what it commits twice, first in its log; of megabytes that is most of the work of
a commit. Here they are written once and forced to the disk before the row that names them is
committed. So the rows alone say how far the file counts: what a crash or a rollback has left behind
their last payload is written over by the next one.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from ledger.books.database import StorageError, UnitOfWork
from ledger.books.whole_files import force_to_disk

IN_FILE: Final = 1 << 19
"""Payloads of so many bytes go into the file: it costs less than a second wait for the disk."""


class Kept(Protocol):
    """The columns of a row that say where its payload is: in the row, or in the file."""

    payload: bytes
    file_offset: int | None
    file_size: int | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a payload lies in the file."""

    offset: int
    size: int

    @property
    def end(self) -> int:
        """Where the next one may begin."""
        return self.offset + self.size


class Payloads:
    """Payloads of rows of one stream: small ones in the rows, large ones in a file of the stream.

    ``path`` is the file, ``end`` how far it counts by the rows. Without a path all are in the rows.
    """

    def __init__(self, path: Path | None, end: int) -> None:
        self._file = PayloadFile(path) if path else None
        self._end = end

    def keep(self, session: UnitOfWork, payloads: Sequence[bytes]) -> list[dict[str, object]]:
        """The columns of payloads, once in a unit of work; the file has the large ones on disk.

        To be called before any row is written: while this waits for the disk, other threads may
        commit. Raises StorageError.
        """
        large = [each for each in payloads if self._file and len(each) >= IN_FILE]
        columns: list[dict[str, object]] = [
            {"payload": each, "file_offset": None, "file_size": None} for each in payloads
        ]
        if self._file is None or not large:
            return columns
        places = iter(self._file.write(self._end, large))
        end = self._end + sum(map(len, large))
        session.on_commit(partial(setattr, self, "_end", end))
        for column, payload in zip(columns, payloads, strict=True):
            if len(payload) >= IN_FILE:
                place = next(places)
                column |= {"payload": b"", "file_offset": place.offset, "file_size": place.size}
        return columns

    def of(self, row: Kept) -> bytes:
        """The payload of a row. Raises StorageError when the file does not have it."""
        return self.part_of(row, 0, len(row.payload) if row.file_size is None else row.file_size)

    def part_of(self, row: Kept, start: int, size: int) -> bytes:
        """So many bytes of the payload of a row, from one of them on."""
        if row.file_offset is None:
            return row.payload[start : start + size]
        assert self._file is not None
        return self._file.read(Place(row.file_offset + start, size))


class PayloadFile:
    """The file; made with the first payload. Any thread may read while one writes.

    What was written last is read next, what was written before it seldom. So only the last payloads
    stay in the system's memory: taking new pages for a whole day costs more than writing it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, offset: int, payloads: Sequence[bytes]) -> list[Place]:
        """Writes payloads one after another from an offset on; on the disk when this returns.

        Raises StorageError when the disk does not take them; the same may be tried again later.
        """
        places: list[Place] = []
        before = offset
        with _as_storage_error(self._path):
            is_new = not self._path.exists()
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o644)
            try:
                for payload in payloads:
                    places.append(Place(offset, len(payload)))
                    _write_all(descriptor, payload, offset)
                    offset += len(payload)
                os.fdatasync(descriptor)
                if before:
                    os.posix_fadvise(descriptor, 0, before, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)
            if is_new:
                force_to_disk(self._path.parent)
        return places

    def read(self, place: Place) -> bytes:
        """A payload. Raises StorageError when the file does not reach so far."""
        with _as_storage_error(self._path), self._path.open("rb", buffering=0) as stream:
            payload = os.pread(stream.fileno(), place.size, place.offset)
        if len(payload) < place.size:
            raise StorageError(f"{self._path} has no {place.size} bytes at {place.offset}")
        return payload


def _write_all(descriptor: int, payload: bytes, offset: int) -> None:
    """Writes a whole payload: a nearly full disk takes the first part of it."""
    written = 0
    while written < len(payload):
        written += os.pwrite(descriptor, memoryview(payload)[written:], offset + written)


@contextmanager
def _as_storage_error(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}") from error
