"""The state folder: everything a consortium keeps, and who may have it open.

meta.json                  format version, the network, the rules, the chain if it is elsewhere
lock                       held by the one process that has the folder open
chain.sqlite               the block store, unless the chain is elsewhere
nodes/ID/books.sqlite      a node's books
nodes/ID/key               its key, mode 0600
"""

import fcntl
import os
from pathlib import Path
from typing import Final

import msgspec

from ledger.domain.rules import Rules
from nodes.engine import EngineIdentity
from nodes.network import Network

FORMAT_VERSION: Final = 1


class StateFolderError(Exception):
    """The folder cannot be used as it is; the message says why and what to do."""


class Meta(msgspec.Struct, frozen=True):
    """What the folder says of itself. Without an engine the chain is in the folder."""

    format: int
    network: Network
    rules: Rules
    engine: EngineIdentity | None = None


class StateFolder:
    """One consortium's folder, open in this process alone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise StateFolderError(
                f"{path} is in use by another process: stop it, or name another folder with --state"
            ) from error

    def read_meta(self) -> Meta | None:
        """What the folder says of itself; None when it is new. Raises StateFolderError."""
        file = self.path / "meta.json"
        if not file.exists():
            return None
        try:
            meta = msgspec.json.decode(file.read_bytes(), type=Meta)
        except msgspec.MsgspecError as error:
            raise StateFolderError(
                f"{file} is damaged ({error}): restore it from a backup"
            ) from error
        if meta.format != FORMAT_VERSION:
            raise StateFolderError(
                f"{file} has format {meta.format}, this version reads format {FORMAT_VERSION}:"
                " use the version that wrote it, or a new folder"
            )
        return meta

    def write_meta(
        self, network: Network, rules: Rules, engine: EngineIdentity | None = None
    ) -> None:
        """Founds the folder, or says more of its chain: whole on disk, or not at all."""
        meta = Meta(FORMAT_VERSION, network, rules, engine)
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

    @property
    def chain_file(self) -> Path:
        """The block store."""
        return self.path / "chain.sqlite"

    def node_folder(self, node: str) -> Path:
        """The folder of one node; made when it is missing."""
        folder = self.path / "nodes" / node
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def close(self) -> None:
        """Lets others have the folder."""
        os.close(self._lock)
