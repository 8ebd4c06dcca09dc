"""Reconciliation: records that should agree, compared; every difference is a break with an owner.

Positions are compared three ways: the node's own book, the ledger as projected from final blocks,
and the statement of whoever keeps the account (settlement bank or registrar). Without a statement
the other two are compared all the same, but no break closes. What becomes of the differences is in
``ledger.books.breaks``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ledger.books.keyed import Keyed
from ledger.clearing.columns import Column
from ledger.domain.break_meanings import LikelyCause
from ledger.domain.breaks import BreakKind


@dataclass(frozen=True, slots=True)
class Difference:
    """Two versions of one thing.

    Attributes:
        id: the same as long as it is the same difference.
        asset: ISIN or currency; empty where it is about neither.
        at_risk: what is in doubt, in minor units of ``currency``; 0 when nothing of value is.
        cause: the likely one, where the node knows better than its kind says.
        kind_if_it_stays: of what is in flight: what it is when it stays too long.
    """

    id: str
    kind: BreakKind
    subject: str
    ours: str
    theirs: str
    asset: str = ""
    at_risk: int = 0
    currency: str = ""
    cause: LikelyCause | None = None
    kind_if_it_stays: BreakKind | None = None


@dataclass(frozen=True, slots=True)
class Versions:
    """What three records say of one position; None where a record does not speak of it."""

    ours: int | None
    ledger: int | None
    statement: int | None

    def agree(self) -> bool:
        """Whether nobody contradicts; a position nobody has anything in need not be listed."""
        return len({self.ours or 0, self.ledger or 0, self.statement or 0}) == 1

    def kind(self, unit: BreakKind) -> BreakKind:
        """How they differ: somebody has nothing of it, or the amounts differ."""
        if not self.ours and self.ledger:
            return BreakKind.MISSING_OURS
        if self.ours and (not self.ledger or not self.statement):
            return BreakKind.MISSING_THEIRS
        return unit


@dataclass(frozen=True, slots=True)
class Comparison:
    """What comparing one set of records found.

    Attributes:
        scope: with which the ids of its differences begin.
        is_complete: whether all records were there; only then does a break close.
    """

    scope: str
    found: Sequence[Difference]
    is_complete: bool


def compare_positions(ours: Keyed, ledger: Keyed, statement: Keyed | None) -> dict[int, Versions]:
    """The positions on which the records do not agree, by holding key.

    Each record has one amount by key. Without a statement the other two are compared.
    """
    records = [ours, ledger, ours if statement is None else statement]
    keys = _all_keys(records)
    first, *others = (record.of(keys)[0] for record in records)
    differ = np.any([first != other for other in others], axis=0)
    found = keys[differ]
    columns = (_said_of(record, found) for record in records)
    return {key: Versions(*said) for key, *said in zip(found.tolist(), *columns, strict=True)}


def _said_of(record: Keyed, keys: Column) -> list[int | None]:
    """What a record has of some keys; None where it does not speak of one."""
    _, known = record.keys.find(keys)
    pairs = zip(record.of(keys)[0].tolist(), known.tolist(), strict=True)
    return [amount if is_there else None for amount, is_there in pairs]


def _all_keys(records: Sequence[Keyed]) -> Column:
    """Every key of some records, ascending."""
    first, *others = [record.keys.column for record in records]
    if all(np.array_equal(first, other) for other in others):
        return first
    return np.unique(np.concatenate([first, *others]))
