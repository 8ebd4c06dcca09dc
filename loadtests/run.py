"""One load run from start to end: a sandbox of its own, Locust without its page, and the verdict.

novate load run smoke
novate load run step --workers 2 --out runs/step
novate load run --overload

Exit status: 0 sound and within its thresholds, 1 not sound, 2 bad input, 4 a threshold was missed.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from loadtests.locust_process import WORKERS_MAX, run_locust
from loadtests.overload import overload
from loadtests.profile import Profile, ProfileError, names, read_profile
from loadtests.report.page import write_report
from loadtests.result import print_summary
from loadtests.sandbox import sandbox
from loadtests.thresholds import DEFAULT_FILE, exit_status, read_thresholds
from loadtests.thresholds import check as check_thresholds

BAD_INPUT: Final = 2


def main(arguments: list[str] | None = None) -> int:
    """Runs the load; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        named = options.profile or ("overload" if options.overload else "smoke")
        profile = read_profile(named)
        if options.seed is not None:
            profile = replace(profile, seed=options.seed)
        again = f"python -m loadtests.run {named} --workers {options.workers} --seed {profile.seed}"
        if options.overload:
            out = options.out or Path("load-overload")
            return overload(profile, options.workers, out, f"{again} --overload")
        return _run(profile, options, again)
    except ProfileError as error:
        sys.stderr.write(f"{error}\n")
        return BAD_INPUT


def _run(profile: Profile, options: argparse.Namespace, again: str) -> int:
    thresholds = read_thresholds(options.thresholds, profile.name)
    with sandbox(profile.server) as running:
        result = run_locust(profile, running, options.workers, options.locust_html)
    if result is None:
        sys.stderr.write("Locust ended without a result\n")
        return 1
    checks = check_thresholds(thresholds, result)
    status = exit_status(result, checks)
    result |= {
        "thresholds": [each.as_json() for each in checks],
        "status": status,
        "reproduce": again,
    }
    print_summary(result)
    if options.out:
        write_report(options.out, result)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="novate load run",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("profile", nargs="?", help=f"{', '.join(names())}; a file")
    parser.add_argument("--overload", action="store_true", help="three times what is sustainable")
    parser.add_argument("--workers", type=_workers, default=1, help="processes that make load")
    parser.add_argument("--seed", type=int, help="instead of the profile's")
    parser.add_argument("--out", type=Path, help="folder for report.html and report.json")
    parser.add_argument("--thresholds", type=Path, default=DEFAULT_FILE, help="what to reach")
    parser.add_argument("--locust-html", type=Path, help="Locust's own report too")
    return parser


def _workers(text: str) -> int:
    count = int(text)
    if not 0 < count <= WORKERS_MAX:
        raise argparse.ArgumentTypeError(f"expected 1 to {WORKERS_MAX}")
    return count


if __name__ == "__main__":
    sys.exit(main())
