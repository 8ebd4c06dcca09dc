"""Which side of others comes nearest to one that has not matched, and in what they differ."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.books.entered_sides import Entered
from ledger.domain.tolerances import Tolerance
from ledger.settlement.matching import differences

COMPARED_MAX: Final = 100
"""Sides that one is compared with, the earliest first, to name the one that is nearest."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """The side that differs in the fewest fields, the earliest of several, and those fields."""

    entered: Entered
    differing: tuple[str, ...]


def nearest_of(
    entered: Entered, others: Iterable[Entered], table: Sequence[Tolerance]
) -> Nearest | None:
    """The nearest of other sides; None when none of them is an opposite one."""
    compared = [Nearest(each, differences(entered.side, each.side, table)) for each in others]
    opposite = [each for each in compared if each.differing != ("is_deliverer",)]
    return min(opposite, key=lambda each: (len(each.differing), each.entered.place), default=None)
