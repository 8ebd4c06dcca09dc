"""Charts as SVG: lines over even or logarithmic axes. The same figures make the same chart.

Words come in both languages; the page shows one of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from typing import Final

from loadtests.report.words import Words

Point = tuple[float, float]
COLOURS: Final = ("#1f5fa8", "#d4761c", "#2c8f64", "#8b4fb0", "#b3344d", "#5b6875")
"""Told apart by people who do not see all colours; lines differ in their dashes too."""
DASHES: Final = ("", "7 3", "2 3")
WIDTH, HEIGHT = 600, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 16, 34, 40
_CHARACTER: Final = 6.4
_CJK: Final = 12.0


@dataclass(frozen=True, slots=True)
class Series:
    """One line; a gap where a point is missing. ``words`` are its name."""

    words: Words
    points: Sequence[Point | None]
    colour: int
    dash: int = 0


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of the horizontal axis with a name, such as a step."""

    begin: float
    end: float
    words: Words
    is_marked: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """Some lines over the same axes."""

    x_words: Words
    y_words: Words
    series: Sequence[Series]
    is_log_x: bool = False
    is_log_y: bool = False
    bands: Sequence[Band] = ()
    y_max: float | None = None


@dataclass(frozen=True, slots=True)
class Axis:
    """From values to places in pixels."""

    ticks: Sequence[float]
    begin: float
    end: float
    is_log: bool

    def place(self, value: float) -> float:
        """Where a value is; what is beyond an end is at it."""
        low, high = self.ticks[0], self.ticks[-1]
        value = min(max(value, low), high)
        if self.is_log:
            share = (log10(value) - log10(low)) / (log10(high) - log10(low))
        else:
            share = (value - low) / (high - low)
        return round(self.begin + share * (self.end - self.begin), 1)


def drawn(chart: Chart) -> str:
    """The chart as an SVG element."""
    points = [point for each in chart.series for point in each.points if point is not None]
    if not points:
        return ""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    top_value = max(ys) if chart.y_max is None else chart.y_max
    x_ticks = log_ticks(min(xs), max(xs)) if chart.is_log_x else even_ticks(0, max(xs))
    y_ticks = log_ticks(min(ys), max(ys)) if chart.is_log_y else even_ticks(0, top_value)
    x_axis = Axis(x_ticks, _LEFT, WIDTH - _RIGHT, chart.is_log_x)
    y_axis = Axis(y_ticks, HEIGHT - _BOTTOM, _TOP, chart.is_log_y)
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">']
    parts += _bands(chart.bands, x_axis)
    parts += _axes(chart, x_axis, y_axis)
    parts += [_line(each, x_axis, y_axis) for each in chart.series]
    parts += _legend(chart.series)
    return "".join([*parts, "</svg>"])


@dataclass(frozen=True, slots=True)
class Range:
    """A row of a chart of ranges: marks from the first value to the last."""

    words: Words
    values: Sequence[float]


def drawn_ranges(rows: Sequence[Range], marks: Sequence[str], x_words: Words) -> str:
    """Rows of marks on one logarithmic axis, such as the percentiles of stages."""
    rows = [row for row in rows if row.values]
    if not rows:
        return ""
    values = [value for row in rows for value in row.values]
    left, height = 96, _TOP + 40 * len(rows) + _BOTTOM
    axis = Axis(log_ticks(min(values), max(values)), left, WIDTH - 30, is_log=True)
    parts = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img">']
    for tick in axis.ticks:
        x = axis.place(tick)
        parts.append(f'<path class="grid" d="M{x} {_TOP}V{height - _BOTTOM}"/>')
        parts.append(_text(x, height - _BOTTOM + 16, short(tick), "middle"))
    parts.append(both((left + WIDTH - 30) / 2, height - 6, x_words, "middle"))
    for place, row in enumerate(rows):
        y = _TOP + 40 * place + 22
        first, last = axis.place(row.values[0]), axis.place(row.values[-1])
        parts.append(both(left - 10, y + 4, row.words, "end"))
        parts.append(f'<path d="M{first} {y}H{last}" stroke="#9aa5b1" stroke-width="2"/>')
        parts += [
            f'<circle cx="{axis.place(value)}" cy="{y}" r="5" fill="{COLOURS[at]}">'
            f"<title>{escape(f'{marks[at]} {value:,.0f} ms')}</title></circle>"
            for at, value in enumerate(row.values)
        ]
        # The numbers that are looked for: the middle and the last but one.
        for at in {0, len(row.values) - 2}:
            parts.append(_text(axis.place(row.values[at]), y - 9, short(row.values[at]), "middle"))
    x = float(left)
    for at, mark in enumerate(marks):
        parts.append(f'<circle cx="{x}" cy="14" r="5" fill="{COLOURS[at]}"/>')
        parts.append(_text(x + 9, 18, mark, "start"))
        x += 24 + len(mark) * _CHARACTER + 16
    return "".join([*parts, "</svg>"])


