"""What a backup says of itself: every file with its hash, and where the market stood.

manifest.json            the manifest, written last: a folder without one is no backup
manifest.json.sha256     its own hash, so that a damaged manifest is known for one
data/                    the state folder
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from ledger.books.whole_files import write_bytes_whole
from nodes.folder_meta import FORMAT_VERSION

BACKUP_FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
MANIFEST_HASH: Final = "manifest.json.sha256"
DATA: Final = "data"
UNFINISHED: Final = ".unfinished"
PIECE_BYTES: Final = 1 << 20


class BackupError(Exception):
    """A backup is not what it must be, or cannot be made; the message names what differs."""


class KeptFile(msgspec.Struct, frozen=True):
    """A file of a backup.

    Attributes:
        path: in the state folder.
        sha256: of its content, in hex.
    """

    path: str
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a backup must have when it is brought back.

    Attributes:
        folder_format: of the state folder.
        business_time: what the business clock showed.
        block: the last final block.
        open_breaks: of the nodes that answered.
        validators: who votes on blocks, by their names.
    """

    format: int = BACKUP_FORMAT
    folder_format: int = FORMAT_VERSION
    venue: str
    business_time: str
    block: int
    state_hash: str
    open_breaks: int
    validators: tuple[str, ...]
    files: tuple[KeptFile, ...] = ()

    @property
    def size_bytes(self) -> int:
        """Of all its files."""
        return sum(file.bytes for file in self.files)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Makes a backup of a folder: from now on it is whole. Raises OSError."""
    content = msgspec.json.format(msgspec.json.encode(manifest))
    write_bytes_whole(folder / MANIFEST_HASH, hashlib.sha256(content).hexdigest().encode())
    write_bytes_whole(folder / MANIFEST, content)


def read_manifest(folder: Path) -> Manifest:
    """What a backup says of itself. Raises BackupError when it is none, or is damaged."""
    if folder.suffix == UNFINISHED:
        raise BackupError(f"{folder} was cut off while it was written: it is no backup")
    try:
        content = (folder / MANIFEST).read_bytes()
        kept_hash = (folder / MANIFEST_HASH).read_bytes()
    except OSError as error:
        raise BackupError(
            f"{folder} is no backup, or not a whole one: {error.filename}: {error.strerror}"
        ) from error
    found = hashlib.sha256(content).hexdigest().encode()
    if kept_hash != found:
        shown = kept_hash[:80].decode(errors="replace")
        raise BackupError(
            f"{MANIFEST}: {MANIFEST_HASH} says SHA-256 {shown}, found {found.decode()}"
        )
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except msgspec.MsgspecError as error:
        raise BackupError(f"{MANIFEST}: {error}") from error
    _check_version("of the backup", BACKUP_FORMAT, manifest.format)
    _check_version("of the state folder in it", FORMAT_VERSION, manifest.folder_format)
    return manifest


def check_names(folder: Path, manifest: Manifest) -> None:
    """Raises BackupError when a backup has a file too many or too few."""
    data = folder / DATA
    found = {str(file.relative_to(data)) for file in data.rglob("*") if file.is_file()}
    expected = {file.path for file in manifest.files}
    for path in sorted(expected - found):
        raise BackupError(f"{path}: it is in the manifest and is missing")
    for path in sorted(found - expected):
        raise BackupError(f"{path}: it is not in the manifest")


def check_file(kept: KeptFile, size: int, sha256: str) -> None:
    """Raises BackupError when a file is another than was kept."""
    if size != kept.bytes:
        raise BackupError(f"{kept.path}: expected {kept.bytes} bytes, found {size}")
    if sha256 != kept.sha256:
        raise BackupError(f"{kept.path}: expected SHA-256 {kept.sha256}, found {sha256}")


def pieces_of(path: Path) -> Iterator[bytes]:
    """The content of a file, piece by piece."""
    with path.open("rb") as stream:
        while piece := stream.read(PIECE_BYTES):
            yield piece


def _check_version(what: str, expected: int, found: int) -> None:
    if found != expected:
        raise BackupError(
            f"the format {what} is {found}, this version reads {expected}:"
            " use the version that wrote it"
        )
