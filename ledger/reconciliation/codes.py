"""Rows of several columns as one number each, exactly, and joining rows by such numbers."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from ledger.clearing.columns import Column

NOBODY: Final = -1
"""The partner of a row that has none."""

_BOUND_MAX: Final = 1 << 62


def codes_of(tables: Sequence[Sequence[Column]]) -> list[Column]:
    """A number for each row of each table: equal for equal rows, and ordered as the rows are.

    All tables have the same columns; the first column weighs most.
    """
    lengths = [len(columns[0]) for columns in tables]
    codes, bound = np.zeros(sum(lengths), dtype=np.int64), 1
    if len(codes):
        for parts in zip(*tables, strict=True):
            column = np.concatenate(parts)
            low, width = _range_of(column)
            if bound * width > _BOUND_MAX:
                codes, bound = _dense(codes)
            if bound * width > _BOUND_MAX:
                column, width = _dense(column)
                low = 0
            codes, bound = codes * width + (column - low), bound * width
    return np.split(codes, np.cumsum(lengths)[:-1])


def join(ours: Column, theirs: Column) -> Column:
    """For each of our codes the row of theirs with the same, or NOBODY. On neither side one twice.

    Both sides are sorted first: then the search runs through memory from front to back.
    """
    partners = np.full(len(ours), NOBODY, dtype=np.int64)
    if len(ours) and len(theirs):
        our_order, their_order = np.argsort(ours), np.argsort(theirs)
        sought, there = ours[our_order], theirs[their_order]
        places = np.minimum(np.searchsorted(there, sought), len(there) - 1)
        same = there[places] == sought
        partners[our_order[same]] = their_order[places[same]]
    return partners


def ranks_of(codes: Column) -> Column:
    """The how-manieth of its code each row is, from 0, in order of rows."""
    order = np.argsort(codes, kind="stable")
    in_order = codes[order]
    is_first = np.ones(len(codes), dtype=bool)
    np.not_equal(in_order[1:], in_order[:-1], out=is_first[1:])
    places = np.arange(len(codes), dtype=np.int64)
    ranks = np.empty(len(codes), dtype=np.int64)
    ranks[order] = places - places[is_first][np.cumsum(is_first) - 1]
    return ranks


def counts_in(codes: Column, among: Column) -> Column:
    """How often each code is among some others."""
    there = np.sort(among)
    counts: Column = np.searchsorted(there, codes, "right") - np.searchsorted(there, codes)
    return counts


def repeated(codes: Column) -> Column:
    """The codes that are there more than once, each once, ascending."""
    in_order = np.sort(codes)
    return np.unique(in_order[1:][in_order[1:] == in_order[:-1]])


def _range_of(column: Column) -> tuple[int, int]:
    low, high = int(column.min()), int(column.max())
    return low, high - low + 1


def _dense(codes: Column) -> tuple[Column, int]:
    """The same in the same order, numbered without gaps; and how many numbers there are."""
    distinct, numbers = np.unique(codes, return_inverse=True)
    return numbers.astype(np.int64, copy=False), len(distinct)
