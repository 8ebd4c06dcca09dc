"""From nodes to the wire: how trades, cycles and breaks look to the outside."""

from contextlib import suppress
from datetime import date

from api import schemas, trade_schemas
from api.errors import refuse
from ledger.books import cycles as records
from ledger.books.intake import CAPTURED, SETTLED
from ledger.books.tables import CycleRow
from ledger.clearing.columns import TradeColumns
from ledger.domain.amounts import format_amount, format_price, netting_efficiency_bp
from ledger.domain.errors import MalformedError
from ledger.domain.identifiers import TradeId, decode_trade_number, encode_trade_number
from ledger.domain.reasons import Reason
from nodes.bus import UnreachableError
from nodes.clearing_house.cycle_watch import RECONCILED
from nodes.clearing_house.observer import Stage
from nodes.consortium import Consortium
from nodes.explorer import Explorer
from nodes.network import Network
from nodes.node import Node, NodeStanding
from nodes.trade_words import trade_id_of


def trade_view(
    consortium: Consortium, explorer: Explorer, trades: TradeColumns, row: int, position: int
) -> trade_schemas.Trade:
    """A captured trade and what has become of it."""
    house = consortium.clearing_house
    standing = house.standing_of(position)
    cycle = house.cycles.covering(position)
    in_cycle = cycle is not None and standing.state == SETTLED and not standing.instruction
    reference = cycle.id if cycle and in_cycle else standing.instruction
    block = _final_block(consortium, standing.instruction, cycle if in_cycle else None)
    settling = explorer.settling(reference, block) if block is not None else None
    return captured_view(consortium.network, trades, row, position).model_copy(
        update={
            "state": standing.state,
            "reason": standing.reason.name if standing.reason else None,
            "cycle": cycle.number if cycle and in_cycle else None,
            "final_block": block,
            "transaction_hash": "0x" + settling.hex() if settling else None,
        }
    )


def captured_view(
    network: Network, trades: TradeColumns, row: int, position: int
) -> trade_schemas.Trade:
    """A trade at the moment of its capture: nothing has become of it yet."""
    instrument = network.instrument(int(trades.instruments[row]))
    return trade_schemas.Trade(
        id=str(trade_id_of(network, trades, row)),
        position=position,
        number=decode_trade_number(int(trades.numbers[row])),
        isin=instrument.isin,
        symbol=instrument.symbol,
        trade_date=date.fromordinal(int(trades.dates[row])).isoformat(),
        quantity=str(trades.quantities[row]),
        price=format_price(int(trades.prices[row])),
        amount=format_amount(int(trades.amounts[row]), instrument.currency),
        currency=instrument.currency,
        seller=network.account_id(int(trades.sellers[row])),
        buyer=network.account_id(int(trades.buyers[row])),
        state=CAPTURED,
        reason=None,
        cycle=None,
        final_block=None,
        transaction_hash=None,
    )


def _final_block(consortium: Consortium, instruction: bytes, cycle: CycleRow | None) -> int | None:
    if cycle is not None:
        return cycle.block
    row = consortium.clearing_house.desk.book.by_id(instruction) if instruction else None
    return row.block if row else None


def captured_end(consortium: Consortium) -> int:
    """How many trades were captured; while the exchange is away, as many as it has handed over."""
    try:
        return consortium.exchange.captured_end()
    except UnreachableError:
        return consortium.clearing_house.intake.stream.end_position


def position_of(consortium: Consortium, identity: TradeId) -> int | None:
    """Where a trade stands in the capture; None when it was never captured."""
    network = consortium.network
    if identity.venue != network.venue:
        return None
    try:
        instrument = network.instrument_number(identity.isin)
    except KeyError:
        return None
    number = encode_trade_number(identity.number)
    position = consortium.exchange.position_of(identity.trade_date.toordinal(), instrument, number)
    return None if position < 0 else position


def known_position(consortium: Consortium, trade_id: str) -> int:
    """Where the trade of an id stands in the capture; refused when it was never captured."""
    try:
        identity = TradeId.parse(trade_id)
    except MalformedError as error:
        raise refuse(Reason.INVALID, f"trade_id: {error}") from error
    position = position_of(consortium, identity)
    if position is None:
        raise refuse(Reason.UNKNOWN, f"no trade {trade_id} was captured")
    return position


def cycle_view(consortium: Consortium, row: CycleRow) -> schemas.Cycle:
    """A netting cycle."""
    currency = consortium.network.currencies[0]
    watched = consortium.clearing_house.net.watch.cycle(row.number)
    after_ns = watched.after_ns if watched else {}
    return schemas.Cycle(
        number=row.number,
        id="0x" + row.id.hex(),
        state=row.state,
        root="0x" + row.root.hex(),
        trades=row.trade_count,
        parties=row.party_count,
        securities_lines=row.securities_lines,
        cash_lines=row.cash_lines,
        gross_value=format_amount(row.gross_value, currency),
        net_value=format_amount(row.net_value, currency),
        currency=currency,
        netting_efficiency_bp=netting_efficiency_bp(row.gross_value, row.net_value),
        block=row.block,
        finality_ms=row.finality_ns // 1_000_000 if row.finality_ns else None,
        rule_version=row.rule_version,
        first_position=row.first_position,
        last_position=row.end_position - 1,
        struck_at=watched.machine_time.isoformat(timespec="microseconds") if watched else None,
        cleared_ms=_ms(after_ns.get(Stage.ATTESTED.value)),
        settled_ms=_ms(after_ns.get(Stage.FINAL.value)),
        reconciled_ms=_ms(after_ns.get(RECONCILED)),
    )


def _ms(nanoseconds: int | None) -> float | None:
    return None if nanoseconds is None else round(nanoseconds / 1_000_000, 3)


def participant_view(consortium: Consortium, node: Node) -> schemas.Participant:
    """An institution."""
    participant = consortium.network.participant(node.id)
    standing: NodeStanding | None = None
    with suppress(UnreachableError):
        standing = node.standing()
    return schemas.Participant(
        id=participant.id,
        name=participant.name or participant.id,
        role=participant.role.value,
        settlement_bank=participant.settlement_bank,
        address="0x" + node.address.hex(),
        is_suspended=node.number in consortium.clearing_house.desk.book.queue.suspended,
        open_breaks=standing.open_breaks if standing else None,
        as_of_block=standing.height if standing else None,
        is_away=standing is None,
    )


def settled_cycles(consortium: Consortium) -> list[CycleRow]:
    """The cycles that have settled, oldest first."""
    rows = consortium.clearing_house.cycles.all()
    return [row for row in rows if row.state == records.SETTLED]
