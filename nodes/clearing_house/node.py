"""The clearing house as a node: what it takes from others, and what it knows of every trade."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

from contracts.typed_data import InstructionMessage
from ledger.books import cycles as records
from ledger.books.cycles import CycleRecords
from ledger.books.database import Database, UnitOfWork
from ledger.books.instructions import InstructionQueue
from ledger.books.intake import CAPTURED, QUEUED, SETTLED, Intake, TradeStanding
from ledger.books.tables import InstructionRow
from ledger.clearing.columns import TradeColumns
from ledger.domain.participants import Role
from ledger.domain.reasons import Reason, Rejected
from ledger.domain.rules import Rules, SettlementMode
from nodes.clearing_house.gross import GrossSettlement
from nodes.clearing_house.net import NetSettlement
from nodes.clearing_house.queue import instruction_of_trade, instruction_row, is_same
from nodes.clearing_house.signed_trades import SignedTrades
from nodes.keys import Key
from nodes.messages import Accepted, CapturedBatch, Message
from nodes.node import Node, Surroundings
from nodes.trade_words import describe_trade_id

BESIDE_A_CYCLE: Final = 1_000_000
"""Trades that are kept in memory beside those of a cycle: they come in before it is struck."""


class ClearingHouse(Node):
    """Takes captured trades in and settles them, gross or in netting cycles, by the rules."""

    projects_everybody = True

    def __init__(
        self, id: str, key: Key, database: Database, around: Surroundings, rules: Rules
    ) -> None:
        super().__init__(id, key, database, around)
        self.rules = rules
        self.intake = Intake(database, rules.cycle_trades_max + BESIDE_A_CYCLE)
        self.signed_trades = SignedTrades(self, self.intake, are_required=rules.signed_trades)
        self.cycles = CycleRecords(database)
        self.queue = InstructionQueue(database)
        self.net = NetSettlement(self, self.intake, self.cycles, self.queue, rules)
        self.gross = GrossSettlement(self, self.intake, self.queue, rules)

    def handle(self, sender: str, message: Message) -> Any:  # noqa: ANN401 # each message fixes its answer
        """Answers a message of another node."""
        match message:
            case CapturedBatch():
                self.require_role(sender, Role.EXCHANGE)
                return self._take_in(message)
            case _:
                return super().handle(sender, message)

    def resume(self) -> None:
        """Finishes what a crash cut off: transactions that were kept and may not have been sent."""
        self.net.resume()
        self.gross.resume()

    def standing_of(self, position: int) -> TradeStanding:
        """What has become of a captured trade."""
        exception = self.intake.exception(position)
        if exception is not None:
            return exception
        cycle = self.cycles.covering(position)
        settled = cycle is not None and cycle.state == records.SETTLED
        return TradeStanding(SETTLED if settled else CAPTURED)

    def instruct(self, label: str, message: InstructionMessage) -> Rejected | None:
        """Takes an instruction both sides have agreed to; the same one again changes nothing."""
        known = self.queue.get(message.id)
        if known is not None:
            return (
                None
                if is_same(known, message)
                else Rejected(Reason.DUPLICATE, f"{label} has other terms already")
            )
        row = instruction_row(label, message)
        with self.database.transaction() as session:
            self.queue.add(session, [row])
        return None

    def instructions(self) -> Sequence[InstructionRow]:
        """Every instruction, in order of arrival."""
        return self.queue.all()

    def _take_in(self, message: CapturedBatch) -> Accepted:
        first = message.first_position
        checked = self.signed_trades.check(message)
        left_out = message.unaffirmed | checked.unsigned
        with self.database.transaction() as session:
            self.signed_trades.keep(session, first, checked)
            new = self.intake.take_in(
                session, first, message.records, message.unaffirmed, checked.unsigned
            )
            if self.rules.settlement is SettlementMode.GROSS:
                trades = TradeColumns.concatenate([packed.unpacked() for packed in new])
                self._queue_each(session, first, trades, left_out)
        return Accepted()

    def _queue_each(
        self, session: UnitOfWork, first: int, trades: TradeColumns, unaffirmed: AbstractSet[int]
    ) -> None:
        """Under gross settlement every affirmed trade becomes an instruction."""
        queued: dict[int, InstructionRow] = {}
        for row in range(len(trades)):
            if row not in unaffirmed:
                trade = trades.take(slice(row, row + 1))
                label = describe_trade_id(self.network, trade, 0)
                queued[row] = instruction_of_trade(label, first + row, trade)
        self.queue.add(session, list(queued.values()))
        standings = {first + i: TradeStanding(QUEUED, None, row.id) for i, row in queued.items()}
        self.intake.note(session, standings)
