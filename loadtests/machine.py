"""On what a run was made, and how busy server and generators were meanwhile.

On a small machine the generator is the first bottleneck: without its share of the processor, a rate
says little about the server.
"""

import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from threading import Event, Thread
from typing import Any, Final

import psutil

from loadtests.moments import now

SAMPLE_SECONDS: Final = 1.0
SAMPLES_MAX: Final = 20_000
_PACKAGES: Final = ("novate", "locust", "pyrevm", "numpy", "uvicorn", "fastapi")


def machine() -> dict[str, str]:
    """Machine and versions, as words."""
    memory = round(psutil.virtual_memory().total / 2**30)
    found = {
        "cores": str(os.cpu_count()),
        "machine": f"{platform.machine()}, {memory} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load_before": f"{os.getloadavg()[0]:.2f}",
    }
    return found | {package: _version(package) for package in _PACKAGES}


@dataclass(slots=True)
class Busy:
    """Percent of one core by second, of trees of processes by name."""

    at: list[float] = field(default_factory=list)
    percent: dict[str, list[float]] = field(default_factory=dict)
    memory_bytes: dict[str, int] = field(default_factory=dict)

    def as_json(self, begin: float, end: float) -> dict[str, Any]:
        """Mean and maximum between two moments, and the most memory."""
        found = {}
        for name, values in self.percent.items():
            within = [v for at, v in zip(self.at, values, strict=True) if begin <= at < end]
            found[name] = {
                "mean": round(sum(within) / len(within), 1) if within else None,
                "max": round(max(within), 1) if within else None,
                "memory_bytes": self.memory_bytes.get(name, 0),
            }
        return found


@contextmanager
def observed(roots: Mapping[str, int]) -> Iterator[Busy]:
    """Samples processes and their children while the block runs, by their root's id."""
    busy, done = Busy(percent={name: [] for name in roots}), Event()
    thread = Thread(target=_sample, args=(roots, busy, done), daemon=True)
    thread.start()
    try:
        yield busy
    finally:
        done.set()
        thread.join()


def _sample(roots: Mapping[str, int], busy: Busy, done: Event) -> None:
    before: dict[str, float] = {}
    last = now()
    while not done.wait(SAMPLE_SECONDS) and len(busy.at) < SAMPLES_MAX:
        moment = now()
        busy.at.append(moment)
        for name, root in roots.items():
            used, memory = _used(root)
            seconds = max(used - before.get(name, used), 0.0)
            busy.percent[name].append(100 * seconds / (moment - last))
            busy.memory_bytes[name] = max(busy.memory_bytes.get(name, 0), memory)
            before[name] = used
        last = moment


def _used(root: int) -> tuple[float, int]:
    """Seconds of processor that a tree has used, and its memory now."""
    seconds, memory = 0.0, 0
    try:
        top = psutil.Process(root)
        tree = [top, *top.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0, 0
    for each in tree:
        try:
            times = each.cpu_times()
            seconds += times.user + times.system
            memory += each.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return seconds, memory


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
