"""The trades of a cycle, page by page, and those that left it: of one's own."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from api.web.trade_rows import TradeRow, seen_positions, trade_rows
from ledger.books import cycles as records
from ledger.books.tables import CycleRow
from ledger.clearing.columns import Column
from ledger.domain.key_holders import KeyHolder
from nodes.consortium import Consortium

TRADES_A_PAGE: Final = 20
LEAVERS_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class TradesPage:
    """Some of the trades of a cycle that one sees, from one on."""

    rows: list[TradeRow]
    first: int
    total: int
    a_page: int = TRADES_A_PAGE


@dataclass(frozen=True, slots=True)
class Leavers:
    """Trades of the window that did not settle in the cycle: the first ones, and how many."""

    rows: list[TradeRow]
    total: int


def trades_page(consortium: Consortium, holder: KeyHolder, row: CycleRow, first: int) -> TradesPage:
    """A page of the trades that settled, or will, in a cycle."""
    intake = consortium.clearing_house.intake
    staying = intake.staying(row.first_position, row.end_position) if row.trade_count else _none()
    seen = seen_positions(consortium, holder, staying)
    shown = seen[first : first + TRADES_A_PAGE]
    return TradesPage(trade_rows(consortium, shown), first, len(seen))


def leavers_of(consortium: Consortium, holder: KeyHolder, row: CycleRow) -> Leavers:
    """The trades that left a cycle; of one that was abandoned, all wait for the next."""
    if row.state == records.ABANDONED:
        return Leavers([], 0)
    intake = consortium.clearing_house.intake
    window = np.arange(row.first_position, row.end_position)
    left = np.setdiff1d(window, intake.staying(row.first_position, row.end_position))
    seen = seen_positions(consortium, holder, left)
    return Leavers(trade_rows(consortium, seen[:LEAVERS_SHOWN], with_standing=True), len(seen))


def _none() -> Column:
    return np.zeros(0, dtype=np.int64)
