"""What the page of the day shows: how the market stands, each part as of its block."""

from dataclasses import dataclass
from typing import Final

from api import schemas, trade_schemas
from api.access.visible import visible_participant
from api.own_trades import own_rows
from api.views import captured_end, cycle_view, participant_view, trade_view
from api.web.today.breaks import Breaks, breaks_of
from api.web.today.cash import ROWS_SHOWN, BankCash, bank_cash_of
from api.web.today.figures import (
    Figures,
    Latencies,
    Rates,
    Stage,
    figures_of,
    funnel_of,
    latencies_of,
    rates_of,
)
from ledger.clearing.columns import TradeColumns
from ledger.domain.instructions import Instruction
from ledger.domain.key_holders import KeyHolder
from ledger.domain.participants import Role
from ledger.settlement.legs import participants_in
from nodes.bus import UnreachableError
from nodes.clearing_house.waiting import count_by_reason
from nodes.consortium import Consortium
from nodes.explorer import Explorer
from nodes.sandbox.sandbox import Sandbox

CYCLES_SHOWN: Final = 6
TRADES_SHOWN: Final = 8
TRADES_LOOKED_THROUGH: Final = 20_000
"""For one's own among them."""
REASONS_SHOWN: Final = 6
INSTITUTIONS_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class Institutions:
    """Those to look at first; ``total`` is how many there are, ``well`` how many do well."""

    shown: list[schemas.Participant]
    total: int
    well: int
    exchange_is_away: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """Instructions that wait, by what they wait for; an empty reason: about to settle."""

    total: int
    count_by_reason: list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Example:
    """The terms of a trade that would be taken here."""

    instrument: str
    seller: str
    buyer: str


@dataclass(frozen=True, slots=True)
class Today:
    """Everything the page shows. Figures of the whole day are on the chain anyway.

    Of what waits, ``for_cycle`` waits for the next cycle, and ``queued`` by itself in the queue.
    """

    as_of_block: int
    business_date: str
    figures: Figures
    funnel: list[Stage]
    for_cycle: int
    queued: int
    rates: Rates
    latencies: Latencies
    breaks: Breaks
    queue: Queue
    cash: list[BankCash]
    cash_total: int
    cycles: list[schemas.Cycle]
    trades: list[trade_schemas.Trade]
    institutions: Institutions
    example: Example | None


def today_of(sandbox: Sandbox, explorer: Explorer, holder: KeyHolder) -> Today:
    """The day as it stands, as the holder of a key sees it; the caller holds the market's lock."""
    consortium, network = sandbox.consortium, sandbox.consortium.network
    house = consortium.clearing_house
    figures, breaks = figures_of(sandbox), breaks_of(consortium, holder)
    cash = bank_cash_of(consortium, holder)
    cycles = house.cycles.all()
    for_cycle = max(min(figures.captured - house.cycles.watermark(), figures.waiting), 0)
    return Today(
        as_of_block=house.projection.height,
        business_date=network.business_date.isoformat(),
        figures=figures,
        funnel=funnel_of(figures, sandbox.pulse, breaks.reconciled_block, breaks.trades),
        for_cycle=for_cycle,
        queued=figures.waiting - for_cycle,
        rates=rates_of(sandbox.pulse),
        latencies=latencies_of(consortium),
        breaks=breaks,
        queue=_queue(consortium, holder),
        cash=cash[:ROWS_SHOWN],
        cash_total=len(cash),
        cycles=[cycle_view(consortium, row) for row in cycles[: -CYCLES_SHOWN - 1 : -1]],
        trades=_latest_trades(consortium, explorer, holder, figures.captured),
        institutions=_institutions(consortium, holder),
        example=_example(consortium),
    )


def _queue(consortium: Consortium, holder: KeyHolder) -> Queue:
    live = _live(consortium, holder)
    counts = count_by_reason(consortium.clearing_house.desk.book, live)
    named = [(reason.name if reason else "", count) for reason, count in counts.most_common()]
    return Queue(len(live), named[:REASONS_SHOWN])


def _live(consortium: Consortium, holder: KeyHolder) -> list[Instruction]:
    """The live instructions that the holder of a key sees."""
    live = consortium.clearing_house.desk.book.queue.live()
    if holder.sees_everything:
        return live
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


def _captured(consortium: Consortium, first: int, end: int) -> TradeColumns:
    """The captured trades at [first, end); while the exchange is away, those handed over."""
    intake = consortium.clearing_house.intake.stream
    try:
        return consortium.exchange.trades(first, end)
    except UnreachableError:
        return intake.trades(min(first, intake.end_position), min(end, intake.end_position))


def _institutions(consortium: Consortium, holder: KeyHolder) -> Institutions:
    """Those in trouble first, the rest in the order of the network."""
    nodes = consortium.nodes.values()
    everybody = [visible_participant(holder, participant_view(consortium, node)) for node in nodes]
    ailing = [each for each in everybody if is_ailing(each)]
    well = [each for each in everybody if not is_ailing(each)]
    exchange = Role.EXCHANGE.value
    return Institutions(
        shown=[*ailing, *well][:INSTITUTIONS_SHOWN],
        total=len(everybody),
        well=len(well),
        exchange_is_away=any(each.role == exchange and each.is_away for each in ailing),
    )


def is_ailing(participant: schemas.Participant) -> bool:
    """Whether somebody has to look after it."""
    return participant.is_away or participant.is_suspended or bool(participant.open_breaks)


def _example(consortium: Consortium) -> Example | None:
    """A trade to begin with, while there is none; None where nobody could make one."""
    network = consortium.network
    brokers = [each.id for each in network.of_role(Role.BROKER)]
    if captured_end(consortium) or len(brokers) < 2 or not network.instruments:
        return None
    return Example(network.instruments[0].symbol, brokers[0], brokers[1])
