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
from pathlib import Path

from ledger.books.database import StorageError
from ledger.books.whole_files import force_to_disk


@dataclass(frozen=True, slots=True)
class Place:
    """Where a payload lies in the file."""

    offset: int
    size: int

    @property
    def end(self) -> int:
        """Where the next one may begin."""
        return self.offset + self.size


class PayloadFile:
    """The file; made with the first payload. Any thread may read while one writes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, offset: int, payloads: Sequence[bytes]) -> list[Place]:
        """Writes payloads one after another from an offset on; on the disk when this returns.

        Raises StorageError when the disk does not take them; the same may be tried again later.
        """
        places: list[Place] = []
        with _as_storage_error(self._path):
            is_new = not self._path.exists()
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o644)
            try:
                for payload in payloads:
                    places.append(Place(offset, len(payload)))
                    _write_all(descriptor, payload, offset)
                    offset += len(payload)
                os.fdatasync(descriptor)
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
