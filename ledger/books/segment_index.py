"""Where trades are among many millions, in eight bytes a trade: sorted runs, mapped from the disk.

An entry is 37 bits of the fingerprint of a trade's identity over the 27 bits of its position in
the run, so that a run is one sorted array; a binary search finds the few candidates, and whoever
finds one compares the trade there before believing it. Every segment begins as a run of its own;
eight small runs become one larger run, so that there are only a few dozen.

A run's file is named by the positions it covers: FIRST-END. It holds a head, a table of the
segments in it, and the entries. What a crash leaves beside a larger run that covers it is removed.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from ledger.books.whole_files import write_whole
from ledger.clearing.columns import Column

MAGIC: Final = b"novrun-1"
POSITION_BITS: Final = 27
RUN_POSITIONS_MAX: Final = 2**POSITION_BITS
RUN_ENTRIES_MAX: Final = 2**25
"""Runs are merged in memory; larger ones stay as they are."""
RUNS_PER_MERGE: Final = 8
_TIER_BITS: Final = 3
_ATTEMPTS_MAX: Final = 10

_HEAD: Final = np.dtype([("magic", "S8"), ("segments", "<u8"), ("entries", "<u8")])
_SEGMENT: Final = np.dtype([("first", "<u8"), ("end", "<u8"), ("root", "V32")])
_MULTIPLIERS: Final = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)

Entries = NDArray[np.uint64]


class RunError(Exception):
    """A file of the index is not what was written; the message says which."""


@dataclass(frozen=True, slots=True)
class Span:
    """A segment, and the positions of the intake that it was struck over."""

    first: int
    end: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive segments and the sorted entries of their trades."""

    path: Path
    spans: Sequence[Span]
    entries: Entries

    @property
    def first(self) -> int:
        """The position that the entries count from."""
        return self.spans[0].first

    @property
    def end(self) -> int:
        """The position after the last one."""
        return self.spans[-1].end

    @property
    def tier(self) -> int:
        """About how large it is: each tier is eight times the one below."""
        return len(self.entries).bit_length() // _TIER_BITS

    def candidates(self, fingerprint: np.uint64) -> Iterator[tuple[bytes, int]]:
        """The root and position of each trade that may be of a fingerprint."""
        lowest = fingerprint >> np.uint64(POSITION_BITS) << np.uint64(POSITION_BITS)
        place = int(np.searchsorted(self.entries, lowest))
        for entry in self.entries[place:]:
            if entry >> np.uint64(POSITION_BITS) != fingerprint >> np.uint64(POSITION_BITS):
                return
            position = self.first + int(entry & np.uint64(RUN_POSITIONS_MAX - 1))
            span = self.spans[bisect_right(self.spans, position, key=lambda s: s.first) - 1]
            yield span.root, position


