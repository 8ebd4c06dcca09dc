"""What charts drawn by the server are made of: they print, need no script, and keep their scale."""

from collections.abc import Sequence
from typing import Final

_STEPS: Final = (1, 2, 5, 10)


def nice_top(highest: float) -> int:
    """The end of an axis: 1, 2 or 5 times a power of ten, not below the highest value."""
    power = 1
    while True:
        for step in _STEPS:
            if highest <= step * power:
                return step * power
        power *= 10


def points(values: Sequence[float], top: float, width: int, height: int) -> str:
    """A line through values at equal distances, as the points of an SVG polyline."""
    gap = width / max(len(values) - 1, 1)
    return " ".join(
        f"{place * gap:.1f},{height - height * value / top:.1f}"
        for place, value in enumerate(values)
    )


def share(part: int, whole: int, of: int = 100) -> int:
    """A part of a whole as a length; what is there at all is seen."""
    if not part or not whole:
        return 0
    return max(min(of * part // whole, of), 1)
