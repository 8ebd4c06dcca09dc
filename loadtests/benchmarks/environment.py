"""On what a figure was measured. Without it a figure cannot be compared."""

import os
import platform
import resource
from importlib.metadata import version
from typing import Final

_PACKAGES: Final = ("novate", "pyrevm", "py-evm", "coincurve", "numpy", "ortools", "web3")


def environment() -> dict[str, str]:
    """Machine and versions, as words."""
    found = {
        "machine": f"{os.cpu_count()} cores ({platform.machine()}), {_memory_gib()} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load_before": f"{os.getloadavg()[0]:.2f}",
    }
    return found | {package: _version(package) for package in _PACKAGES}


def peak_memory_bytes() -> int:
    """The most memory that this process has had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _memory_gib() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)


def _version(package: str) -> str:
    try:
        return version(package)
    except ModuleNotFoundError:
        return "not installed"
