"""Compares two runs by their report.json: a table, a page, and an exit status.

novate load compare before/report.json after/report.json --html compared.html

Exit status: 0 nothing is worse beyond noise, 1 a run is void, 2 bad input, 4 something is worse.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

from loadtests.comparison import NOISE_PERCENT, Change, changes, differences
from loadtests.report.compared import compared_page
from loadtests.thresholds import MISSED, SOUND, UNSOUND

BAD_INPUT: Final = 2


def main(arguments: list[str] | None = None) -> int:
    """Compares; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        before, after = (_read(path) for path in (options.before, options.after))
        found = changes(before, after, options.noise)
        unlike = differences(before, after)
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.stderr.write(f"expected two files report.json of runs: {error}\n")
        return BAD_INPUT
    _print(found, unlike)
    if options.html:
        page = compared_page(before, after, found, unlike)
        options.html.write_text(page, encoding="utf-8")
    if not (before["sound"] and after["sound"]):
        sys.stderr.write("a run that is not sound has no figures\n")
        return UNSOUND
    return MISSED if any(each.word == "worse" for each in found) else SOUND


def _print(found: list[Change], unlike: list[str]) -> None:
    print(f"{'':<20}{'before':>10}{'after':>10}{'change':>9}")  # noqa: T201 # what the command says
    for each in found:
        values = "".join(
            "–".rjust(10) if v is None else f"{v:>10g}" for v in (each.before, each.after)
        )
        percent = "" if each.percent is None else f"{each.percent:+.0f} %"
        print(f"{each.name:<20}{values}{percent:>9}  {each.word}")  # noqa: T201 # what the command says
    for each_unlike in unlike:
        print(f"not alike: {each_unlike}")  # noqa: T201 # what the command says


def _read(path: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return result


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="novate load compare",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("before", type=Path, help="report.json of the first run")
    parser.add_argument("after", type=Path, help="report.json of the second run")
    parser.add_argument("--html", type=Path, help="write a page too")
    parser.add_argument(
        "--noise", type=float, default=NOISE_PERCENT, help="percent that are no change"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
