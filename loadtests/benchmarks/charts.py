"""Charts in SVG: panels of lines over logarithmic axes, with points where something was measured.

Everything that is drawn follows from the numbers, so the same figures make the same file.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from typing import Final

COLOURS: Final = ("#1f5fa8", "#d4761c", "#2c8f64", "#8b4fb0")
"""Told apart by people who do not see all colours, and by their lightness in print."""
WIDTH: Final = 1_040
_COLUMNS: Final = 2
_PANEL_WIDTH: Final = WIDTH // _COLUMNS
_PANEL_HEIGHT: Final = 356
_HEAD: Final = 76
_FOOT: Final = 34
_MARGIN: Final = 28
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 26, 62, 54
_INK, _SOFT, _GRID = "#1c2733", "#5b6875", "#e4e8ec"
_FONT: Final = "Helvetica Neue, Helvetica, Arial, Liberation Sans, sans-serif"
_STEPS: Final = (1, 2, 5)
_DECADES_IN_STEPS: Final = 1.8
_CHARACTER: Final = 6.6

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Series:
    """One line: points by x, both above zero. ``colour`` is its place in the palette."""

    name: str
    points: Sequence[Point]
    colour: int


@dataclass(frozen=True, slots=True)
class Panel:
    """Some lines over the same axes. ``x_ticks`` are places to name, or the decades."""

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    x_ticks: Sequence[float] = ()


def draw_chart(title: str, subtitle: str, footnote: str, panels: Sequence[Panel]) -> str:
    """A picture of panels, two in a row."""
    rows = -(-len(panels) // _COLUMNS)
    height = _HEAD + rows * _PANEL_HEIGHT + _FOOT
    box = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box} font-family="{_FONT}" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(_MARGIN, 36, title, size=21, weight=600),
        _text(_MARGIN, 59, subtitle, size=13, fill=_SOFT),
    ]
    for place, panel in enumerate(panels):
        x, y = place % _COLUMNS * _PANEL_WIDTH, _HEAD + place // _COLUMNS * _PANEL_HEIGHT
        parts += [f'<g transform="translate({x} {y})">', *_panel(panel), "</g>"]
    parts += [_text(_MARGIN, height - 16, footnote, size=11, fill=_SOFT), "</svg>"]
    return "\n".join(parts) + "\n"


def short(value: float) -> str:
    """A number as an axis has it: 500, 20k, 1.5M."""
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:g}{name}"
    return f"{value:g}"


class _Axis:
    """Places of values on a logarithmic axis, between two ends in pixels."""

    def __init__(self, low: float, high: float, begin: float, end: float) -> None:
        self._low, self._span = log10(low), log10(high) - log10(low) or 1.0
        self._begin, self._length = begin, end - begin

    def place(self, value: float) -> float:
        share = (log10(value) - self._low) / self._span
        return round(self._begin + share * self._length, 1)


def _panel(panel: Panel) -> Iterator[str]:
    xs = [x for series in panel.series for x, _ in series.points]
    ys = [y for series in panel.series for _, y in series.points]
    y_ticks = _ticks(min(ys), max(ys))
    left, right = _LEFT, _PANEL_WIDTH - _RIGHT
    top, bottom = _TOP, _PANEL_HEIGHT - _BOTTOM
    x_axis = _Axis(min(xs), max(xs), left + 14, right - 14)
    y_axis = _Axis(y_ticks[0], y_ticks[-1], bottom, top)
    yield _text(_MARGIN, 18, panel.title, size=15, weight=600)
    yield from _legend(panel.series)
    for tick in y_ticks:
        y = y_axis.place(tick)
        yield _line(left, y, right, y, _GRID)
        yield _text(left - 8, y + 4, short(tick), size=11, fill=_SOFT, anchor="end")
    yield _line(left, bottom, right, bottom, _SOFT)
    for tick in panel.x_ticks or _decades(min(xs), max(xs)):
        x = x_axis.place(tick)
        yield _line(x, bottom, x, bottom + 4, _SOFT)
        yield _text(x, bottom + 18, short(tick), size=11, fill=_SOFT, anchor="middle")
    middle = (left + right) / 2
    yield _text(middle, bottom + 38, panel.x_label, size=12, fill=_INK, anchor="middle")
    yield _text(right, top - 8, panel.y_label, size=11, fill=_SOFT, anchor="end")
    for series in panel.series:
        yield from _drawn(series, x_axis, y_axis)


def _drawn(series: Series, x_axis: _Axis, y_axis: _Axis) -> Iterator[str]:
    colour = COLOURS[series.colour]
    places = [(x_axis.place(x), y_axis.place(y)) for x, y in sorted(series.points)]
    path = " ".join(f"{x},{y}" for x, y in places)
    yield (
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.2"'
        ' stroke-linejoin="round" stroke-linecap="round"/>'
    )
    for (x, y), (at, value) in zip(places, sorted(series.points), strict=True):
        told = escape(f"{series.name}: {value:,.0f} at {at:,.0f}")
        yield (
            f'<circle cx="{x}" cy="{y}" r="3.4" fill="{colour}" stroke="#ffffff"'
            f' stroke-width="1.2"><title>{told}</title></circle>'
        )


def _legend(series: Iterable[Series]) -> Iterator[str]:
    x = float(_MARGIN)
    for each in series:
        yield (
            f'<line x1="{x:g}" y1="36" x2="{x + 16:g}" y2="36" stroke="{COLOURS[each.colour]}"'
            ' stroke-width="3" stroke-linecap="round"/>'
        )
        yield _text(x + 22, 40, each.name, size=12)
        x += 22 + len(each.name) * _CHARACTER + 18


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers from below the lowest value to above the highest."""
    steps = _STEPS if log10(high / low) < _DECADES_IN_STEPS else _STEPS[:1]
    decades = range(floor(log10(low)), ceil(log10(high)) + 1)
    marks = [step * 10.0**decade for decade in decades for step in steps]
    first = max((i for i, mark in enumerate(marks) if mark <= low), default=0)
    last = min((i for i, mark in enumerate(marks) if mark >= high), default=len(marks) - 1)
    return marks[first : max(last, first + 1) + 1]


def _decades(low: float, high: float) -> list[float]:
    return [10.0**decade for decade in range(ceil(log10(low)), floor(log10(high)) + 1)]


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" stroke="{colour}"/>'


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: int,
    fill: str = _INK,
    anchor: str = "start",
    weight: int = 400,
) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{fill}" text-anchor="{anchor}"'
        f' font-weight="{weight}">{escape(text)}</text>'
    )
