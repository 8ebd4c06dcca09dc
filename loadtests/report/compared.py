"""The page that compares two runs."""

from collections.abc import Sequence
from typing import Any

from loadtests.comparison import Change
from loadtests.report import charts
from loadtests.report.page import rendered
from loadtests.report.words import Words, word


def compared_page(
    before: dict[str, Any], after: dict[str, Any], found: Sequence[Change], unlike: Sequence[str]
) -> str:
    """Both runs' figures and curves side by side."""
    runs = [(word("before"), before), (word("after"), after)]
    drawn = {stage: charts.curve(runs, (stage,)) for stage in ("accepted", "final")}
    worse = [each.name for each in found if each.word == "worse"]
    better = [each.name for each in found if each.word == "better"]
    return rendered(
        "compared.html",
        charts=drawn,
        before=before,
        after=after,
        changes=found,
        unlike=unlike,
        is_worse=bool(worse),
        verdict=_verdict(worse, better),
    )


def _verdict(worse: Sequence[str], better: Sequence[str]) -> Words:
    if worse:
        return Words(f"Worse: {', '.join(worse)}.", f"变差：{'，'.join(worse)}。")
    if better:
        return Words(f"Better: {', '.join(better)}.", f"改善：{'，'.join(better)}。")
    return Words("Alike within noise.", "差异在误差范围内。")
