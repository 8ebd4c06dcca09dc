"""The trades that one transaction settled, page by page, from the clearing house's books."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from api.web.trade_rows import TradeRow, seen_positions, trade_rows
from ledger.books import cycles as records
from ledger.books.tables import CycleRow
from ledger.domain.amounts import (
    format_amount,
    format_basis_points,
    grouped,
    netting_efficiency_bp,
)
from ledger.domain.key_holders import KeyHolder
from nodes.consortium import Consortium


@dataclass(frozen=True, slots=True)
class SettledTrades:
    """A page of trades. ``cycle`` is the books' record of the cycle, None for an instruction."""

    cycle: CycleRow | None
    gross_value: str
    net_value: str
    efficiency: str
    total: int
    trades: list[TradeRow]


def settled_trades(
    consortium: Consortium, holder: KeyHolder, reference: bytes, first: int, count: int
) -> SettledTrades | None:
    """What settled under the id of a cycle or instruction; None when the books do not know it.

    Of the trades, those that the holder of a key sees.
    """
    house = consortium.clearing_house
    cycle = _cycle(house.cycles.all(), reference)
    if cycle is not None:
        positions = house.intake.staying(cycle.first_position, cycle.end_position)
    else:
        row = house.desk.book.by_id(reference)
        if row is None:
            return None
        places = [] if row.position is None else [row.position]
        positions = np.array(places, dtype=np.int64)
    positions = seen_positions(consortium, holder, positions)
    currency = consortium.network.currencies[0]
    gross, net = (cycle.gross_value, cycle.net_value) if cycle else (0, 0)
    return SettledTrades(
        cycle=cycle,
        gross_value=f"{currency} {grouped(format_amount(gross, currency))}",
        net_value=f"{currency} {grouped(format_amount(net, currency))}",
        efficiency=format_basis_points(netting_efficiency_bp(gross, net)),
        total=len(positions),
        trades=trade_rows(consortium, positions[first : first + count]),
    )


def _cycle(rows: Sequence[CycleRow], id: bytes) -> CycleRow | None:
    """The cycle that settled under an id; versions that came to nothing have the same one."""
    settling = (records.SETTLED, records.SUBMITTED)
    found = (row for row in reversed(rows) if row.id == id and row.state in settling)
    return next(found, None)
