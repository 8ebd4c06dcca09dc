"""Memory of a process that clears: what a cycle frees, the next one uses again.

Columns of a cycle of millions of trades are freed at its end and wanted again a second later. By
default they go back to the system in between, and asking for them anew can cost more than clearing:
pages are cleared, and huge ones put together, on every first touch. For processes whose main thread
clears: memory of other threads is another matter. Only on Linux, in full only with glibc.
"""

import ctypes
import gc
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MMAP_MAX: Final = -4
_NEVER: Final = -1
_SET_THP_DISABLE: Final = 41


def reuse_freed_memory() -> None:
    """From now on this process keeps what it frees, and takes memory in small pages."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_MMAP_MAX, 0)
        libc.mallopt(_TRIM_THRESHOLD, _NEVER)
    if hasattr(libc, "prctl"):
        libc.prctl(_SET_THP_DISABLE, 1, 0, 0, 0)


def spare_what_stands() -> None:
    """From now on the garbage collector passes over what there is now.

    Code and books of a process that has started stay to its end. Looking through all of them costs
    a tenth of a second and more, now and then, in the middle of a cycle.
    """
    gc.collect()
    gc.freeze()
