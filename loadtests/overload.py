"""Three times what is sustainable: nothing is lost, who cannot be served is told so, and it passes.

First a short climb finds the highest rate that is sustained; then a storm of three times that
comes over a market at ease. What is not served must be refused with 429 or 503 and Retry-After, and
nothing else may go wrong; when the storm is over, latency is back and nothing waits within 30 s.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from loadtests.locust_process import run_locust
from loadtests.profile import Profile, ProfileError
from loadtests.report.page import write_report
from loadtests.result import Result, print_summary
from loadtests.sandbox import sandbox
from loadtests.thresholds import MISSED, SOUND, UNSOUND

TIMES: Final = 3.0
AT_EASE: Final = 0.5
"""Of the sustainable rate: the market before and after."""
LEAD_SECONDS: Final = 8.0
STORM_SECONDS: Final = 20.0
RECOVERY_SECONDS_MAX: Final = 30.0
STEADY_SECONDS: Final = 5
"""It is over when so many seconds in a row are as they were before."""
SLOWER_MAX: Final = 3.0
"""Times what the same took before, or the floor, is still as before."""
FLOOR_MS: Final = 1_500.0


@dataclass(frozen=True, slots=True)
class Overload:
    """What an overload has to hold, and whether it does."""

    sustainable: float
    result: Result

    def as_json(self) -> dict[str, Any]:
        """For the report."""
        checks = self.checks()
        return {
            "sustainable": self.sustainable,
            "offered": self._phase("storm")["offered"],
            "accepted": self._phase("storm")["accepted"],
            "recovery_seconds": self.recovery_seconds(),
            "checks": checks,
            "is_met": all(checks.values()),
        }

    def checks(self) -> dict[str, bool]:
        """By what must hold."""
        return {
            "nothing_lost": bool(self.result["sound"]),
            "only_429_and_503": all(_is_shed(name) for name in self.result["errors"]),
            "always_retry_after": self.result["no_retry_after"] == 0,
            "was_overloaded": bool(self.result["errors"]) or self._unsent() > 0,
            "recovered": self.recovery_seconds() is not None,
            "queue_empty": bool(self.result["books"]["drained"]),
        }

    def recovery_seconds(self) -> float | None:
        """From the storm's end until latency is as before for some seconds; None: not in time."""
        storm, before = self._phase("storm"), self._phase("before")
        end = int(-(-storm["end"] // 1))
        series = self.result["figures"]["series"]["latency_ms"]
        for after in range(int(RECOVERY_SECONDS_MAX) + 1):
            first = end + after
            if all(
                _is_as_before(series[stage]["p95"], first, before["latency_ms"][stage]["p99"])
                for stage in ("accepted", "final")
            ):
                return float(after)
        return None

    def _phase(self, name: str) -> Mapping[str, Any]:
        phases: Sequence[Mapping[str, Any]] = self.result["figures"]["phases"]
        return next(each for each in phases if each["name"] == name)

    def _unsent(self) -> int:
        count = self.result["count"]
        return int(count["offered"] - count["submitted"])


def overload(climb: Profile, workers: int, out: Path, again: str) -> int:
    """Runs both; returns the exit status.

    ``climb`` has the steps of the first; ``again`` is the command that does the same once more.
    """
    if climb.load.kind != "step":
        raise ProfileError(f"{climb.name}: expected a shape of steps, found {climb.load.kind}")
    with sandbox(climb.server) as running:
        found = run_locust(climb, running, workers)
        if found is not None:
            print_summary(found)
        if found is None or not found["sound"]:
            return UNSOUND
        sustainable = found["figures"]["sustained_rate"]
        if not sustainable:
            sys.stderr.write("no sustainable rate was found: begin with a lower one\n")
            return MISSED
        result = run_locust(storm_over(climb, sustainable), running, workers)
    if result is None:
        return UNSOUND
    said = Overload(sustainable, result).as_json()
    status = UNSOUND if not result["sound"] else SOUND if said["is_met"] else MISSED
    result |= {
        "overload": said,
        "climb": {"phases": found["figures"]["phases"], "sustained_rate": sustainable},
        "thresholds": [],
        "status": status,
        "reproduce": again,
    }
    print_summary(result)
    write_report(out, result)
    return status


def storm_over(climb: Profile, sustainable: float) -> Profile:
    """The profile of the overload itself."""
    normal = sustainable * AT_EASE
    good = 1 - climb.mix.bad - climb.mix.duplicate
    shape = {
        "kind": "storm",
        "normal": round(normal / good, 1),
        "times": TIMES / AT_EASE,
        "lead_seconds": LEAD_SECONDS,
        "storm_seconds": STORM_SECONDS,
        "tail_seconds": RECOVERY_SECONDS_MAX + STEADY_SECONDS,
    }
    return replace(climb, shape=shape, warmup_seconds=0)


def _is_shed(name: str) -> bool:
    return name.rpartition(" ")[2] in ("429", "503")


def _is_as_before(values: Sequence[float | None], first: int, before: float | None) -> bool:
    """In each of some seconds; one in which nothing came so far is not."""
    seconds = values[first : first + STEADY_SECONDS]
    limit = max(SLOWER_MAX * (before or 0), FLOOR_MS)
    return len(seconds) == STEADY_SECONDS and all(
        each is not None and each <= limit for each in seconds
    )
