"""Where the nodes of a state folder listen: a small file, written whole by who starts them."""

from pathlib import Path
from threading import Lock
from typing import Final

import msgspec

from ledger.books.whole_files import write_bytes_whole

FILE: Final = "processes.json"
LOCAL: Final = "127.0.0.1"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a node is.

    Attributes:
        state: running, ended (on purpose), paused, or restarting.
        port: of 127.0.0.1; 0 before it has listened.
    """

    pid: int
    port: int
    state: str = "running"


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """Everything in the file.

    Attributes:
        contracts: addresses of the network's contracts, 0x-prefixed, by name.
    """

    contracts: dict[str, str]
    nodes: dict[str, Place]


class Directory:
    """The file of one state folder, read again when it has changed."""

    def __init__(self, state: Path) -> None:
        self.file = state / FILE
        self._lock = Lock()
        self._version: tuple[int, int] | None = None
        self._listing = Listing(contracts={}, nodes={})

    def read(self) -> Listing:
        """As it is now; nobody is listed while there is no file."""
        with self._lock:
            try:
                found = self.file.stat()
                version = (found.st_mtime_ns, found.st_ino)
                if version != self._version:
                    self._listing = msgspec.json.decode(self.file.read_bytes(), type=Listing)
                    self._version = version
            except (FileNotFoundError, msgspec.MsgspecError):
                return Listing(contracts={}, nodes={})
            return self._listing

    def write(self, listing: Listing) -> None:
        """Says it anew."""
        content = msgspec.json.format(msgspec.json.encode(listing))
        write_bytes_whole(self.file, content)

    def port_of(self, node: str) -> int:
        """Where a node listens; 0: nowhere that is known."""
        place = self.read().nodes.get(node)
        return place.port if place else 0

    def clear(self) -> None:
        """Nobody listens any more."""
        self.file.unlink(missing_ok=True)
