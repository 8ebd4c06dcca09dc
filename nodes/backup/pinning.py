"""Holding on to what a state folder has now, while the market goes on.

Databases are held by a transaction that only reads: it goes on seeing them as they were. Of files
that only grow, or are replaced whole, the descriptor and the length are kept; a settled cycle's
file never changes. So the market waits while files are opened, and not while they are copied.

Who follows is held first and who leads last: other nodes before the clearing house, books before
the chain, replicas before the proposer's. What is brought back then looks as after a crash, in
which some had not heard the latest; nobody has heard of what its elder does not know. Large batches
of trades come after all databases that refer to them: nodes that are processes go on meanwhile.
"""

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from ledger.books.whole_files import force_to_disk
from nodes.backup.manifest import PIECE_BYTES, BackupError, KeptFile, pieces_of
from nodes.state_folder import BACKED_UP_ENTRIES, segments_folder

_DATABASE: Final = ".sqlite"
_NEVER_CHANGED: Final = ".parquet"
_OF_DATABASES: Final = ("-wal", "-shm", "-journal")
_CHAIN: Final = "chain.sqlite"
PRIVATE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700


@dataclass(frozen=True, slots=True)
class _Held:
    """A file that is held: by a connection, by a descriptor and its length, or by its name."""

    path: Path
    connection: sqlite3.Connection | None = None
    stream: BinaryIO | None = None
    length: int = 0


class Pinned:
    """The files of a state folder as they are when this is made; let go at the end of a block."""

    def __init__(self, path: Path, proposer: str) -> None:
        """``proposer`` leads the chain. Raises BackupError when a file cannot be held."""
        self._path = path
        self._open = ExitStack()
        try:
            self._held = list(self._hold_all(proposer))
        except (OSError, sqlite3.Error) as error:
            self._open.close()
            raise BackupError(f"{path}: {error}") from error

    def __enter__(self) -> Self:
        """These."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Lets go."""
        self._open.close()

    def write_to(self, folder: Path) -> Iterator[KeptFile]:
        """Writes the files into a folder, each on disk once it is told of. Raises OSError."""
        for held in self._held:
            name = held.path.relative_to(self._path)
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
            if held.connection is not None:
                _copy_database(held.connection, target)
            else:
                _write(_pieces(held), target)
            target.chmod(PRIVATE)
            digest, size = _forced(target)
            yield KeptFile(str(name), size, digest)
        for each, _, _ in os.walk(folder):
            force_to_disk(Path(each))

    def _hold_all(self, proposer: str) -> Iterator[_Held]:
        for file in sorted(_files(self._path), key=_order(proposer)):
            try:
                yield self._hold(file)
            except FileNotFoundError:
                # A run of the index that a larger one has just taken in; what is not found in the
                # index is put there again when the folder is opened.
                if not file.is_relative_to(segments_folder(self._path)):
                    raise

    def _hold(self, path: Path) -> _Held:
        if path.suffix == _DATABASE:
            uri = f"{path.absolute().as_uri()}?mode=ro"
            connection = sqlite3.connect(uri, uri=True, isolation_level=None)
            self._open.enter_context(closing(connection))
            connection.execute("BEGIN")
            # A transaction sees what there is when it first reads.
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            return _Held(path, connection=connection)
        if path.suffix == _NEVER_CHANGED:
            # There may be more of them than descriptors.
            return _Held(path)
        stream = self._open.enter_context(path.open("rb"))
        return _Held(path, stream=stream, length=os.fstat(stream.fileno()).st_size)


def _files(path: Path) -> Iterator[Path]:
    """What is backed up: not what is being written, nor the logs of databases."""
    for name in BACKED_UP_ENTRIES:
        entry = path / name
        for file in entry.rglob("*") if entry.is_dir() else [entry]:
            is_passing = file.name.startswith(".") or file.name.endswith(_OF_DATABASES)
            if file.is_file() and not is_passing:
                yield file


def _order(proposer: str) -> Callable[[Path], tuple[bool, bool, bool, str]]:
    """In which order files are held: books, chains, of both the proposer's last, and the rest."""

    def place(file: Path) -> tuple[bool, bool, bool, str]:
        leads = file.parent.name == proposer
        return file.suffix != _DATABASE, file.name == _CHAIN, leads, str(file)

    return place


def _copy_database(source: sqlite3.Connection, target: Path) -> None:
    try:
        with closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
    except sqlite3.Error as error:
        raise OSError(f"{target}: {error}") from error


def _pieces(held: _Held) -> Iterator[bytes]:
    if held.stream is None:
        yield from pieces_of(held.path)
        return
    left = held.length
    while left and (piece := held.stream.read(min(left, PIECE_BYTES))):
        left -= len(piece)
        yield piece


def _write(pieces: Iterator[bytes], target: Path) -> None:
    with target.open("wb") as stream:
        for piece in pieces:
            stream.write(piece)


def _forced(file: Path) -> tuple[str, int]:
    """Hash and size of what is on the disk."""
    digest, size = hashlib.sha256(), 0
    with file.open("rb") as stream:
        os.fsync(stream.fileno())
    for piece in pieces_of(file):
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest(), size
