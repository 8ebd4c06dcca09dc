"""The state folder: everything a consortium keeps, and who may have it open.

meta.json                  format version, network, rules, where its chain is, a day's plan
business-clock.json        how a sandbox's business clock is set
stubs.json                 for which counterparties a sandbox stands in
desk-faults.json           what is wrong with the desks of a sandbox
replacement.json           what takes the place of the market when it is opened again
snapshots/NAME/            a market as it was kept under a name
backups/NAME/              a backup that was asked for over REST
lock                       held by the one process that has the folder open
nodes/ID/books.sqlite      a node's books, unless meta.json names a database for them
nodes/ID/STREAM.trades     large batches of its trades: captured, intake or blotter
nodes/ID/key               its key, mode 0600
nodes/ID.desk/key          the key of its desk, where its node is a process of its own
processes.json             where the nodes listen, while they are processes
nodes/ID/chain.sqlite      its replica of the chain: the clearing house's, and each validator's
nodes/ID.validator/key     the key of a validator's votes, mode 0600
interface/                 what the REST interface keeps beside the nodes' books
segments/ROOT.parquet      a settled cycle; segments/index finds its trades
"""

import fcntl
import os
from pathlib import Path
from typing import Final

import msgspec

from ledger.books.database import Place
from ledger.books.postgresql import BooksServer
from nodes.folder_meta import Meta, StateFolderError, read_meta

BOOKS: Final = "books.sqlite"
MARKET_ENTRIES: Final = (
    "meta.json",
    "business-clock.json",
    "stubs.json",
    "desk-faults.json",
    "nodes",
    "segments",
)
"""What of the folder is the market, as against what is kept beside it."""

BACKED_UP_ENTRIES: Final = (*MARKET_ENTRIES, "interface", "api-keys.json")
"""And what belongs to it where it is served; snapshots are markets of their own."""


class FolderInUseError(StateFolderError):
    """Another process has the folder open."""


class StateFolder:
    """One consortium's folder, open in this process alone, or in those that share its lock.

    Attributes:
        server: what has the nodes' books; None: they are files here. It is closed with the folder.
    """

    def __init__(self, path: Path, *, is_locked: bool = True) -> None:
        """``is_locked``: by this process; else by the one that has started it.

        Raises StateFolderError.
        """
        self.path = path
        self.server: BooksServer | None = None
        self._lock: int | None = None
        if is_locked:
            self._take_lock(path)

    def _take_lock(self, path: Path) -> None:
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StateFolderError(
                f"{path} cannot be a state folder ({error.strerror}): name another with --folder"
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise FolderInUseError(
                f"{path} is in use by another process: stop it, or name another with --folder"
            ) from error

    def read_meta(self) -> Meta | None:
        """What the folder says of itself; None when it is new. Raises StateFolderError."""
        return read_meta(self.path)

    def write_meta(self, meta: Meta) -> None:
        """Founds the folder, or says more of its chain: whole on disk, or not at all."""
        file = self.path / "meta.json"
        temporary = file.with_suffix(".new")
        with temporary.open("wb") as stream:
            stream.write(msgspec.json.format(msgspec.json.encode(meta)))
            stream.flush()
            os.fsync(stream.fileno())
        temporary.rename(file)
        folder = os.open(self.path, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

    def node_folder(self, node: str) -> Path:
        """The folder of one node; made when it is missing."""
        folder = _node_folder(self.path, node)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def books_of(self, node: str) -> Path | Place:
        """Where the books of a node are."""
        folder = self.node_folder(node)
        return self.server.schema(node, folder) if self.server else folder / BOOKS

    def close(self) -> None:
        """Lets others have the folder."""
        if self.server is not None:
            self.server.close()
        if self._lock is not None:
            os.close(self._lock)

    @property
    def lock(self) -> int:
        """The descriptor of the lock: processes that inherit it share the folder."""
        assert self._lock is not None, "another process has locked it"
        return self._lock


def nodes_folder(path: Path) -> Path:
    """Where the nodes of a state folder have theirs."""
    return path / "nodes"


def segments_folder(path: Path) -> Path:
    """Where the settled cycles of a state folder are kept."""
    return path / "segments"


def books_file(path: Path, node: str) -> Path:
    """The books of a node in a state folder."""
    return _node_folder(path, node) / BOOKS


def chain_file(path: Path, node: str) -> Path:
    """The replica of a node in a state folder."""
    return _node_folder(path, node) / "chain.sqlite"


def key_file(path: Path, node: str) -> Path:
    """The key of a node in a state folder."""
    return _node_folder(path, node) / "key"


def _node_folder(path: Path, node: str) -> Path:
    return nodes_folder(path) / node
