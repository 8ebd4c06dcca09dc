"""A queue of instructions in columns, as the gridlock algorithms read it.

A row is an instruction; rows stand in queue order (priority, then arrival), so that a row's number
is its place in every queue it stands in. A leg moves an amount from one key to another. A key is
whatever must not fall below zero: an account's holding of an asset, or what is left of a limit. The
caller numbers keys densely; the algorithms do not ask what they are.

No sum overflows: where all amounts together with the largest balance stay below 2**62, columns of
int64 are summed; otherwise the same columns hold Python's integers, slower and without bound.
"""

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

NONE: Final = -1
"""No key (in a leg), or no link (of a row)."""
ROWS_MAX: Final = 1_000_000
LEGS_MAX: Final = 8_000_000
KEYS_MAX: Final = 8_000_000
_SUM_MAX: Final = 1 << 62
_HALF: Final = 31

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Exact = NDArray[Any]
"""int64 where every sum fits, otherwise Python's integers."""


@dataclass(frozen=True, kw_only=True)
class QueueColumns:
    """A queue. Everything is checked when it is made; the columns cannot be written through it.

    Attributes:
        leg_row: the instruction that a leg is of; ascending.
        leg_debtor: the key that gives; ``NONE``: nobody's.
        leg_creditor: the key that receives; ``NONE``: nobody's.
        leg_amount: units or minor units, above zero.
        available: what each key has now, not below zero.
        link: rows with the same number settle together or not at all; ``NONE``: alone.
        can_settle: False: in no set; under fifo what stands behind it stays too.
        value: what a row counts in the settled value, in minor units; 0 for a free delivery.
    """

    leg_row: Numbers
    leg_debtor: Numbers
    leg_creditor: Numbers
    leg_amount: Numbers
    available: Numbers
    link: Numbers
    can_settle: Flags
    value: Numbers

    def __post_init__(self) -> None:
        for column in fields(self):
            given: NDArray[Any] = getattr(self, column.name)
            wanted = np.bool_ if column.name == "can_settle" else np.int64
            assert given.dtype == wanted, f"{column.name} is {given.dtype}"
            assert given.ndim == 1, f"{column.name} has {given.ndim} dimensions"
            view = given.view()
            view.flags.writeable = False
            object.__setattr__(self, column.name, view)
        self._check_lengths()
        self._check_values()

    @property
    def rows(self) -> int:
        """How many instructions."""
        return len(self.value)

    @property
    def keys(self) -> int:
        """How many keys."""
        return len(self.available)

    @cached_property
    def amounts(self) -> Exact:
        """The legs' amounts, as numbers of which every sum is exact."""
        return self._exact(self.leg_amount)

    @cached_property
    def balances(self) -> Exact:
        """What keys have now, as numbers of which every sum is exact."""
        return self._exact(self.available)

    def balances_after(self, selected: Flags) -> Exact:
        """What every key would have after the selected rows have settled."""
        moved = np.where(selected[self.leg_row], self.amounts, 0)
        after = self.balances.copy()
        owed, earned = self.leg_debtor != NONE, self.leg_creditor != NONE
        np.subtract.at(after, self.leg_debtor[owed], moved[owed])
        np.add.at(after, self.leg_creditor[earned], moved[earned])
        return after

    def is_feasible(self, selected: Flags) -> bool:
        """Whether the selected rows can settle as one set: covered, whole links, none barred."""
        linked = self.link != NONE
        chosen = set(self.link[linked & selected].tolist())
        return (
            chosen.isdisjoint(self.link[linked & ~selected].tolist())
            and bool(self.can_settle[selected].all())
            and bool((self.balances_after(selected) >= 0).all())
        )

    def settled_value(self, selected: Flags) -> int:
        """The value of the selected rows, in minor units."""
        return sum(self.value[selected].tolist())

    def _exact(self, numbers: Numbers) -> Exact:
        return numbers if self._sums_fit else numbers.astype(object)

    @cached_property
    def _sums_fit(self) -> bool:
        # In two halves, neither of which can overflow.
        high = int((self.leg_amount >> _HALF).sum())
        low = int((self.leg_amount & ((1 << _HALF) - 1)).sum())
        largest = int(self.available.max(initial=0))
        return (high << _HALF) + low + largest < _SUM_MAX

    def _check_lengths(self) -> None:
        assert self.rows <= ROWS_MAX, f"{self.rows} rows"
        assert self.keys <= KEYS_MAX, f"{self.keys} keys"
        assert len(self.leg_row) <= LEGS_MAX, f"{len(self.leg_row)} legs"
        assert len(self.link) == self.rows, f"{len(self.link)} links"
        assert len(self.can_settle) == self.rows, f"{len(self.can_settle)} flags"
        for column in (self.leg_debtor, self.leg_creditor, self.leg_amount):
            assert len(column) == len(self.leg_row), f"{len(column)} of {len(self.leg_row)} legs"

    def _check_values(self) -> None:
        assert _is_within(self.leg_row, 0, self.rows), "a leg of no row"
        assert bool((self.leg_row[1:] >= self.leg_row[:-1]).all()), "legs out of order"
        assert _is_within(self.leg_debtor, NONE, self.keys), "a debtor that is no key"
        assert _is_within(self.leg_creditor, NONE, self.keys), "a creditor that is no key"
        assert bool((self.leg_amount > 0).all()), "an amount that is not above zero"
        assert bool((self.available >= 0).all()), "a balance below zero"
        assert bool((self.link >= NONE).all()), "a link with a number below none"
        assert bool((self.value >= 0).all()), "a value below zero"


def _is_within(numbers: Numbers, low: int, end: int) -> bool:
    return bool(((numbers >= low) & (numbers < end)).all())
