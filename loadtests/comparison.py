"""Compares the results of two runs: which figures changed by more than noise."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

NOISE_PERCENT: Final = 15.0
NOISE_MS: Final = 10.0
"""A latency that changed by less is alike, however large its share."""
STAGES: Final = ("accepted", "cleared", "settled", "final", "reconciled")
RATES: Final = ("accepted", "final")


@dataclass(frozen=True, slots=True)
class Change:
    """One figure of two runs; None where a run does not have it."""

    name: str
    before: float | None
    after: float | None
    is_rate: bool
    noise_percent: float = NOISE_PERCENT

    @property
    def percent(self) -> float | None:
        """By how much it changed."""
        if not self.before or self.after is None:
            return None
        return 100 * (self.after - self.before) / self.before

    @property
    def word(self) -> str:
        """better, worse or alike; a figure that is gone is worse."""
        if self.before is None:
            return "alike"
        if self.after is None:
            return "worse"
        change = self.after - self.before
        floor = 0.0 if self.is_rate else NOISE_MS
        if abs(change) <= max(self.before * self.noise_percent / 100, floor):
            return "alike"
        return "better" if (change > 0) == self.is_rate else "worse"


def changes(
    before: Mapping[str, Any], after: Mapping[str, Any], noise_percent: float = NOISE_PERCENT
) -> list[Change]:
    """Every figure of both."""
    old, new = before["figures"], after["figures"]
    found = [
        Change(f"{name}/s", old["rates"][name], new["rates"][name], True, noise_percent)
        for name in RATES
    ]
    if old["sustained_rate"] is not None:
        sustained = old["sustained_rate"], new["sustained_rate"]
        found.append(Change("sustained/s", *sustained, is_rate=True, noise_percent=noise_percent))
    for stage in STAGES:
        for quantile in ("p50", "p95", "p99"):
            pair = old["latency_ms"][stage][quantile], new["latency_ms"][stage][quantile]
            name = f"{stage} {quantile} ms"
            found.append(Change(name, *pair, is_rate=False, noise_percent=noise_percent))
    return found


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Why the two may not be compared: another load, another machine."""
    found = []
    for name in ("hash", "seed"):
        pair = before["profile"][name], after["profile"][name]
        if pair[0] != pair[1]:
            found.append(f"{name}: {pair[0]}, {pair[1]}")
    for name in ("cores", "machine", "system", "python"):
        pair = before["machine"][name], after["machine"][name]
        if pair[0] != pair[1]:
            found.append(f"{name}: {pair[0]}, {pair[1]}")
    if before["workers"] != after["workers"]:
        found.append(f"generators: {before['workers']}, {after['workers']}")
    return found