class SegmentIndex:
    """The runs in one folder. One process adds; any may look for trades."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runs, self._covered = _opened(folder)
        self._roots = {span.root for run in self._runs for span in run.spans}

    def has(self, root: bytes) -> bool:
        """Whether the trades of a segment are in it."""
        return root in self._roots

    def add(self, span: Span, fingerprints: Entries, positions: Column) -> None:
        """Takes a segment in; on disk when this returns."""
        assert span.end - span.first <= RUN_POSITIONS_MAX
        while self._covered:
            self._covered.pop().unlink(missing_ok=True)
        self._put([span], np.sort(_entries(fingerprints, positions - span.first)))
        self._runs.sort(key=lambda run: run.first)
        while self._merge_last():
            pass

    def candidates(self, fingerprint: np.uint64) -> Iterator[tuple[bytes, int]]:
        """The root and position of each trade that may be of a fingerprint, newest runs first."""
        for run in reversed(self._runs):
            yield from run.candidates(fingerprint)

    def leads_to(self, root: bytes, fingerprints: Entries, positions: Column) -> bool:
        """Whether the trades of a segment are at these positions for these fingerprints."""
        for run in self._runs:
            if any(span.root == root for span in run.spans):
                # In order, so that the search goes through the run once instead of jumping about.
                entries = np.sort(_entries(fingerprints, positions - run.first))
                places = np.minimum(np.searchsorted(run.entries, entries), len(run.entries) - 1)
                return bool((run.entries[places] == entries).all())
        return False

    def _put(self, spans: Sequence[Span], entries: Entries) -> None:
        path = self._folder / f"{spans[0].first}-{spans[-1].end}"
        write_whole(path, lambda stream: _write(spans, entries, stream))
        self._runs.append(_open(path))
        self._roots.update(span.root for span in spans)

    def _merge_last(self) -> bool:
        """Merges the last runs if they are of a size; says so."""
        last = self._runs[-RUNS_PER_MERGE:]
        if len(last) < RUNS_PER_MERGE or last[0].tier > last[-1].tier:
            return False
        total, first = sum(len(run.entries) for run in last), last[0].first
        if total > RUN_ENTRIES_MAX or last[-1].end - first > RUN_POSITIONS_MAX:
            return False
        # The offsets of a run count from its own first position.
        shifted = [run.entries + np.uint64(run.first - first) for run in last]
        entries = np.concatenate(shifted)
        del shifted
        entries.sort()
        del self._runs[-RUNS_PER_MERGE:]
        self._put([span for run in last for span in run.spans], entries)
        for run in last:
            run.path.unlink()
        return True


def identity_fingerprints(dates: Column, instruments: Column, numbers: Column) -> Entries:
    """64 bits of each trade's date, instrument and number. Part of the format: never changed."""
    mixed = np.zeros(len(numbers), dtype=np.uint64)
    for column, multiplier in zip((dates, instruments, numbers), _MULTIPLIERS, strict=True):
        mixed ^= column.view(np.uint64)
        mixed *= np.uint64(multiplier)
        mixed ^= mixed >> np.uint64(29)
        mixed *= np.uint64(_MULTIPLIERS[1])
        mixed ^= mixed >> np.uint64(32)
    return mixed


def _entries(fingerprints: Entries, offsets: Column) -> Entries:
    shift = np.uint64(POSITION_BITS)
    return fingerprints >> shift << shift | offsets.astype(np.uint64)


def _opened(folder: Path) -> tuple[list[Run], list[Path]]:
    """The runs that matter, by position, and the files of those that larger ones have taken in."""
    for _ in range(_ATTEMPTS_MAX):
        try:
            runs = [_open(path) for path in folder.glob("[0-9]*-*")]
        except FileNotFoundError:
            # Another process has just merged it into a larger one.
            continue
        break
    else:
        raise RunError(f"{folder} changes faster than it can be read")
    kept: list[Run] = []
    covered: list[Path] = []
    seen: set[bytes] = set()
    for run in sorted(runs, key=lambda run: len(run.spans), reverse=True):
        roots = {span.root for span in run.spans}
        if roots <= seen:
            covered.append(run.path)
        else:
            kept.append(run)
            seen |= roots
    return sorted(kept, key=lambda run: run.first), covered


def _open(path: Path) -> Run:
    """A run, its entries mapped from the disk. Raises RunError."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = np.frombuffer(stream.read(_HEAD.itemsize).ljust(_HEAD.itemsize, b"\0"), dtype=_HEAD)
        count, length = int(head["segments"][0]), int(head["entries"][0])
        offset = _HEAD.itemsize + count * _SEGMENT.itemsize
        if head["magic"][0] != MAGIC or size != offset + 8 * length or not count or not length:
            raise RunError(f"{path} is damaged: remove it, and what it said is written again")
        table = np.frombuffer(stream.read(count * _SEGMENT.itemsize), dtype=_SEGMENT)
    entries = np.memmap(path, dtype="<u8", mode="r", offset=offset, shape=(length,))
    spans = [Span(int(row["first"]), int(row["end"]), row["root"].tobytes()) for row in table]
    return Run(path, spans, np.asarray(entries))


def _write(spans: Sequence[Span], entries: Entries, stream: BinaryIO) -> None:
    head = np.array([(MAGIC, len(spans), len(entries))], dtype=_HEAD)
    table = np.array([(span.first, span.end, span.root) for span in spans], dtype=_SEGMENT)
    stream.write(head.tobytes())
    stream.write(table.tobytes())
    stream.write(entries.astype("<u8", copy=False).data)
