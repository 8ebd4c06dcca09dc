"""Files that are whole on disk under their names, or not there at all, whenever a crash comes."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Writes under another name, forces it to the disk, and renames; makes folders as needed.

    Nothing of it stays when the disk does not take it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    try:
        with temporary.open("wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.rename(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    force_to_disk(path.parent)


def write_bytes_whole(path: Path, content: bytes) -> None:
    """Writes some bytes likewise."""
    write_whole(path, lambda stream: stream.write(content))


def force_to_disk(folder: Path) -> None:
    """Has the disk remember which files are in a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
