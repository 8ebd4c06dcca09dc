"""Multilateral netting: of many trades, one signed line for each account and asset.

Novation makes the clearing house the buyer of every seller and the seller of every buyer, so its
own lines are zero and are not written. House and client accounts of one participant are different
accounts and never net together. The sum over the accounts is zero for each asset (invariant 2),
whatever the order of the trades.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ledger.clearing.cells import Cells
from ledger.clearing.columns import Column, TradeColumns

SUM_MAX: Final = 2**62
"""Bound on the sum of absolute amounts in one cycle: no partial sum can leave 63 bits."""

_COARSE_BITS: Final = 20


@dataclass(frozen=True, slots=True)
class NetLines:
    """Signed amounts by holding key: keys strictly ascending, no amount zero, credits positive."""

    keys: Column
    amounts: Column

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(frozen=True, slots=True)
class NetResult:
    """The net lines of a cycle, in the securities register and in the cash register."""

    securities: NetLines
    cash: NetLines


def net(trades: TradeColumns) -> NetResult:
    """Nets trades. Raises OverflowError when there are more than one cycle can carry.

    Raises ValueError when a number is below zero.
    """
    columns = (trades.instruments, trades.currencies, trades.sellers, trades.buyers)
    if any(column.min(initial=0) < 0 for column in (*columns, trades.quantities, trades.amounts)):
        raise ValueError("a trade with a number below zero")
    if not fits_one_cycle(trades):
        raise OverflowError("the absolute amounts of one cycle add up to 2**62 or more")
    trades = trades.as_delivered()
    return NetResult(
        securities=_net(trades.instruments, trades.sellers, trades.buyers, trades.quantities),
        cash=_net(trades.currencies, trades.buyers, trades.sellers, trades.amounts),
    )


def fits_one_cycle(trades: TradeColumns) -> bool:
    """Whether no sum over these trades can leave 63 bits."""
    return trades_that_fit(trades) == len(trades)


def trades_that_fit(trades: TradeColumns) -> int:
    """How many trades from the first on can be netted without a sum that could leave 63 bits."""
    return min(_rows_below(column, SUM_MAX) for column in (trades.quantities, trades.amounts))


def _rows_below(column: Column, bound: int) -> int:
    if len(column) * max(int(column.max(initial=0)), -int(column.min(initial=0))) < bound:
        return len(column)
    # Summed in coarse units, rounded up, so that the check itself cannot overflow.
    coarse = np.cumsum((np.abs(column) >> _COARSE_BITS) + 1)
    return int(np.searchsorted(coarse, bound >> _COARSE_BITS, side="left"))


def _net(assets: Column, debtors: Column, creditors: Column, amounts: Column) -> NetLines:
    """Amounts that move from one account to the other, added up by holding."""
    cells = Cells(assets, debtors, creditors)
    sums = np.zeros(len(cells.keys), dtype=np.int64)
    for rows, debited, credited in cells.parts():
        np.subtract.at(sums, debited, amounts[rows])
        np.add.at(sums, credited, amounts[rows])
    used = np.flatnonzero(sums)
    return NetLines(cells.keys[used], sums[used])
