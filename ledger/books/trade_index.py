"""Finding trades by identity among many millions: sorted runs of eight bytes a trade.

An entry is the upper part of a trade's 64-bit fingerprint beside its place in the run, so that a
run is one sorted column. New trades wait unsorted until somebody looks for one, or until they fill
a run. Small runs are merged; a full one is never touched again and moves into a file without a
name, read through the page cache: memory stays the same all day. A fingerprint can lie, if rarely:
whoever finds a position compares the trade there before believing it.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ledger.books.series import days_of
from ledger.clearing.columns import Column, Mask, TradeColumns

NOT_FOUND: Final = -1
PLACE_BITS: Final = 22
RUN_TRADES_MAX: Final = 1 << PLACE_BITS
"""Trades of a full run. The other 42 bits are the fingerprint: one in a million lookups lies."""
MERGED_RUNS: Final = 8
SOUGHT_TO_MERGE: Final = 4
"""Small runs are merged first when a search is for more than one in so many of their trades."""
MIXED_ROWS: Final = 1 << 14
"""So many at once stay in the processor's cache."""
_PLACE_MASK: Final = np.uint64(RUN_TRADES_MAX - 1)
_MULTIPLIERS: Final = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)

Fingerprints = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class _Run:
    """Sorted entries of the trades at consecutive positions from ``first_position`` on."""

    first_position: int
    entries: Fingerprints

    def __len__(self) -> int:
        return len(self.entries)


class TradeIndex:
    """Positions of trades by fingerprint of their identity. Any thread may ask while one adds.

    ``folder`` is where full runs go; without one they stay in memory. A run is full at ``run_max``
    trades.
    """

    def __init__(self, folder: Path | None = None, run_max: int = RUN_TRADES_MAX) -> None:
        assert 0 < run_max <= RUN_TRADES_MAX
        self._folder = folder
        self._run_max = run_max
        self._full: list[_Run] = []
        self._runs: list[_Run] = []
        self._unsorted: list[Fingerprints] = []
        self._first_unsorted = 0
        self._lock = Lock()

    def add(self, fingerprints: Fingerprints, first_position: int) -> None:
        """Takes new trades in, which stand at consecutive positions."""
        with self._lock:
            added = 0
            while added < len(fingerprints):
                if not self._unsorted:
                    self._first_unsorted = first_position + added
                first = self._runs[0].first_position if self._runs else self._first_unsorted
                free = self._run_max - (first_position + added - first)
                part = fingerprints[added : added + free]
                self._unsorted.append(part)
                added += len(part)
                if len(part) == free:
                    self._fill()

    def find(self, fingerprints: Fingerprints) -> Column:
        """A position of each, or NOT_FOUND; of several the first in the newest run with any."""
        found = np.full(len(fingerprints), NOT_FOUND, dtype=np.int64)
        # In ascending order the searches touch each run from front to back.
        rows = np.argsort(fingerprints)
        sought = fingerprints[rows] & ~_PLACE_MASK
        for run in reversed(self._sorted_runs(len(rows))):
            if not len(rows):
                break
            places = np.minimum(np.searchsorted(run.entries, sought), len(run) - 1)
            entries = run.entries[places]
            hit = (entries & ~_PLACE_MASK) == sought
            if hit.any():
                here = (entries[hit] & _PLACE_MASK).astype(np.int64)
                found[rows[hit]] = run.first_position + here
                rows, sought = rows[~hit], sought[~hit]
        return found

    def find_all(self, fingerprint: np.uint64) -> list[int]:
        """Every position of one fingerprint, ascending."""
        found: list[int] = []
        low, high = fingerprint & ~_PLACE_MASK, fingerprint | _PLACE_MASK
        for run in self._sorted_runs():
            first = np.searchsorted(run.entries, low)
            end = np.searchsorted(run.entries, high, "right")
            here = (run.entries[first:end] & _PLACE_MASK).astype(np.int64)
            found.extend((run.first_position + here).tolist())
        return sorted(found)

    def _sorted_runs(self, sought: int = 0) -> list[_Run]:
        """All runs, the oldest first, with everything that was added; few if many are sought."""
        with self._lock:
            self._sort_new()
            if len(self._runs) > 1 and SOUGHT_TO_MERGE * sought >= sum(map(len, self._runs)):
                self._merge_last(len(self._runs))
            return [*self._full, *self._runs]

    def _sort_new(self) -> None:
        if self._unsorted:
            fingerprints = np.concatenate(self._unsorted)
            self._unsorted.clear()
            self._add_run(_run_of(fingerprints, self._first_unsorted))

    def _add_run(self, run: _Run) -> None:
        self._runs.append(run)
        while len(self._runs) >= MERGED_RUNS and len(self._runs[-MERGED_RUNS]) <= 2 * len(
            self._runs[-1]
        ):
            self._merge_last(MERGED_RUNS)

    def _merge_last(self, count: int) -> None:
        runs = self._runs[-count:]
        first = runs[0].first_position
        # The fingerprint stands above the place, so moving the places changes no order in a run.
        moved = [run.entries + np.uint64(run.first_position - first) for run in runs]
        entries = np.concatenate(moved)
        entries.sort()
        self._runs[-count:] = [_Run(first, entries)]

    def _fill(self) -> None:
        """What is in no full run has become one."""
        self._sort_new()
        self._merge_last(len(self._runs))
        run = self._runs.pop()
        self._full.append(_Run(run.first_position, _on_disk(run.entries, self._folder)))


def _run_of(fingerprints: Fingerprints, first_position: int) -> _Run:
    entries = fingerprints & ~_PLACE_MASK
    entries |= np.arange(len(fingerprints), dtype=np.uint64)
    entries.sort()
    return _Run(first_position, entries)


def _on_disk(entries: Fingerprints, folder: Path | None) -> Fingerprints:
    """The same entries, mapped from a file that goes with the process; memory if there is no room.

    The index is derived from the batches and is built again at every start.
    """
    if folder is None:
        return entries
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            entries.tofile(file)
            file.flush()
            return np.memmap(file, dtype=np.uint64, mode="r")
    except OSError:
        return entries


def fingerprints_of(trades: TradeColumns) -> Fingerprints:
    """The fingerprint of each trade's identity: date, instrument, number, whether it cancels."""
    mixed = np.empty(len(trades), dtype=np.uint64)
    days = _mixed(np.zeros(1, dtype=np.uint64), days_of(trades), _MULTIPLIERS[0])
    for first in range(0, len(trades), MIXED_ROWS):
        rows = slice(first, first + MIXED_ROWS)
        part = _mixed(
            days[rows] if len(days) > 1 else days, trades.instruments[rows], _MULTIPLIERS[1]
        )
        mixed[rows] = _mixed(part, trades.numbers[rows], _MULTIPLIERS[2])
    return mixed


def _mixed(mixed: Fingerprints, column: Column, multiplier: int) -> Fingerprints:
    """One more column mixed into fingerprints; one value of these stands for all rows."""
    more = mixed ^ column.view(np.uint64)
    more *= np.uint64(multiplier)
    more ^= more >> np.uint64(29)
    return more


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
