"""The clearing house as a node: what it takes from others, and what it knows of every trade."""

from collections.abc import Callable, Sequence
from typing import Any, Final, assert_never

import numpy as np

from ledger.books import cycles as records
from ledger.books.cycles import CycleRecords
from ledger.books.database import Database, UnitOfWork
from ledger.books.intake import (
    CANCELLED,
    CAPTURED,
    SETTLED,
    UNAFFIRMED,
    Intake,
    TradeStanding,
)
from ledger.books.position_sets import set_of
from ledger.books.postings import FinalBlock, Register
from ledger.books.reconciliation import Comparison
from ledger.books.unsound_assets import UnsoundAssets as UnsoundAssetBook
from ledger.clearing.columns import TradeColumns
from ledger.domain.participants import Role
from ledger.domain.reasons import Reason, Rejected, reason_of_revert
from ledger.domain.rules import Rules, SettlementMode
from ledger.settlement.unsound import Unsound
from nodes.clearing_house.desk import InstructionDesk
from nodes.clearing_house.matching_desk import MatchingDesk
from nodes.clearing_house.net import NetSettlement
from nodes.clearing_house.signed_trades import SignedTrades
from nodes.clearing_house.status_comparison import StatusComparison
from nodes.keys import Key
from nodes.messages import (
    Accepted,
    AffirmedLate,
    AllegementRequest,
    AmendedSide,
    CapturedBatch,
    Disagreement,
    EnteredSide,
    Message,
    UnsoundAssets,
    WithdrawnSide,
)
from nodes.node import Node, Surroundings

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
        self.desk = InstructionDesk(self, self.intake, rules, self._suspended())
        self.matching = MatchingDesk(self, self.desk)
        self.statuses = StatusComparison(self, self.cycles)
        self.unsound = UnsoundAssetBook(database)
        self.desk.book.set_unsound(self._unsound())
        self.net = NetSettlement(self, self.intake, self.cycles, self.desk, rules)

    def handle(self, sender: str, message: Message) -> Any:  # noqa: ANN401 # each message fixes its answer
        """Answers a message of another node."""
        match message:
            case CapturedBatch():
                self.require_role(sender, Role.EXCHANGE)
                return self._take_in(message)
            case AffirmedLate():
                self.require_role(sender, Role.EXCHANGE)
                return _answer(self._take_late(message))
            case EnteredSide() | WithdrawnSide() | AmendedSide():
                return _answer(self._take_side(sender, message))
            case UnsoundAssets():
                return self._suspend_assets(sender, message)
            case AllegementRequest():
                return self.matching.allegements(sender)
            case _:
                return super().handle(sender, message)

    def resume(self) -> None:
        """Finishes what a crash cut off: transactions that were kept and may not have been sent."""
        self.net.resume()
        self.desk.resume()
        self.matching.resume()

    def work(self) -> int:
        """Brings in what has matched, then tries what can settle; returns how many have settled.

        Called after every change, and after business time has moved.
        """
        self.notices.work()
        self.matching.work()
        return self.desk.work()

    def end_of_day(self) -> None:
        """The day ends: what is due and has not settled fails."""
        self.matching.end_of_day()
        self.desk.end_of_day()

    def standing_of(self, position: int) -> TradeStanding:
        """What has become of a captured trade."""
        exception = self.intake.exception(position)
        if exception is not None:
            return self.desk.book.standing_of(exception)
        cycle = self.cycles.covering(position)
        settled = cycle is not None and cycle.state == records.SETTLED
        return TradeStanding(SETTLED if settled else CAPTURED)

    def suspend(self, participant: str) -> Rejected | None:
        """Suspends a participant: what it has in the queue waits, and nothing new is taken."""
        data = self.around.contracts.participants.suspend_data
        return self._change_standing("suspend", participant, data, self.desk.book.suspend)

    def reinstate(self, participant: str) -> Rejected | None:
        """Lets a suspended participant take part again."""
        data = self.around.contracts.participants.reinstate_data
        return self._change_standing("reinstate", participant, data, self.desk.book.reinstate)

    def _take_side(
        self, sender: str, message: EnteredSide | WithdrawnSide | AmendedSide
    ) -> Rejected | None:
        match message:
            case EnteredSide():
                return self.matching.enter(sender, message)
            case WithdrawnSide():
                return self.matching.withdraw(sender, message.reference)
            case AmendedSide():
                return self.matching.amend(sender, message)
            case _:
                assert_never(message)

    def suspended_assets(self) -> list[str]:
        """What is suspended since its issue is in doubt: ISINs, and currencies of a bank."""
        said = self.unsound.said()
        isins = {
            self.network.instrument(asset).isin
            for (_, register), assets in said.items()
            for asset in assets
            if register is Register.SECURITIES
        }
        cash = {
            f"{self.network.currency(asset)} of {keeper}"
            for (keeper, register), assets in said.items()
            for asset in assets
            if register is Register.CASH
        }
        return [*sorted(isins), *sorted(cash)]

    def _suspend_assets(self, sender: str, message: UnsoundAssets) -> Accepted:
        is_cash = message.register is Register.CASH
        self.require_role(sender, Role.BANK if is_cash else Role.REGISTRAR)
        known = self.network.currencies if is_cash else self.network.instruments
        if not all(0 < asset <= len(known) for asset in message.assets):
            raise PermissionError(f"{sender} names assets that are not of this network")
        if self.unsound.take(sender, message.register, message.assets):
            self.desk.book.set_unsound(self._unsound())
        return Accepted()

    def _unsound(self) -> Unsound:
        """What is suspended, as the queue needs it: cash by those who have it at the bank."""
        instruments: set[int] = set()
        cash: set[tuple[int, int]] = set()
        for (keeper, register), assets in self.unsound.said().items():
            if register is Register.SECURITIES:
                instruments |= assets
                continue
            for number, each in enumerate(self.network.participants, start=1):
                if each.settlement_bank == keeper:
                    cash |= {(number, asset) for asset in assets}
        return Unsound(frozenset(instruments), frozenset(cash))

    def confirmed(self, block: FinalBlock) -> None:
        """A final block is in the books now."""
        self.desk.book.confirmed(block)
        self.statuses.confirmed(block)

    def own_comparisons(self) -> list[Comparison]:
        """What it says became of cycles and instructions, against the ledger."""
        return [self.statuses.comparison()]

    def _change_standing(
        self,
        act: str,
        participant: str,
        data: Callable[[int], bytes],
        follow: Callable[[int], None],
    ) -> Rejected | None:
        """Has the chain change a participant's standing, and the queue follow.

        The same act may come again later.
        """
        self.catch_up()
        number = self.network.participant_number(participant)
        intent = f"{act}:{number}:{self.projection.height}"
        contract = self.around.contracts.participants
        outcome = self.outbox.send(intent, contract.address, data(number))
        if not outcome.succeeded:
            return Rejected(reason_of_revert(outcome.revert), outcome.revert)
        self.catch_up()
        follow(number)
        return None

    def _suspended(self) -> set[int]:
        """The participants that the chain shows as suspended."""
        numbers = range(1, len(self.network.participants) + 1)
        return self.around.contracts.participants.suspended_among(numbers)

    def _take_in(self, message: CapturedBatch) -> Accepted:
        first = message.first_position
        checked = self.signed_trades.check(message)
        # A cancellation is of what has not settled, or undoes what has.
        self.desk.decide()
        left_out = message.unaffirmed | checked.unsigned
        with self.database.transaction() as session:
            self.signed_trades.keep(session, first, checked)
            new = self.intake.take_in(
                session, first, message.records, message.unaffirmed, checked.unsigned
            )
            if self.rules.settlement is SettlementMode.GROSS:
                trades = TradeColumns.concatenate([packed.unpacked() for packed in new])
                rows = np.setdiff1d(np.arange(len(trades)), sorted(left_out))
                self._settle_gross(session, (first + rows).tolist(), trades.take(rows))
        return Accepted()

    def _take_late(self, message: AffirmedLate) -> Rejected | None:
        """Trades that were not affirmed settle on their own now that they are.

        What has become something else meanwhile stays that; so does everything where trades are to
        be signed, which these are not. Refuses those that have not come in yet.
        """
        # What cancels one of them may be in what was cut off.
        self.net.resume()
        self.desk.decide()
        if not all(type(place) is int and place >= 0 for place in message.positions.tolist()):
            raise PermissionError("a position that no trade has")
        if (message.positions >= self.intake.stream.end_position).any():
            return Rejected(Reason.UNAVAILABLE, "not all of these trades have come in yet")
        late = [place for place in set_of(message.positions).tolist() if self._is_unaffirmed(place)]
        if late and not self.rules.signed_trades:
            with self.database.transaction() as session:
                self._settle_gross(session, late, self.intake.stream.trades_at(np.array(late)))
        return None

    def _is_unaffirmed(self, position: int) -> bool:
        standing = self.intake.exception(position)
        return standing is not None and standing.state == UNAFFIRMED

    def _settle_gross(
        self, session: UnitOfWork, positions: Sequence[int], trades: TradeColumns
    ) -> None:
        """Queues trades, except those that cancel each other out.

        Who cancels a trade that has settled is queued as its opposite.
        """
        cancels = {
            positions[row]: int(trades.cancels[row]) - 1
            for row in np.flatnonzero(trades.cancels > 0).tolist()
        }
        undone = {each: place for each, place in cancels.items() if not self._has_settled(place)}
        self.desk.book.cancel_trades(session, undone.values())
        gone = {*undone.values(), *undone}
        self.intake.note(session, dict.fromkeys(sorted(gone), TradeStanding(CANCELLED)))
        queued = [
            (position, trades.take(slice(row, row + 1)), None)
            for row, position in enumerate(positions)
            if position not in gone
        ]
        self.desk.book.enter_trades(session, queued)

    def _has_settled(self, position: int) -> bool:
        standing = self.intake.exception(position) or self.standing_of(position)
        return standing.state == SETTLED


def _answer(refusal: Rejected | None) -> Accepted | Disagreement:
    return Accepted() if refusal is None else Disagreement(refusal)
