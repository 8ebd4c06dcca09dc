"""Two sets of records, paired: what belongs together, and how it differs.

1. Records of one name belong together. Where a name is there several times, equal records are
   paired first and the others in order of their terms; what is left over is a duplicate.
2. Of records whose name only one side has, two belong together when they differ in one field of
   the name and in nothing else, and when neither could as well belong to another.

The order of rows changes nothing.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ledger.clearing.columns import Column, Mask
from ledger.domain.breaks import BreakKind
from ledger.reconciliation.codes import NOBODY, codes_of, counts_in, join, ranks_of, repeated
from ledger.reconciliation.records import Layout, Records

Kinds = NDArray[np.uint8]
"""A kind of break for each row, as its place in ``KINDS``; AGREES where there is none."""

AGREES: Final = 0
KINDS: Final = (None, *BreakKind)
CODE_BY_KIND: Final = {kind: np.uint8(code) for code, kind in enumerate(KINDS)}


@dataclass(frozen=True, slots=True)
class Pairs:
    """Two sets side by side.

    Attributes:
        partners: their row for each of ours, or NOBODY.
        our_kinds: how each of our records differs from its partner; if it has none, whether it is
            missing there, in flight, or a duplicate.
        their_kinds: the same for theirs, from our point of view.
    """

    partners: Column
    our_kinds: Kinds
    their_kinds: Kinds

    def ours_of_theirs(self) -> Column:
        """Our row for each of theirs, or NOBODY."""
        rows = np.full(len(self.their_kinds), NOBODY, dtype=np.int64)
        paired = self.partners != NOBODY
        rows[self.partners[paired]] = np.flatnonzero(paired)
        return rows


def pair(ours: Records, theirs: Records, layout: Layout) -> Pairs:
    """Finds out what belongs together in two sets of records, and how it differs."""
    names = [field.name for field in layout.identity]
    our_codes, their_codes = codes_of([ours.table(names), theirs.table(names)])
    crowded = np.union1d(repeated(our_codes), repeated(their_codes))
    partners = _singles(our_codes, their_codes, crowded)
    our_kinds = np.where(partners == NOBODY, CODE_BY_KIND[BreakKind.MISSING_THEIRS], AGREES)
    pairs = Pairs(
        partners,
        our_kinds.astype(np.uint8),
        np.full(len(theirs), CODE_BY_KIND[BreakKind.MISSING_OURS], dtype=np.uint8),
    )
    if len(crowded):
        _pair_crowded(pairs, ours, theirs, layout, (our_codes, their_codes), crowded)
    _compare_terms(pairs, ours, theirs, layout)
    _pair_misnamed(pairs, ours, theirs, layout)
    _find_in_flight(pairs, ours, theirs)
    paired = pairs.partners != NOBODY
    pairs.their_kinds[pairs.partners[paired]] = pairs.our_kinds[paired]
    return pairs


def _singles(ours: Column, theirs: Column, crowded: Column) -> Column:
    """The partners of what is there once on both sides."""
    if not len(crowded):
        return join(ours, theirs)
    partners = np.full(len(ours), NOBODY, dtype=np.int64)
    our_rows = np.flatnonzero(~np.isin(ours, crowded))
    their_rows = np.flatnonzero(~np.isin(theirs, crowded))
    found = join(ours[our_rows], theirs[their_rows])
    same = found != NOBODY
    partners[our_rows[same]] = their_rows[found[same]]
    return partners


def _pair_crowded(
    pairs: Pairs,
    ours: Records,
    theirs: Records,
    layout: Layout,
    codes: tuple[Column, Column],
    crowded: Column,
) -> None:
    """Pairs the records of names that one side has several times."""
    our_rows = _in_order(np.flatnonzero(np.isin(codes[0], crowded)), ours)
    their_rows = _in_order(np.flatnonzero(np.isin(codes[1], crowded)), theirs)
    our_names, their_names = codes[0][our_rows], codes[1][their_rows]
    our_part, their_part = ours.take(our_rows), theirs.take(their_rows)
    whole = codes_of([our_part.table(layout.names), their_part.table(layout.names)])
    partners = _join_each(*whole)
    our_rest = np.flatnonzero(partners == NOBODY)
    their_rest = np.setdiff1d(np.arange(len(their_rows)), partners[partners != NOBODY])
    # In order of their terms, so that the order of rows does not matter.
    our_rest = our_rest[np.argsort(whole[0][our_rest], kind="stable")]
    their_rest = their_rest[np.argsort(whole[1][their_rest], kind="stable")]
    found = _join_each(our_names[our_rest], their_names[their_rest])
    partners[our_rest[found != NOBODY]] = their_rest[found[found != NOBODY]]
    paired = partners != NOBODY
    pairs.partners[our_rows[paired]] = their_rows[partners[paired]]
    pairs.our_kinds[our_rows[paired]] = AGREES

    duplicate = CODE_BY_KIND[BreakKind.DUPLICATE]
    surplus = our_rest[
        (found == NOBODY)
        & ((ranks_of(our_names[our_rest]) > 0) | np.isin(our_names[our_rest], their_names))
    ]
    pairs.our_kinds[our_rows[surplus]] = duplicate
    is_left = ~np.isin(their_rest, partners[paired])
    of_rest = their_names[their_rest]
    surplus = their_rest[is_left & ((ranks_of(of_rest) > 0) | np.isin(of_rest, our_names))]
    pairs.their_kinds[their_rows[surplus]] = duplicate


def _join_each(ours: Column, theirs: Column) -> Column:
    """Joins codes that may repeat: the first of ours with the first of theirs, and so on."""
    return join(*codes_of([[ours, ranks_of(ours)], [theirs, ranks_of(theirs)]]))


def _in_order(rows: Column, records: Records) -> Column:
    """Rows by age, so that of equal records it is always the older that is paired."""
    if records.made_at is None:
        return rows
    return rows[np.argsort(records.made_at[rows], kind="stable")]


def _compare_terms(pairs: Pairs, ours: Records, theirs: Records, layout: Layout) -> None:
    """How records differ that have one name."""
    rows = np.flatnonzero(pairs.partners != NOBODY)
    partners = pairs.partners[rows]
    # The last first: what an earlier field says takes the place of it.
    for field in reversed(layout.terms):
        differs = ours.columns[field.name][rows] != theirs.columns[field.name][partners]
        if differs.any():
            pairs.our_kinds[rows[differs]] = CODE_BY_KIND[field.kind]


def _pair_misnamed(pairs: Pairs, ours: Records, theirs: Records, layout: Layout) -> None:
    """Pairs what differs in one field of its name alone, where there is one way to do so."""
    is_theirs_free = pairs.their_kinds == CODE_BY_KIND[BreakKind.MISSING_OURS]
    is_theirs_free[pairs.partners[pairs.partners != NOBODY]] = False
    our_rows = np.flatnonzero(pairs.our_kinds == CODE_BY_KIND[BreakKind.MISSING_THEIRS])
    their_rows = np.flatnonzero(is_theirs_free)
    if not len(our_rows) or not len(their_rows):
        return
    our_part, their_part = ours.take(our_rows), theirs.take(their_rows)
    our_degrees = np.zeros(len(our_rows), dtype=np.int64)
    their_degrees = np.zeros(len(their_rows), dtype=np.int64)
    found: list[tuple[BreakKind, Column, Column]] = []
    for field in layout.identity:
        if field.kind is None:
            continue
        others = [name for name in layout.names if name != field.name]
        our_codes, their_codes = codes_of([our_part.table(others), their_part.table(others)])
        our_degrees += counts_in(our_codes, their_codes)
        their_degrees += counts_in(their_codes, our_codes)
        ours_alone = _alone(our_codes)
        theirs_alone = _alone(their_codes)
        partners = join(our_codes[ours_alone], their_codes[theirs_alone])
        some = partners != NOBODY
        found.append((field.kind, ours_alone[some], theirs_alone[partners[some]]))
    for kind, our_places, their_places in found:
        sure = (our_degrees[our_places] == 1) & (their_degrees[their_places] == 1)
        rows = our_rows[our_places[sure]]
        pairs.partners[rows] = their_rows[their_places[sure]]
        pairs.our_kinds[rows] = CODE_BY_KIND[kind]


def _alone(codes: Column) -> Column:
    """The rows whose code no other row has."""
    return np.flatnonzero(~np.isin(codes, repeated(codes)))


def _find_in_flight(pairs: Pairs, ours: Records, theirs: Records) -> None:
    """What came after the last that the other side speaks of is on its way, whatever differs."""
    timing, duplicate = CODE_BY_KIND[BreakKind.TIMING], CODE_BY_KIND[BreakKind.DUPLICATE]
    ours_late, theirs_late = _late(ours, theirs.watermark), _late(theirs, ours.watermark)
    paired = pairs.partners != NOBODY
    ours_late[paired] |= theirs_late[pairs.partners[paired]]
    differs = (pairs.our_kinds != AGREES) & (pairs.our_kinds != duplicate)
    pairs.our_kinds[differs & ours_late] = timing
    pairs.their_kinds[theirs_late & (pairs.their_kinds != duplicate)] = timing


def _late(records: Records, watermark: int) -> Mask:
    if records.made_at is None:
        return np.zeros(len(records), dtype=bool)
    late: Mask = records.made_at > watermark
    return late
