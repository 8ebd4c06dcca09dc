"""Sets of positions on disk: the ranges they form, each as the gap before it and its length.

Positions that are said something of mostly follow each other, so a set of a million takes a few
bytes; one without any order takes a byte or two a position.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ledger.clearing.columns import Column

_KINDS: Final = {1: "<u1", 2: "<u2", 4: "<u4", 8: "<u8"}


def set_of(positions: Column) -> Column:
    """Some positions, in whatever order and however often each, ascending and each once."""
    if (positions[1:] > positions[:-1]).all():
        return positions
    ascending = np.sort(positions)
    is_first = np.ones(len(ascending), dtype=bool)
    is_first[1:] = ascending[1:] != ascending[:-1]
    return ascending[is_first]


def pack_positions(positions: Column) -> bytes:
    """Ascending positions, each once, as bytes."""
    assert (positions[1:] > positions[:-1]).all()
    if not len(positions):
        return b""
    breaks = np.flatnonzero(positions[1:] - positions[:-1] != 1) + 1
    starts = positions[np.concatenate([[0], breaks])]
    lengths = np.diff(np.concatenate([[0], breaks, [len(positions)]]))
    assert starts[0] >= 0
    gaps = np.diff(np.concatenate([[0], starts]))
    gaps[1:] -= lengths[:-1]
    parts = [_narrow(gaps), _narrow(lengths)]
    widths = bytes(part.itemsize for part in parts)
    return widths + b"".join(part.tobytes() for part in parts)


def unpack_positions(packed: bytes) -> Column:
    """The positions that were packed, ascending, each once."""
    if not packed:
        return np.zeros(0, dtype=np.int64)
    gap_width, length_width = packed[0], packed[1]
    count = (len(packed) - 2) // (gap_width + length_width)
    gaps = np.frombuffer(packed, _KINDS[gap_width], count, 2).astype(np.int64)
    lengths = np.frombuffer(packed, _KINDS[length_width], count, 2 + count * gap_width)
    lengths = lengths.astype(np.int64)
    # A position is its place among the positions, and all gaps up to it.
    positions: Column = np.repeat(np.cumsum(gaps), lengths)
    positions += np.arange(len(positions))
    return positions


def _narrow(numbers: Column) -> NDArray[Any]:
    last = int(numbers.max())
    width = next(width for width in _KINDS if last < 1 << 8 * width)
    return numbers.astype(_KINDS[width])
