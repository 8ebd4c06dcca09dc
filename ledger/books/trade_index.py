"""Finding trades by identity among many millions: sorted runs of 64-bit fingerprints.

Sixteen bytes a trade. Runs are merged so that there are only a few of them. A fingerprint can lie,
if rarely: whoever finds a position compares the trade there before believing it.
"""

import numpy as np
from numpy.typing import NDArray

from ledger.clearing.columns import Column, Mask, TradeColumns

NOT_FOUND = -1
_MULTIPLIERS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)

Fingerprints = NDArray[np.uint64]


class TradeIndex:
    """Positions of trades by fingerprint of their identity."""

    def __init__(self) -> None:
        self._runs: list[tuple[Fingerprints, Column]] = []

    def add(self, fingerprints: Fingerprints, positions: Column) -> None:
        """Takes new trades in."""
        order = np.argsort(fingerprints, kind="stable")
        self._runs.append((fingerprints[order], positions[order]))
        while len(self._runs) > 1 and len(self._runs[-2][0]) <= 2 * len(self._runs[-1][0]):
            self._merge_last_two()

    def find(self, fingerprints: Fingerprints) -> Column:
        """The first position of each, or NOT_FOUND."""
        found = np.full(len(fingerprints), NOT_FOUND, dtype=np.int64)
        for run, positions in reversed(self._runs):
            places = np.minimum(np.searchsorted(run, fingerprints), len(run) - 1)
            hit = run[places] == fingerprints
            found[hit] = positions[places[hit]]
        return found

    def find_all(self, fingerprint: np.uint64) -> list[int]:
        """Every position of one fingerprint, ascending."""
        found: list[int] = []
        for run, positions in self._runs:
            first, end = (
                np.searchsorted(run, fingerprint),
                np.searchsorted(run, fingerprint, "right"),
            )
            found.extend(positions[first:end].tolist())
        return sorted(found)

    def _merge_last_two(self) -> None:
        (keys, positions), (newer_keys, newer_positions) = self._runs.pop(-2), self._runs.pop()
        merged = np.concatenate([keys, newer_keys])
        order = np.argsort(merged, kind="stable")
        self._runs.append((merged[order], np.concatenate([positions, newer_positions])[order]))


def fingerprints_of(trades: TradeColumns) -> Fingerprints:
    """The fingerprint of each trade's identity: date, instrument, number, whether it cancels."""
    mixed = np.zeros(len(trades), dtype=np.uint64)
    identity = (trades.dates * 2 + (trades.cancels > 0), trades.instruments, trades.numbers)
    for column, multiplier in zip(identity, _MULTIPLIERS, strict=True):
        mixed ^= column.astype(np.uint64)
        mixed *= np.uint64(multiplier)
        mixed ^= mixed >> np.uint64(29)
    return mixed


def same_identity(left: TradeColumns, right: TradeColumns) -> Mask:
    """Row by row, whether two trades are the same one."""
    same: Mask = (
        (left.dates == right.dates)
        & (left.instruments == right.instruments)
        & (left.numbers == right.numbers)
        & ((left.cancels > 0) == (right.cancels > 0))
    )
    return same


def same_terms(left: TradeColumns, right: TradeColumns) -> Mask:
    """Row by row, whether two records of a trade say the same (time of day aside)."""
    equal = np.ones(len(left), dtype=bool)
    for name in ("sellers", "buyers", "quantities", "prices", "currencies", "amounts"):
        equal &= getattr(left, name) == getattr(right, name)
    return equal
