"""The page that compares two runs."""

from collections.abc import Sequence
from typing import Any, Final

from loadtests.comparison import Change
from loadtests.report import charts
from loadtests.report.page import rendered
from loadtests.report.words import Words, word

NAMED_MAX: Final = 4


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
        english, chinese = _listed(worse)
        return Words(f"Worse: {english}.", f"变差：{chinese}。")
    if better:
        english, chinese = _listed(better)
        return Words(f"Better: {english}.", f"改善：{chinese}。")
    return Words("Alike within noise.", "差异在误差范围内。")


def _listed(names: Sequence[str]) -> tuple[str, str]:
    """The first few, and how many more there are."""
    shown, more = names[:NAMED_MAX], len(names) - NAMED_MAX
    if more <= 0:
        return ", ".join(shown), "、".join(shown)
    return f"{', '.join(shown)} and {more} more", f"{'、'.join(shown)}等 {len(names)} 项"
