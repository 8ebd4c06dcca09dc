"""By how much the two sides of an instruction may differ in its amount, and still match.

A table by currency, in bands of the amount: up to and including a limit, one tolerance; above the
last limit, another. Its lines are dated: those of the latest date that has come are in force. A
currency that is not in the table has no tolerance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from ledger.domain.amounts import AMOUNT_MAX
from ledger.domain.errors import MalformedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """One band of a currency.

    Attributes:
        valid_from: the first business date on which it holds.
        up_to: the greatest amount that it is for, in minor units.
        tolerance: the greatest difference that still matches, in minor units.
    """

    currency: str
    valid_from: date
    up_to: int
    tolerance: int


_SINCE: Final = date(1970, 1, 1)
TOLERANCES: Final = tuple(
    Tolerance(currency=currency, valid_from=_SINCE, up_to=up_to, tolerance=tolerance)
    for currency, up_to, tolerance in (
        ("CNY", 10_000_000, 200),
        ("CNY", AMOUNT_MAX, 2_500),
        ("EUR", 10_000_000, 200),
        ("EUR", AMOUNT_MAX, 2_500),
    )
)
"""EUR as T2S is known to have it: 2 up to 100,000, 25 above. CNY is ours: no rule was found."""


def tolerance_of(table: Sequence[Tolerance], currency: str, day: date, amount: int) -> int:
    """The greatest difference, in minor units, that matches an amount on a business date."""
    begun = [line for line in table if line.currency == currency and line.valid_from <= day]
    latest = max((line.valid_from for line in begun), default=day)
    bands = sorted(
        (line.up_to, line.tolerance)
        for line in begun
        if line.valid_from == latest and amount <= line.up_to
    )
    return bands[0][1] if bands else 0


def check_tolerances(table: object) -> None:
    """Raises MalformedError when it is no table of tolerances."""
    expected = "a table of tolerances, one line for each currency, date and limit"
    if not isinstance(table, tuple) or not all(type(line) is Tolerance for line in table):
        raise MalformedError(expected, table)
    keys = {(line.currency, line.valid_from, line.up_to) for line in table}
    if len(keys) != len(table):
        raise MalformedError(expected, table)
    for line in table:
        if not 0 <= line.tolerance <= line.up_to <= AMOUNT_MAX:
            raise MalformedError(f"0 <= tolerance <= up_to <= {AMOUNT_MAX}", line)
