"""Numbers by holding key, in columns: a cycle of 20,000 lines changes them in a few array calls.

Keys ascend, so what is kept of an asset lies together. On disk the assets are in pages, a row of a
table each: what a change touches is written again, page by page. Nothing changes in place: whoever
holds columns from before a change goes on seeing them whole.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ledger.clearing.columns import Column, Mask, accounts_of, participants_of
from ledger.domain.accounts import ACCOUNT_BITS

Table: TypeAlias = NDArray[np.int64]
"""A row for each number that is kept, a column for each key."""

NO_ROWS: Final = np.zeros(0, dtype=np.int64)

ASSETS_PER_PAGE: Final = 1
ASSETS_PER_OWN_PAGE: Final = 16
"""A page holds the accounts of everybody in an asset, or those of one participant in some more."""


class HoldingKeys:
    """Distinct holding keys in ascending order, and whose they are."""

    def __init__(self, column: Column) -> None:
        self.column = column

    def __len__(self) -> int:
        return len(self.column)

    def find(self, keys: Column) -> tuple[Column, Mask]:
        """The place of each key, and whether it is there at all."""
        places = np.searchsorted(self.column, keys)
        if not len(self):
            return places, np.zeros(len(keys), dtype=bool)
        places = np.minimum(places, len(self) - 1)
        return places, self.column[places] == keys

    def rows_of(self, participant: int) -> Column:
        """Where the keys of one participant are, in order."""
        return self._rows_by_participant.get(participant, NO_ROWS)

    @cached_property
    def _rows_by_participant(self) -> dict[int, Column]:
        return rows_by_participant(self.column)


@dataclass(frozen=True, slots=True)
class Keyed:
    """Numbers kept by holding key; one that is not there is nothing."""

    keys: HoldingKeys
    values: Table

    def __len__(self) -> int:
        return len(self.keys)

    @staticmethod
    def empty(width: int) -> "Keyed":
        """Nothing yet, of so many numbers a key."""
        return Keyed(HoldingKeys(NO_ROWS), np.zeros((width, 0), dtype=np.int64))

    @staticmethod
    def of_rows(keys: Column, values: Table) -> "Keyed":
        """Columns in any order; of a key that is there twice, the last counts."""
        if (np.diff(keys) > 0).all():
            return Keyed(HoldingKeys(keys), values)
        distinct, lasts = np.unique(keys[::-1], return_index=True)
        return Keyed(HoldingKeys(distinct), values[:, ::-1][:, lasts])

    @staticmethod
    def of_pages(width: int, pages: Iterable[bytes]) -> "Keyed":
        """What is kept on all these pages, in any order."""
        nothing = np.zeros((width + 1, 0), dtype=np.int64)
        table = np.concatenate([nothing, *(read_page(each, width) for each in pages)], axis=1)
        return Keyed.of_rows(table[0], table[1:])

    def pages_of(self, keys: Column, assets_per_page: int) -> Iterator[tuple[int, bytes]]:
        """The pages on which some keys are, each with all that is kept on it, as it is on disk."""
        keys_per_page = assets_per_page << ACCOUNT_BITS
        pages = np.unique(keys // keys_per_page)
        if not len(pages):
            return
        starts = np.searchsorted(self.keys.column, pages * keys_per_page)
        ends = np.searchsorted(self.keys.column, (pages + 1) * keys_per_page)
        span, offset = slice(starts[0], ends[-1]), starts[0]
        table = np.concatenate([self.keys.column[None, span], self.values[:, span]]).astype("<i8")
        columns = (pages.tolist(), (starts - offset).tolist(), (ends - offset).tolist())
        for page, start, end in zip(*columns, strict=True):
            yield page, table[:, start:end].tobytes()

    def of(self, keys: Column) -> Table:
        """The numbers of some keys; zeros for a key that is not there."""
        places, known = self.keys.find(keys)
        if known.all():
            return self.values[:, places]
        found = np.zeros((len(self.values), len(keys)), dtype=np.int64)
        found[:, known] = self.values[:, places[known]]
        return found

    def get(self, key: int, row: int = 0) -> int | None:
        """One of the numbers of a key; None when it is not there."""
        places, known = self.keys.find(np.array([key], dtype=np.int64))
        return int(self.values[row, places[0]]) if known[0] else None

    def summed(self) -> "Keyed":
        """All numbers of each key added up."""
        return Keyed(self.keys, self.values.sum(axis=0, keepdims=True))

    def with_values(self, keys: Column, values: Table) -> "Keyed":
        """The same with other numbers for some distinct, ascending keys."""
        places, known = self.keys.find(keys)
        if known.all():
            after = self.values.copy()
            after[:, places] = values
            return Keyed(self.keys, after)
        everything = HoldingKeys(np.union1d(self.keys.column, keys))
        after = np.zeros((len(values), len(everything)), dtype=np.int64)
        after[:, everything.find(self.keys.column)[0]] = self.values
        after[:, everything.find(keys)[0]] = values
        return Keyed(everything, after)

    def take(self, rows: Column | Mask) -> "Keyed":
        """A part of it, by rows in ascending order."""
        return Keyed(HoldingKeys(self.keys.column[rows]), self.values[:, rows])

    def of_participant(self, participant: int) -> "Keyed":
        """What one participant has in it."""
        return self.take(self.keys.rows_of(participant))

    def as_dict(self, row: int = 0) -> dict[int, int]:
        """One of the numbers of each key."""
        return dict(zip(self.keys.column.tolist(), self.values[row].tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class Balances:
    """What changes, one after another, lead to.

    Attributes:
        keys: the keys that change, ascending.
        ends: what they have after the last change.
        lows: the least that each had after any change.
    """

    keys: Column
    ends: Table
    lows: Table


def add_up(before: Keyed, keys: Column, changes: Table) -> Balances:
    """Adds changes, in order, to what their keys had before."""
    if not len(keys):
        return Balances(keys, changes, changes)
    order = np.argsort(keys, kind="stable")
    in_order, steps = keys[order], changes[:, order]
    is_first = np.ones(len(keys), dtype=bool)
    np.not_equal(in_order[1:], in_order[:-1], out=is_first[1:])
    firsts = np.flatnonzero(is_first)
    distinct = in_order[firsts]
    if len(firsts) == len(keys):
        ends = before.of(distinct) + steps
        return Balances(distinct, ends, ends)
    # Sums run on from key to key. What went before is taken off again; wrapping does no harm.
    running = np.cumsum(steps, axis=1)
    offsets = before.of(distinct) - running[:, firsts] + steps[:, firsts]
    running += offsets[:, np.cumsum(is_first) - 1]
    lasts = np.append(firsts[1:], len(keys)) - 1
    return Balances(distinct, running[:, lasts], np.minimum.reduceat(running, firsts, axis=1))


def read_page(page: bytes, width: int) -> Table:
    """The columns of a page: the keys, then so many numbers of each."""
    return np.frombuffer(page, dtype="<i8").reshape(width + 1, -1).astype(np.int64)


def rows_by_participant(keys: Column) -> dict[int, Column]:
    """Where each participant's keys are among these, in order."""
    participants = participants_of(accounts_of(keys))
    order = np.argsort(participants, kind="stable")
    found, firsts = np.unique(participants[order], return_index=True)
    starts = firsts.tolist()
    ends = [*starts[1:], len(keys)]
    rows = (order[start:end] for start, end in zip(starts, ends, strict=False))
    return dict(zip(found.tolist(), rows, strict=True))
