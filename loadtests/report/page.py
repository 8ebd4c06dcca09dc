"""Writes a run as a page and as JSON beside it."""

import json
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from loadtests.report import charts
from loadtests.report.verdict_words import verdict_words
from loadtests.report.words import Words, word

REPORT: Final = "report.html"
FIGURES: Final = "report.json"


def write_report(folder: Path, result: dict[str, Any]) -> None:
    """Writes report.html and report.json into a folder, which is made when it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FIGURES).write_text(json.dumps(result, indent=1), encoding="utf-8")
    (folder / REPORT).write_text(report_page(result), encoding="utf-8")


def report_page(result: dict[str, Any]) -> str:
    """The page of a run."""
    drawn = {
        "rates": charts.rates(result),
        "latency_accepted": charts.latency(result, "accepted"),
        "latency_final": charts.latency(result, "final"),
        "stages": charts.stages(result),
        "curve": charts.curve([(Words("", ""), result)], ("accepted", "final")),
        "busy": charts.busy(result),
        "errors": charts.errors(result),
    }
    if result["figures"]["sustained_rate"] is not None or "climb" in result:
        drawn["steps"] = charts.steps(result)
    return rendered("report.html", result=result, verdict=verdict_words(result), charts=drawn)


def rendered(name: str, **values: Any) -> str:  # noqa: ANN401 # whatever a template shows
    """A template of this package with its words; charts are drawn by this package alone."""
    environment = Environment(
        loader=PackageLoader("loadtests.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["word"] = word
    environment.filters["number"] = _number
    values["charts"] = {
        name: Markup(chart)  # noqa: S704 # our own SVG; its texts are escaped
        for name, chart in values["charts"].items()
        if chart
    }
    return environment.get_template(name).render(**values)


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:,.2f}"
