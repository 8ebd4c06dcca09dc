"""The net lines of a cycle, page by page: what each account pays and receives, asset by asset.

Net lines are on the chain, where every participant sees them.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from api.web.charts import share
from contracts.lines import Lines
from contracts.typed_data import CycleMessage
from ledger.clearing.columns import Column, participants_of
from ledger.domain.amounts import grouped
from nodes.explorer.names import CASH, SECURITIES, Names

LINES_A_PAGE: Final = 20
HALF: Final = 50
"""Half the width of a line's bar: a payment to the left of the middle, a receipt to the right."""


@dataclass(frozen=True, slots=True)
class LineRow:
    """A net line in words; ``length`` of its bar is relative to the largest of its asset."""

    participant: str
    account: str
    is_cash: bool
    asset: str
    amount: str
    pays: bool
    length: int


@dataclass(frozen=True, slots=True)
class LinesPage:
    """Some net lines, by participant, cash first."""

    rows: list[LineRow]
    first: int
    total: int
    a_page: int = LINES_A_PAGE


@dataclass(frozen=True, slots=True)
class _Table:
    """The lines of both registers: whether they are of cash, account, asset and amount."""

    are_cash: Column
    accounts: Column
    assets: Column
    amounts: Column

    @staticmethod
    def of(cash: Lines, securities: Lines) -> "_Table":
        both = [cash, securities]
        return _Table(
            are_cash=np.repeat(np.array([1, 0]), [len(cash), len(securities)]),
            accounts=np.concatenate([each.accounts for each in both]),
            assets=np.concatenate([each.assets for each in both]),
            amounts=np.concatenate([each.amounts for each in both]),
        )


def lines_page(names: Names, cycle: CycleMessage, participant: int | None, first: int) -> LinesPage:
    """The lines of all, or of one participant, from one on."""
    table = _Table.of(cycle.cash(), cycle.securities())
    rows = np.lexsort(
        (table.assets, table.accounts, -table.are_cash, participants_of(table.accounts))
    )
    if participant is not None:
        rows = rows[participants_of(table.accounts[rows]) == participant]
    shown = rows[first : first + LINES_A_PAGE]
    return LinesPage([_row(names, table, int(row)) for row in shown], first, len(rows))


def _row(names: Names, table: _Table, row: int) -> LineRow:
    is_cash, asset = bool(table.are_cash[row]), int(table.assets[row])
    register = CASH if is_cash else SECURITIES
    account, amount = int(table.accounts[row]), int(table.amounts[row])
    same = (table.are_cash == table.are_cash[row]) & (table.assets == asset)
    most = int(np.abs(table.amounts[same]).max())
    return LineRow(
        participant=names.participant(int(participants_of(np.array([account]))[0])),
        account=names.account(account),
        is_cash=is_cash,
        asset=names.asset(register, asset),
        amount=grouped(names.amount(register, asset, abs(amount))),
        pays=amount < 0,
        length=share(abs(amount), most, HALF),
    )
