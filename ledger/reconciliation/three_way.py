"""Three versions of one set of records: what they do not agree on, and who stands alone.

Own records, the ledger and a statement are paired with one another; each record on which they
differ is one difference, however many of them are against each other in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ledger.clearing.columns import Column
from ledger.domain.breaks import BreakKind
from ledger.reconciliation.codes import NOBODY
from ledger.reconciliation.pairs import AGREES, CODE_BY_KIND, KINDS, Kinds, Pairs, pair
from ledger.reconciliation.records import ISSUED, REDEEMED, Layout, Records


class Dissenter(IntEnum):
    """Which version stands alone against the other two."""

    OURS = 0
    LEDGER = 1
    STATEMENT = 2
    EVERYBODY = 3


_MISSING_OURS: Final = CODE_BY_KIND[BreakKind.MISSING_OURS]
_MISSING_THEIRS: Final = CODE_BY_KIND[BreakKind.MISSING_THEIRS]


@dataclass(frozen=True, slots=True)
class Differences:
    """What three sets do not agree on, in columns; NOBODY where a set has no such record.

    Attributes:
        kinds: places in ``KINDS``, as the owner of ``ours`` sees them.
        dissenters: which version stands alone.
    """

    ours: Column
    ledger: Column
    statement: Column
    kinds: Kinds
    dissenters: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.kinds)

    def __iter__(self) -> Iterator[tuple[int, int, int, BreakKind, Dissenter]]:
        """Row by row: the three rows, the kind, and who stands alone."""
        columns = (self.ours, self.ledger, self.statement, self.kinds, self.dissenters)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        for ours, ledger, statement, code, dissenter in rows:
            kind = KINDS[code]
            assert kind is not None
            yield ours, ledger, statement, kind, Dissenter(dissenter)


def compare(ours: Records, ledger: Records, statement: Records, layout: Layout) -> Differences:
    """Every difference of three sets of records, each once.

    What the ledger alone shows is an undue issue or redemption, where it is one by its cause.
    """
    own, stated = pair(ours, ledger, layout), pair(statement, ledger, layout)
    found = [
        _of_ledger(own, stated, ours, ledger, statement, layout),
        *_beside_ledger(own, stated, ours, statement, layout),
    ]
    return Differences(*(np.concatenate(columns) for columns in zip(*found, strict=True)))


def compare_two(ours: Records, theirs: Records, layout: Layout) -> Differences:
    """The same with nobody's statement: the ledger, or whoever it is, is the other side."""
    pairs = pair(ours, theirs, layout)
    rows = np.flatnonzero(pairs.our_kinds)
    alone = np.flatnonzero((pairs.their_kinds != AGREES) & (pairs.ours_of_theirs() == NOBODY))
    kinds = np.append(
        pairs.our_kinds[rows], _undue(pairs.their_kinds[alone], theirs, alone, layout)
    )
    return Differences(
        np.append(rows, np.full(len(alone), NOBODY)),
        np.append(pairs.partners[rows], alone),
        np.full(len(kinds), NOBODY, dtype=np.int64),
        kinds,
        np.full(len(kinds), Dissenter.EVERYBODY, dtype=np.uint8),
    )


_Found = tuple[Column, Column, Column, Kinds, NDArray[np.uint8]]


def _of_ledger(
    own: Pairs, stated: Pairs, ours: Records, ledger: Records, statement: Records, layout: Layout
) -> _Found:
    """What is in the ledger, and different elsewhere or not there."""
    rows = np.flatnonzero((own.their_kinds != AGREES) | (stated.their_kinds != AGREES))
    our_rows, stated_rows = own.ours_of_theirs()[rows], stated.ours_of_theirs()[rows]
    our_kinds, stated_kinds = own.their_kinds[rows], stated.their_kinds[rows]
    dissenters = np.full(len(rows), Dissenter.EVERYBODY, dtype=np.uint8)
    dissenters[(our_kinds != AGREES) & (stated_kinds == AGREES)] = Dissenter.OURS
    dissenters[(our_kinds == AGREES) & (stated_kinds != AGREES)] = Dissenter.STATEMENT
    both = dissenters == Dissenter.EVERYBODY
    is_alone = both & (our_rows == NOBODY) & (stated_rows == NOBODY)
    paired = np.flatnonzero(both & (our_rows != NOBODY) & (stated_rows != NOBODY))
    same = _are_equal(ours, our_rows[paired], statement, stated_rows[paired], layout)
    dissenters[is_alone] = Dissenter.LEDGER
    dissenters[paired[same]] = Dissenter.LEDGER
    kinds = np.where(our_kinds == AGREES, _seen_by_us(stated_kinds), our_kinds)
    alone = np.flatnonzero(is_alone)
    kinds[alone] = _undue(kinds[alone], ledger, rows[alone], layout)
    return our_rows, rows, stated_rows, kinds, dissenters


def _beside_ledger(
    own: Pairs, stated: Pairs, ours: Records, statement: Records, layout: Layout
) -> Iterator[_Found]:
    """What the ledger does not have: in both of the others, or in one of them."""
    our_rows = np.flatnonzero(own.partners == NOBODY)
    stated_rows = np.flatnonzero(stated.partners == NOBODY)
    pairs = pair(ours.take(our_rows), statement.take(stated_rows), layout)
    partners = np.full(len(our_rows), NOBODY, dtype=np.int64)
    paired = pairs.partners != NOBODY
    partners[paired] = stated_rows[pairs.partners[paired]]
    dissenters = np.full(len(our_rows), Dissenter.OURS, dtype=np.uint8)
    dissenters[paired] = Dissenter.EVERYBODY
    dissenters[paired & (pairs.our_kinds == AGREES)] = Dissenter.LEDGER
    differ = paired & (pairs.our_kinds != AGREES)
    kinds = np.where(differ, pairs.our_kinds, own.our_kinds[our_rows])
    nothing = np.full(len(our_rows), NOBODY, dtype=np.int64)
    yield our_rows, nothing, partners, kinds, dissenters

    alone = stated_rows[pairs.ours_of_theirs() == NOBODY]
    nothing = np.full(len(alone), NOBODY, dtype=np.int64)
    kinds = _seen_by_us(stated.our_kinds[alone])
    yield nothing, nothing, alone, kinds, np.full(len(alone), Dissenter.STATEMENT, dtype=np.uint8)


def _are_equal(
    ours: Records, our_rows: Column, statement: Records, stated_rows: Column, layout: Layout
) -> NDArray[np.bool_]:
    equal = np.ones(len(our_rows), dtype=bool)
    for name in layout.names:
        equal &= ours.columns[name][our_rows] == statement.columns[name][stated_rows]
    return equal


def _seen_by_us(kinds: Kinds) -> Kinds:
    """Kinds from the point of view of whoever makes the statement, from ours."""
    turned = kinds.copy()
    turned[kinds == _MISSING_OURS] = _MISSING_THEIRS
    turned[kinds == _MISSING_THEIRS] = _MISSING_OURS
    return turned


def _undue(kinds: Kinds, records: Records, rows: Column, layout: Layout) -> Kinds:
    """What nobody else has of an issue or a redemption was not due."""
    if not layout.cause:
        return kinds
    causes, missing = records.columns[layout.cause][rows], kinds == _MISSING_OURS
    turned = kinds.copy()
    turned[missing & (causes == ISSUED)] = CODE_BY_KIND[BreakKind.UNDUE_ISSUE]
    turned[missing & (causes == REDEEMED)] = CODE_BY_KIND[BreakKind.UNDUE_REDEMPTION]
    return turned
