"""Whole files: a disk that does not take one is said, and nothing of it stays."""

import resource
from contextlib import contextmanager

import pytest

from ledger.books.database import StorageError
from ledger.books.whole_files import write_whole

CONTENT = bytes(100_000)


@contextmanager
def full_disk():
    """Files of this process may not grow."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_file_that_the_disk_does_not_take_leaves_nothing_and_is_written_later(tmp_path):
    path = tmp_path / "folder" / "file"
    with full_disk(), pytest.raises(StorageError, match="file: File too large"):
        write_whole(path, lambda stream: stream.write(CONTENT))
    assert list(path.parent.iterdir()) == []

    write_whole(path, lambda stream: stream.write(CONTENT))

    assert path.read_bytes() == CONTENT
    assert list(path.parent.iterdir()) == [path]
