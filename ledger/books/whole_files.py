"""Files that are whole on disk under their names, or not there at all, whenever a crash comes."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from ledger.books.database import StorageError


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Writes under another name, forces it to the disk, and renames; makes folders as needed.

    Raises StorageError when the disk is full or fails; the same may be tried again later.
    """
    temporary = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.rename(path)
        _force_to_disk(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StorageError(f"{path}: {error.strerror or error}") from error


def _force_to_disk(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