def short(value: float) -> str:
    """A number as an axis has it: 500, 20k, 1.5M."""
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:.3g}{name}"
    return f"{value:.3g}"


def even_ticks(low: float, high: float) -> list[float]:
    """Round numbers from at most the lowest value to at least the highest, four or five steps."""
    span = max(high - low, 1e-9)
    step = 10.0 ** floor(log10(span / 4))
    while span / step > 6:
        step *= 2.5 if f"{step:e}".startswith("2") else 2
    count = ceil(span / step - 1e-9)
    return [low + step * at for at in range(count + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Ones, twos and fives; decades only where there are many."""
    low, high = max(low, 1e-3), max(high, 2e-3)
    steps = (1, 2, 5) if high / low < 300 else (1,)
    marks = [
        step * 10.0**decade
        for decade in range(floor(log10(low)), ceil(log10(high)) + 1)
        for step in steps
    ]
    first = max((at for at, mark in enumerate(marks) if mark <= low), default=0)
    last = min((at for at, mark in enumerate(marks) if mark >= high), default=len(marks) - 1)
    return marks[first : max(last, first + 1) + 1]


def both(x: float, y: float, words: Words, anchor: str) -> str:
    """A text in each language."""
    return _text(x, y, words.en, anchor, "en") + _text(x, y, words.zh, anchor, "zh")


def _text(x: float, y: float, text: str, anchor: str, language: str = "") -> str:
    kind = f' class="{language}"' if language else ""
    return f'<text{kind} x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'


def _axes(chart: Chart, x_axis: Axis, y_axis: Axis) -> Iterator[str]:
    bottom = HEIGHT - _BOTTOM
    for tick in y_axis.ticks:
        y = y_axis.place(tick)
        yield f'<path class="grid" d="M{_LEFT} {y}H{WIDTH - _RIGHT}"/>'
        yield _text(_LEFT - 8, y + 4, short(tick), "end")
    for tick in x_axis.ticks:
        x = x_axis.place(tick)
        yield f'<path class="axis" d="M{x} {bottom}v4"/>'
        yield _text(x, bottom + 17, short(tick), "middle")
    yield f'<path class="axis" d="M{_LEFT} {bottom}H{WIDTH - _RIGHT}"/>'
    yield both((_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - 6, chart.x_words, "middle")
    yield both(WIDTH - _RIGHT, _TOP - 18, chart.y_words, "end")


def _line(series: Series, x_axis: Axis, y_axis: Axis) -> str:
    path, is_down = [], False
    for point in series.points:
        if point is not None:
            place = f"{x_axis.place(point[0]):g} {y_axis.place(point[1]):g}"
            path.append(("L" if is_down else "M") + place)
        is_down = point is not None
    dash = DASHES[series.dash]
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    colour = COLOURS[series.colour]
    return f'<path class="line" d="{"".join(path)}" stroke="{colour}"{dashed}/>'


def _bands(bands: Sequence[Band], x_axis: Axis) -> Iterator[str]:
    for at, band in enumerate(bands):
        first, last = x_axis.place(band.begin), x_axis.place(band.end)
        kind = "marked" if band.is_marked else f"band{at % 2}"
        box = f'x="{first}" y="{_TOP}" width="{last - first:g}" height="{HEIGHT - _BOTTOM - _TOP}"'
        yield f'<rect class="{kind}" {box}/>'
        if last - first > 40:
            yield both((first + last) / 2, _TOP + 12, band.words, "middle")


def _legend(series: Sequence[Series]) -> Iterator[str]:
    for language in ("en", "zh"):
        x = 4.0
        for each in series:
            text = each.words.zh if language == "zh" else each.words.en
            dash = DASHES[each.dash]
            dashed = f' stroke-dasharray="{dash}"' if dash else ""
            yield (
                f'<path class="{language} line" d="M{x:g} 12h20" stroke="{COLOURS[each.colour]}"'
                f"{dashed}/>"
            )
            yield _text(x + 25, 16, text, "start", language)
            x += 25 + _width(text) + 14


def _width(text: str) -> float:
    return sum(_CJK if ord(letter) > 0x2E80 else _CHARACTER for letter in text)
