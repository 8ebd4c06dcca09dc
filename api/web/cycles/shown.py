"""What the page of one cycle shows: its figures, its way, its parties, lines and trades."""

from dataclasses import dataclass

from eth_hash.auto import keccak

from api import schemas
from api.views import cycle_view
from api.web.charts import share
from api.web.cycles.lines import LinesPage, lines_page
from api.web.cycles.listed import ratio
from api.web.cycles.parties import Parties, asked_parties, signed_parties
from api.web.cycles.timeline import Timeline, kept_timeline, watched_timeline
from api.web.cycles.trades import Leavers, TradesPage, leavers_of, trades_page
from ledger.books import cycles as records
from ledger.books.tables import CycleRow
from ledger.domain.amounts import format_basis_points
from ledger.domain.key_holders import KeyHolder
from nodes.clearing_house.cycle_watch import WatchedCycle
from nodes.consortium import Consortium
from nodes.explorer import Explorer
from nodes.explorer.finality import FinalityView
from nodes.messages import SignedCycle


@dataclass(frozen=True, slots=True)
class Asked:
    """Which parts of the page are asked for: whose lines, and where lines and trades begin."""

    participant: int | None = None
    line: int = 0
    trade: int = 0


@dataclass(frozen=True, slots=True)
class Block:
    """The block that a cycle settled in."""

    number: int
    time: str
    finality: FinalityView


@dataclass(frozen=True, slots=True)
class Signed:
    """What was signed, in hex, for whoever wants to check it."""

    parties_hash: str
    lines_hash: str
    deadline: str
    is_gross: bool


@dataclass(frozen=True, slots=True)
class CycleShown:
    """One cycle. Lines, parties and transactions are there once it was signed."""

    cycle: schemas.Cycle
    captured: int
    net_percent: int
    efficiency: str
    trades_a_line: str
    timeline: Timeline
    parties: Parties
    lines: LinesPage | None
    party_ids: list[str]
    trades: TradesPage
    leavers: Leavers
    block: Block | None
    transactions: list[str]
    signed: Signed | None
    first_position: int
    end_position: int
    is_over: bool
    last_number: int


def cycle_shown(
    consortium: Consortium, explorer: Explorer, holder: KeyHolder, row: CycleRow, asked: Asked
) -> CycleShown:
    """A cycle that is in the books; the caller holds the market's lock."""
    net, network = consortium.clearing_house.net, consortium.network
    signed, watched = net.signed(row.number), net.watch.cycle(row.number)
    view = cycle_view(consortium, row)
    message = signed.cycle if signed else None
    numbers = message.party_numbers() if message else ()
    hashes = net.transactions(row.number, signed) if signed else []
    return CycleShown(
        cycle=view,
        captured=row.end_position - row.first_position,
        net_percent=share(row.net_value, row.gross_value),
        efficiency=format_basis_points(view.netting_efficiency_bp),
        trades_a_line=ratio(row.trade_count, row.securities_lines + row.cash_lines),
        timeline=watched_timeline(watched)
        if watched
        else kept_timeline(view.finality_ms, is_settled=row.state == records.SETTLED),
        parties=_parties(consortium, holder, signed, watched),
        lines=lines_page(explorer.names, message, asked.participant, asked.line)
        if message
        else None,
        party_ids=sorted(map(network.participant_id, numbers)),
        trades=trades_page(consortium, holder, row, asked.trade),
        leavers=leavers_of(consortium, holder, row),
        block=_block(explorer, row),
        transactions=["0x" + each.hex() for each in hashes],
        signed=_signed(explorer, signed) if signed else None,
        first_position=row.first_position,
        end_position=row.end_position,
        is_over=row.state != records.SUBMITTED,
        last_number=consortium.clearing_house.cycles.next_number() - 1,
    )


def _parties(
    consortium: Consortium,
    holder: KeyHolder,
    signed: SignedCycle | None,
    watched: WatchedCycle | None,
) -> Parties:
    network = consortium.network
    if signed is not None:
        return signed_parties(network, holder, signed.cycle.party_numbers(), watched)
    return asked_parties(network, holder, watched) if watched else Parties([], [])


def _block(explorer: Explorer, row: CycleRow) -> Block | None:
    found = None if row.block is None else explorer.block(row.block, 0, 0)
    if found is None:
        return None
    return Block(found.summary.number, found.summary.time, found.summary.finality)


def _signed(explorer: Explorer, signed: SignedCycle) -> Signed:
    message = signed.cycle
    return Signed(
        parties_hash="0x" + keccak(message.parties.encode()).hex(),
        lines_hash="0x" + message.lines_hash().hex(),
        deadline=explorer.names.time(message.deadline),
        is_gross=message.is_gross,
    )
