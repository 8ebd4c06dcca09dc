"""What the page of the day shows: figures, cycles, positions, breaks, each as of its block."""

from dataclasses import dataclass
from typing import Final

from api import schemas, trade_schemas
from api.access.visible import sees_holding, visible_participant, visible_reconciliation
from api.break_schemas import Reconciliation
from api.break_views import reconciliation_view
from api.own_trades import own_rows
from api.positions import position_view, positions_now
from api.views import (
    cycle_view,
    participant_view,
    settled_cycles,
    trade_view,
)
from ledger.books.intake import CANCELLED, SETTLED, UNAFFIRMED
from ledger.clearing.columns import TradeColumns
from ledger.domain.amounts import format_amount, format_basis_points, grouped, netting_efficiency_bp
from ledger.domain.instructions import Instruction
from ledger.domain.key_holders import KeyHolder
from ledger.domain.participants import Role
from ledger.settlement.legs import participants_in
from nodes.bus import UnreachableError
from nodes.clearing_house.waiting import count_by_reason
from nodes.consortium import Consortium
from nodes.explorer import Explorer

CYCLES_SHOWN: Final = 8
TRADES_SHOWN: Final = 12
TRADES_LOOKED_THROUGH: Final = 20_000
"""For one's own among them."""
BARS_SHOWN: Final = 40
POSITIONS_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class Bar:
    """One cycle in the chart: heights are percent of the largest."""

    number: int
    trades: int
    trades_height: int
    finality_ms: int
    finality_height: int


@dataclass(frozen=True, slots=True)
class Today:
    """Everything the page shows, as of one block.

    What was captured has settled, waits, is cancelled or is not affirmed: the figures add up. Of
    what has settled, ``settled_alone`` did so in no cycle; gross and net value are of cycles only.
    """

    as_of_block: int
    business_date: str
    currency: str
    captured: int
    settled: int
    settled_alone: int
    waiting: int
    cancelled: int
    unaffirmed: int
    gross_value: str
    net_value: str
    efficiency: str
    bars: list[Bar]
    trades: list[trade_schemas.Trade]
    cycles: list[schemas.Cycle]
    participants: list[schemas.Participant]
    reconciliation: Reconciliation
    shown_participant: str
    traders: list[str]
    positions: list[schemas.Position]
    live_instructions: int
    count_by_reason: list[tuple[str, int]]


def today_of(
    consortium: Consortium, explorer: Explorer, holder: KeyHolder, participant: str | None
) -> Today:
    """The day as it stands, as the holder of a key sees it.

    ``participant`` is whose positions are shown. Figures of the whole day are on the chain anyway.
    """
    house, network = consortium.clearing_house, consortium.network
    cycles, currency = settled_cycles(consortium), network.currencies[0]
    gross, net = sum(c.gross_value for c in cycles), sum(c.net_value for c in cycles)
    states = [standing.state for standing in house.intake.exceptions().values()]
    settled_alone = states.count(SETTLED)
    settled = sum(cycle.trade_count for cycle in cycles) + settled_alone
    cancelled, unaffirmed = states.count(CANCELLED), states.count(UNAFFIRMED)
    captured = _captured_end(consortium)
    traders = [
        each.id
        for each in network.participants
        if each.role in (Role.BROKER, Role.BANK) and holder.may_see(each.id)
    ]
    shown = participant if participant in traders else next(iter(traders), "")
    live = _live(consortium, holder)
    nodes = consortium.nodes.values()
    return Today(
        as_of_block=house.projection.height,
        business_date=network.business_date.isoformat(),
        currency=currency,
        captured=captured,
        settled=settled,
        settled_alone=settled_alone,
        waiting=captured - settled - cancelled - unaffirmed,
        cancelled=cancelled,
        unaffirmed=unaffirmed,
        gross_value=grouped(format_amount(gross, currency)),
        net_value=grouped(format_amount(net, currency)),
        efficiency=format_basis_points(netting_efficiency_bp(gross, net)),
        bars=_bars([cycle_view(consortium, row) for row in cycles[-BARS_SHOWN:]]),
        trades=_latest_trades(consortium, explorer, holder, captured),
        cycles=[cycle_view(consortium, row) for row in cycles[: -CYCLES_SHOWN - 1 : -1]],
        participants=[
            visible_participant(holder, participant_view(consortium, node)) for node in nodes
        ],
        reconciliation=visible_reconciliation(holder, reconciliation_view(consortium)),
        shown_participant=shown,
        traders=traders,
        positions=[
            position_view(each)
            for each in positions_now(consortium, shown)
            if sees_holding(network, holder, each.node.id, each.register)
        ][:POSITIONS_SHOWN],
        live_instructions=len(live),
        count_by_reason=[
            (reason.name if reason else "", count)
            for reason, count in count_by_reason(house.desk.book, live).most_common()
        ],
    )


def _live(consortium: Consortium, holder: KeyHolder) -> list[Instruction]:
    """The live instructions that the holder of a key sees."""
    live = consortium.clearing_house.desk.book.queue.live()
    if holder.sees_everything:
        return list(live)
    own = holder.participant
    number = consortium.network.participant_number(own) if own else 0
    return [each for each in live if number in participants_in(each)]


def _latest_trades(
    consortium: Consortium, explorer: Explorer, holder: KeyHolder, end: int
) -> list[trade_schemas.Trade]:
    """The trades captured last that the holder of a key sees, the newest first."""
    count = TRADES_SHOWN if holder.sees_every_trade else TRADES_LOOKED_THROUGH
    first = max(end - count, 0)
    trades = _captured(consortium, first, end)
    rows = own_rows(consortium.network, holder, trades)[-TRADES_SHOWN:]
    return [trade_view(consortium, explorer, trades, row, first + row) for row in reversed(rows)]


def _captured_end(consortium: Consortium) -> int:
    """How many trades were captured; while the exchange is away, as many as it has handed over."""
    try:
        return consortium.exchange.captured_end()
    except UnreachableError:
        return consortium.clearing_house.intake.stream.end_position


def _captured(consortium: Consortium, first: int, end: int) -> TradeColumns:
    """The captured trades at [first, end); while the exchange is away, those handed over."""
    intake = consortium.clearing_house.intake.stream
    try:
        return consortium.exchange.trades(first, end)
    except UnreachableError:
        return intake.trades(min(first, intake.end_position), min(end, intake.end_position))


def _bars(cycles: list[schemas.Cycle]) -> list[Bar]:
    most_trades = max((cycle.trades for cycle in cycles), default=1)
    longest = max((cycle.finality_ms or 0 for cycle in cycles), default=0)
    return [
        Bar(
            number=cycle.number,
            trades=cycle.trades,
            trades_height=max(100 * cycle.trades // max(most_trades, 1), 1),
            finality_ms=cycle.finality_ms or 0,
            finality_height=100 * (cycle.finality_ms or 0) // max(longest, 1),
        )
        for cycle in cycles
    ]
