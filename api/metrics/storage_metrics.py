"""What is on the disk: each node's books, chain and write-ahead logs, and what else there is."""

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from api.metrics.families import gauge, gauges
from nodes.sandbox.interface_books import INTERFACE_FOLDER
from nodes.state_folder import nodes_folder, segments_folder


class StorageMetrics(Collector):
    """Looks at the files of a state folder; a sandbox in memory has none."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def collect(self) -> Iterator[Metric]:
        """As of now."""
        if self._path is None:
            return
        sizes = Counter[tuple[str, ...]]()
        for owner, folder in _folders(self._path):
            for file in folder.glob("*"):
                with suppress(FileNotFoundError):
                    sizes[owner, _kind(file)] += file.stat().st_size
        words = "Bytes on disk by owner and kind of file; log is the write-ahead log."
        yield gauges("novate_storage_bytes", words, ["owner", "file"], sizes)
        free = shutil.disk_usage(self._path).free
        yield gauge("novate_storage_free_bytes", "Bytes free where the state folder is.", free)


def _folders(path: Path) -> Iterator[tuple[str, Path]]:
    yield from ((folder.name, folder) for folder in sorted(nodes_folder(path).glob("*")))
    yield "interface", path / INTERFACE_FOLDER
    yield "segments", segments_folder(path)


def _kind(file: Path) -> str:
    """What is in a file, out of a few words."""
    if file.name.endswith(("-wal", "-shm", "-journal")):
        return "log"
    return {".sqlite": "database", ".trades": "trades", ".parquet": "cycles"}.get(
        file.suffix, "other"
    )
