"""What the page of a trade shows: one way from capture to finality, with who signed what."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from api.instruction_schemas import Instruction
from api.instruction_views import instruction_view
from api.schemas import Participant
from api.trade_schemas import Trade
from api.views import participant_view, trade_view
from ledger.books.batches import Batch
from ledger.books.cycles import SETTLED as CYCLE_SETTLED
from ledger.books.cycles import SUBMITTED
from ledger.books.intake import CAPTURED, SETTLED, UNAFFIRMED
from ledger.books.tables import CycleRow
from ledger.clearing.columns import TradeColumns
from ledger.clearing.proof import TradeProof
from ledger.domain.accounts import participant_of
from ledger.domain.amounts import format_amount, grouped
from ledger.domain.instructions import State
from ledger.domain.key_holders import KeyHolder
from nodes.attestation import Attested, NetLine, attested_by, votes_of
from nodes.bus import UnreachableError
from nodes.consortium import Consortium
from nodes.explorer import Explorer
from nodes.explorer.explorer import BlockView, TransactionView, parse_hash
from nodes.explorer.finality import FINAL
from nodes.journal.moments import Moment, Moments
from nodes.network import Network
from nodes.sandbox.sandbox import Sandbox
from nodes.signed_trade import SideSignature, SignedTrade, signed_trade_of
from nodes.trade_words import describe_trade_id


class Status(Enum):
    """How far a trade has come with one stage."""

    DONE = "done"
    NOW = "now"
    STOPPED = "stopped"
    AHEAD = "ahead"


@dataclass(frozen=True, slots=True)
class Party:
    """A side of the trade, and how far its own node is.

    Attributes:
        reconciled_block: up to which block its records agree; None: it is not the reader's to know.
        has_it: its books have the block that settled the trade, and compared as far as known.
    """

    participant: Participant
    account: str
    reconciled_block: int | None
    has_it: bool


@dataclass(frozen=True, slots=True)
class Netted:
    """The cycle of a trade, and what it moved for the two accounts."""

    row: CycleRow
    finality_ms: int
    attested: Attested | None
    lines: list[tuple[str, str, str]]
    proof: TradeProof | None


@dataclass(frozen=True, slots=True)
class Story:
    """A trade, stage by stage. ``statuses`` are in order; what cannot come any more is left out."""

    trade: Trade
    is_cancellation: bool
    statuses: dict[str, Status]
    captured: Moment | None
    settled: Moment | None
    batch: Batch | None
    seller: Party
    buyer: Party
    signed: SignedTrade | None
    netted: Netted | None
    instruction: Instruction | None
    history: list[Moment]
    transaction: TransactionView | None
    block: BlockView | None
    votes: list[SideSignature]

    @property
    def is_over(self) -> bool:
        """Whether nothing of it will change any more."""
        return set(self.statuses.values()) <= {Status.DONE, Status.STOPPED}

    @property
    def nodes(self) -> list[Party]:
        """Whose books it is in: one node alone where a broker trades with its own client."""
        is_same = self.seller.participant.id == self.buyer.participant.id
        return [self.seller] if is_same else [self.seller, self.buyer]

    @property
    def took(self) -> str:
        """From capture to its settlement as the journal noted it; empty when that is not known."""
        if self.captured is None or self.settled is None:
            return ""
        seconds = self.captured.seconds_until(self.settled)
        return "" if seconds is None else f"{seconds:,.2f} s"


_STAGES_NET: Final = ("netted", "attested")
_STAGES_GROSS: Final = ("instructed",)
_ENDED: Final = frozenset({State.CANCELLED.value, State.FAILED.value})


def story_of(sandbox: Sandbox, explorer: Explorer, holder: KeyHolder, position: int) -> Story:
    """The story of a trade that the holder of a key sees, by its place in the capture."""
    consortium = sandbox.consortium
    trades = consortium.exchange.trades(position, position + 1)
    batch = consortium.exchange.batch_of(position) if holder.sees_every_trade else None
    proof = consortium.proofs.proof(position)
    with sandbox.lock:
        trade = trade_view(consortium, explorer, trades, 0, position)
        house = consortium.clearing_house
        is_taken_in = position < house.intake.stream.end_position
        signed = signed_trade_of(house, position) if is_taken_in else None
        standing = house.standing_of(position)
        instruction = house.desk.book.by_id(standing.instruction) if standing.instruction else None
        cycle = None if standing.instruction else _cycle(consortium, trade, position)
        netted = _netted(consortium, cycle, trades, proof) if cycle else None
        parties = [
            _party(consortium, holder, int(account[0]), trade.final_block)
            for account in (trades.sellers, trades.buyers)
        ]
    digest = parse_hash(trade.transaction_hash or "")
    transaction = explorer.transaction(digest) if digest else None
    block = trade.final_block
    moments = Moments(sandbox.journal.events)
    name = describe_trade_id(consortium.network, trades, 0)
    found = Story(
        trade=trade,
        is_cancellation=bool(trades.cancels[0] > 0),
        statuses={},
        captured=moments.captured(name, position),
        settled=_settled(moments, trade, name),
        batch=batch,
        seller=parties[0],
        buyer=parties[1],
        signed=signed,
        netted=netted,
        instruction=instruction_view(consortium.network, instruction) if instruction else None,
        history=_history(moments, name) if instruction else [],
        transaction=transaction,
        block=explorer.block(block, 0, 0) if block is not None else None,
        votes=votes_of(consortium, block) if block is not None else [],
    )
    found.statuses.update(_statuses(found, is_taken_in=is_taken_in))
    return found


def _statuses(story: Story, *, is_taken_in: bool) -> dict[str, Status]:
    """How far it has come, up to where it stopped, if it did."""
    own = _STAGES_GROSS if story.instruction else _STAGES_NET
    stages = ("captured", "affirmed", *(("signed",) if story.signed else ()), *own)
    stages += ("settled", "final", "reconciled")
    reached = dict.fromkeys(stages, Status.AHEAD)
    reached["captured"] = Status.DONE
    reached["affirmed"] = Status.DONE if is_taken_in else Status.NOW
    if story.signed:
        reached["signed"] = Status.DONE
    if story.trade.state == UNAFFIRMED:
        return _stopped(reached, "affirmed")
    if story.instruction:
        reached["instructed"] = Status.DONE if story.trade.state == SETTLED else Status.NOW
        if story.trade.state in _ENDED:
            return _stopped(reached, "instructed")
    elif story.trade.state != CAPTURED and story.netted is None:
        return _stopped(reached, "netted")
    elif is_taken_in:
        reached["netted"] = Status.DONE if story.netted else Status.NOW
        if story.netted:
            reached["attested"] = Status.DONE
            reached["settled"] = Status.NOW
    if story.trade.state == SETTLED and story.block is not None:
        is_final = story.block.summary.finality.state == FINAL
        reached["settled"] = Status.DONE
        reached["final"] = Status.DONE if is_final else Status.NOW
        have_it = story.seller.has_it and story.buyer.has_it
        reached["reconciled"] = Status.DONE if have_it else Status.NOW
    return reached


def _stopped(reached: dict[str, Status], at: str) -> dict[str, Status]:
    """What was reached when it went no further: that is the last stage."""
    stages = list(reached)
    kept = stages[: stages.index(at) + 1]
    return {each: Status.STOPPED if each == at else reached[each] for each in kept}


def _cycle(consortium: Consortium, trade: Trade, position: int) -> CycleRow | None:
    """The cycle that the trade is in: settled, or signed and on its way."""
    row = consortium.clearing_house.cycles.covering(position)
    is_in_it = row is not None and row.state in (CYCLE_SETTLED, SUBMITTED)
    return row if is_in_it and trade.state in (SETTLED, CAPTURED) else None


def _netted(
    consortium: Consortium, row: CycleRow, trades: TradeColumns, proof: TradeProof | None
) -> Netted:
    accounts = [int(trades.sellers[0]), int(trades.buyers[0])]
    instrument, currency = int(trades.instruments[0]), int(trades.currencies[0])
    attested = attested_by(consortium.clearing_house, row, accounts, instrument, currency)
    lines = attested.lines if attested else ()
    return Netted(
        row=row,
        finality_ms=row.finality_ns // 1_000_000,
        attested=attested,
        lines=[_line(consortium.network, each, instrument, currency) for each in lines],
        proof=proof,
    )


def _line(network: Network, line: NetLine, instrument: int, currency: int) -> tuple[str, str, str]:
    symbol, money = network.instrument(instrument).symbol, network.currency(currency)
    quantity = (
        grouped(str(line.quantity)) if line.quantity <= 0 else f"+{grouped(str(line.quantity))}"
    )
    amount = grouped(format_amount(line.amount, money))
    return (
        network.account_id(line.account),
        f"{quantity} {symbol}",
        f"{money} {amount if line.amount <= 0 else f'+{amount}'}",
    )


def _party(consortium: Consortium, holder: KeyHolder, account: int, block: int | None) -> Party:
    node = consortium.nodes[consortium.network.participant_id(participant_of(account))]
    participant = participant_view(consortium, node)
    reconciled = None
    if holder.may_see(node.id):
        try:
            reconciled = node.standing().reconciled_block
        except UnreachableError:
            reconciled = None
    known = participant.as_of_block if reconciled is None else reconciled
    return Party(
        participant=participant,
        account=consortium.network.account_id(account),
        reconciled_block=reconciled,
        has_it=block is not None and known is not None and known >= block,
    )


def _settled(moments: Moments, trade: Trade, name: str) -> Moment | None:
    if trade.state != SETTLED:
        return None
    if trade.cycle is None:
        return moments.last("trade.settled", name)
    return moments.last("cycle.settled", str(trade.cycle))


def _history(moments: Moments, name: str) -> list[Moment]:
    """What its instruction went through: the states of the trade, after its capture."""
    return [each for each in moments.history("trade.*", name) if each.act != CAPTURED]
