"""The list of cycles: a page of them, newest first, and what they come to together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from api import schemas
from api.views import cycle_view
from ledger.books.tables import CycleRow
from ledger.domain.amounts import format_basis_points, netting_efficiency_bp
from nodes.sandbox.sandbox import Sandbox

CYCLES_A_PAGE: Final = 25


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of cycles. ``older``: the number that the page after it is below; None at the end."""

    as_of_block: int
    currency: str
    cycles: list[schemas.Cycle]
    older: int | None
    total: int
    settled: int
    trades: int
    trades_a_line: str
    efficiency: str
    finality_p50_ms: int | None
    finality_p99_ms: int | None
    waiting: int


def listed(sandbox: Sandbox, below: int | None, state: str | None) -> Listed:
    """Some cycles in a state, or in any; the caller holds the market's lock."""
    consortium, pulse = sandbox.consortium, sandbox.pulse
    house, totals = consortium.clearing_house, pulse.totals
    rows = house.cycles.all()
    found = _page(rows, len(rows) + 1 if below is None else below, state)
    latencies = pulse.finality_ms([50, 99])
    return Listed(
        as_of_block=house.projection.height,
        currency=consortium.network.currencies[0],
        cycles=[cycle_view(consortium, row) for row in found[:CYCLES_A_PAGE]],
        older=found[CYCLES_A_PAGE - 1].number if len(found) > CYCLES_A_PAGE else None,
        total=len(rows),
        settled=totals.cycles,
        trades=totals.trades,
        trades_a_line=ratio(totals.trades, totals.lines),
        efficiency=format_basis_points(netting_efficiency_bp(totals.gross_value, totals.net_value)),
        finality_p50_ms=latencies[0] if latencies else None,
        finality_p99_ms=latencies[1] if latencies else None,
        waiting=house.net.waiting(),
    )


def ratio(whole: int, parts: int) -> str:
    """How many of one thing to one of another, in tenths."""
    return f"{whole / parts:,.1f}" if parts else "–"


def _page(rows: Sequence[CycleRow], end: int, state: str | None) -> list[CycleRow]:
    """The page's rows and one more, if there is one. Numbers are dense from 1."""
    found: list[CycleRow] = []
    for place in range(min(end - 1, len(rows)) - 1, -1, -1):
        if state in (None, rows[place].state):
            found.append(rows[place])
        if len(found) > CYCLES_A_PAGE:
            break
    return found
