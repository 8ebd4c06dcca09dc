"""Thresholds: what a run must reach, from a file, to an exit status."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from loadtests.profile import ProfileError

DEFAULT_FILE: Final = Path(__file__).parent / "thresholds.toml"
SOUND, UNSOUND, MISSED = 0, 1, 4
"""Exit statuses: all is well; the run is void; a threshold was missed."""


@dataclass(frozen=True, slots=True)
class Check:
    """One threshold and what was found; None: the run cannot tell."""

    name: str
    limit: float
    found: float | None
    is_floor: bool = False

    @property
    def is_met(self) -> bool:
        """Whether what was found is within it; what cannot be told is not."""
        if self.found is None:
            return False
        return self.found >= self.limit if self.is_floor else self.found <= self.limit

    def as_json(self) -> dict[str, Any]:
        """For the report."""
        return {
            "name": self.name,
            "limit": self.limit,
            "found": self.found,
            "is_floor": self.is_floor,
            "is_met": self.is_met,
        }


def read_thresholds(path: Path, profile: str) -> dict[str, float]:
    """The thresholds for a profile: those for all, and its own over them. Raises ProfileError."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ProfileError(f"thresholds: {path}: {error}") from error
    found = {**table.get("all", {}), **table.get("profile", {}).get(profile, {})}
    for name, value in found.items():
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise ProfileError(f"thresholds: {name}: expected a number, found {value!r}")
        if name not in _FOUND and not _is_latency(name):
            known = ", ".join(_FOUND)
            raise ProfileError(
                f"thresholds: unknown {name}; known: {known}, STAGE_p50_ms to STAGE_max_ms"
            )
    return {name: float(value) for name, value in found.items()}


def check(thresholds: Mapping[str, float], result: Mapping[str, Any]) -> list[Check]:
    """Every threshold against a result."""
    return [
        Check(name, limit, _value(name, result), name.startswith("rate_"))
        for name, limit in thresholds.items()
    ]


def exit_status(result: Mapping[str, Any], checks: list[Check]) -> int:
    """What the command ends with; a void run's figures are not looked at."""
    if not result["sound"]:
        return UNSOUND
    return SOUND if all(each.is_met for each in checks) else MISSED


def _value(name: str, result: Mapping[str, Any]) -> float | None:
    if _is_latency(name):
        stage, _, quantile = name.removesuffix("_ms").rpartition("_")
        found = result["figures"]["latency_ms"][stage][quantile]
        return None if found is None else float(found)
    return _FOUND[name](result)


def _is_latency(name: str) -> bool:
    stage, _, quantile = name.removesuffix("_ms").rpartition("_")
    stages = ("accepted", "cleared", "settled", "final", "reconciled")
    return name.endswith("_ms") and stage in stages and quantile in ("p50", "p95", "p99", "max")


def _fail_ratio(result: Mapping[str, Any]) -> float:
    """Of the messages that were sent, those that met an error."""
    sent = int(sum(each["sent"] for each in result["messages"].values()))
    return float(sum(result["errors"].values())) / max(sent, 1)


def _rate_share(result: Mapping[str, Any]) -> float | None:
    """Of what was offered, what became final in the same time; None when nothing was offered."""
    rates = result["figures"]["rates"]
    return float(rates["final"]) / float(rates["offered"]) if rates["offered"] else None


def _sustained(result: Mapping[str, Any]) -> float | None:
    found = result["figures"]["sustained_rate"]
    return None if found is None else float(found)


_FOUND: Final[Mapping[str, Callable[[Mapping[str, Any]], float | None]]] = {
    "rate_final": lambda result: float(result["figures"]["rates"]["final"]),
    "rate_accepted": lambda result: float(result["figures"]["rates"]["accepted"]),
    "rate_share": _rate_share,
    "rate_sustained": _sustained,
    "fail_ratio": _fail_ratio,
    "breaks": lambda result: float(result["books"]["breaks"]),
    "drain_seconds": lambda result: float(result["drain_seconds"]),
}
