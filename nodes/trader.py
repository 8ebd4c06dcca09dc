"""A node that trades: it keeps a blotter, affirms, attests cycles and consents to instructions.

It signs nothing that its own records do not bear out: its blotter for trades, its desk's mandates
for everything else.
"""

from typing import Any

import numpy as np

from contracts.lines import Lines
from contracts.typed_data import InstructionMessage, RedemptionMessage
from ledger.books.blotter import Blotter
from ledger.books.database import Database, UnitOfWork
from ledger.books.mandates import Mandates
from ledger.books.postings import Column, FinalBlock, Register
from ledger.books.reconciliation import Difference, add_breaks, record_breaks
from ledger.books.trade_index import NOT_FOUND
from ledger.clearing.columns import TradeColumns, accounts_of, participants_of
from ledger.clearing.commitment import is_included
from ledger.clearing.netting import NetLines, net
from ledger.domain.breaks import BreakKind, TradeDifference
from ledger.domain.participants import Role
from ledger.domain.reasons import Reason, Rejected
from nodes.keys import Key
from nodes.messages import (
    Accepted,
    Affirmation,
    AffirmationRequest,
    Attestation,
    CycleProposal,
    Disagreement,
    InstructionProposal,
    Message,
    RedemptionRequest,
    SignedInstruction,
)
from nodes.node import Node, Surroundings
from nodes.trade_words import describe_terms, describe_trade_id


class Trader(Node):
    """A broker or a bank, as far as it trades."""

    def __init__(self, id: str, key: Key, database: Database, around: Surroundings) -> None:
        super().__init__(id, key, database, around)
        self.blotter = Blotter(database)
        self.mandates = Mandates(database)

    # What its own desk tells it.

    def record_trades(self, sequence: Column, trades: TradeColumns) -> None:
        """Its own trades, as its own desk has them, numbered by the desk; on disk on return."""
        with self.database.transaction() as session:
            self.blotter.record(session, sequence, trades)

    def expect_deposit(self, reference: bytes, register: Register, lines: Lines) -> None:
        """An issue into its accounts that it has asked its bank or the registrar for."""
        with self.database.transaction() as session:
            self.own_book.expect(session, reference, b"", {register: (lines.keys, lines.amounts)})

    def mandate_instruction(self, instruction: InstructionMessage) -> None:
        """Agrees to an instruction: it will sign exactly these terms when it is asked to."""
        self.mandates.give(instruction.id, _terms_of(instruction))

    def mandate_redemption(self, register: Register, redemption: RedemptionMessage) -> None:
        """Agrees that an amount of its account is redeemed, and expects it."""
        self.mandates.give(redemption.reference, redemption.words())
        key = (redemption.asset << 32) | redemption.account
        entry = {register: (np.array([key]), np.array([-redemption.amount]))}
        with self.database.transaction() as session:
            self.own_book.expect(session, redemption.reference, b"", entry)

    # What other nodes ask of it.

    def handle(self, sender: str, message: Message) -> Any:  # noqa: ANN401 # each message fixes its answer
        """Answers a message of another node."""
        match message:
            case AffirmationRequest():
                self.require_role(sender, Role.EXCHANGE)
                return self._affirm(message)
            case CycleProposal():
                self.require_role(sender, Role.CLEARING_HOUSE)
                return self._attest(message)
            case InstructionProposal():
                self.require_role(sender, Role.CLEARING_HOUSE)
                return self._consent(message)
            case SignedInstruction():
                self.require_role(sender, Role.CLEARING_HOUSE)
                return self._take_note(message)
            case RedemptionRequest():
                return self._consent_to_redemption(message)
            case _:
                return super().handle(sender, message)

    def confirmed(self, block: FinalBlock) -> None:
        """A final block is in the books now."""
        self.blotter.settle(block.settled)

    def close_of_day(self) -> None:
        """Opens a break for every own trade that the exchange never asked about."""
        positions = self.blotter.never_asked_for()
        trades = self.blotter.at(positions)
        found = [
            Difference(
                id=f"extra:{describe_trade_id(self.network, trades, row)}",
                kind=BreakKind.MISSING_THEIRS,
                subject=describe_trade_id(self.network, trades, row),
                ours=describe_terms(self.network, trades, row),
                theirs="-",
            )
            for row in range(len(trades))
        ]
        with self.database.transaction() as session:
            record_breaks(session, self.id, "extra:", found, self.seen())

    def _affirm(self, request: AffirmationRequest) -> Affirmation:
        trades = request.trades
        kinds = self.blotter.compare(trades)
        differences = {row: self._difference_of(trades, row, kind) for row, kind in kinds.items()}
        agreed = np.array([row for row in range(len(trades)) if row not in kinds], dtype=np.int64)
        with self.database.transaction() as session:
            self.blotter.answer(session, int(request.positions[0]), trades, agreed)
            add_breaks(session, self.id, map(_break_of, differences.values()), self.seen())
        return Affirmation(differences)

    def _attest(self, proposal: CycleProposal) -> Attestation | Disagreement:
        # What has settled since decides what may still be signed for.
        self.catch_up()
        refusal = self._check_proposal(proposal)
        if refusal is not None:
            return refusal
        cycle = proposal.cycle
        positions = self.blotter.find(_trades_of(proposal))
        entry = self._own_lines(self.blotter.at(positions))
        with self.database.transaction() as session:
            self.blotter.promise(session, cycle.id, cycle.root, positions, cycle.deadline)
            self.own_book.expect(session, cycle.id, cycle.root, entry)
        return Attestation(self.key.sign(self.settlement_domain().digest(cycle.struct_hash())))

    def _check_proposal(self, proposal: CycleProposal) -> Disagreement | None:
        """Everything a party can know of a cycle, checked against its own records."""
        cycle, trades = proposal.cycle, _trades_of(proposal)
        for chunk in proposal.chunks:
            if not is_included(cycle.root, chunk.index, chunk.salt, chunk.trades, chunk.proof):
                return _disagree(f"chunk {chunk.index} is not under the root")
            if chunk.proof.trade_count != cycle.count:
                return _disagree("the count of trades is not the one under the root")
        positions = self.blotter.find(trades)
        known = np.flatnonzero(positions != NOT_FOUND)
        free = self.blotter.is_free(positions[known], cycle.id, self.around.engine.passed_time())
        wrong = {*self.blotter.compare(trades), *known[~free].tolist()}
        if wrong:
            return Disagreement(
                Rejected(Reason.DISPUTED, f"{len(wrong)} trades are not as in the blotter"),
                tuple(describe_trade_id(self.network, trades, row) for row in sorted(wrong)),
            )
        if len(np.unique(positions)) != len(positions):
            return _disagree("a trade is in the cycle twice")
        mine = self._own_lines(self.blotter.at(positions))
        for register, shown in (
            (Register.SECURITIES, cycle.securities()),
            (Register.CASH, cycle.cash()),
        ):
            if not _equal(mine[register], self._only_mine(shown.keys, shown.amounts)):
                return _disagree(f"its {register.value} lines are not the net of its trades")
        return None

    def _consent(self, proposal: InstructionProposal) -> Attestation | Disagreement:
        self.catch_up()
        instruction = proposal.instruction
        positions = np.zeros(0, dtype=np.int64)
        if proposal.trade is not None:
            positions = self.blotter.find(proposal.trade)
            now = self.around.engine.passed_time()
            if (positions == NOT_FOUND).any() or not self.blotter.is_free(
                positions, instruction.id, now
            ).all():
                return _disagree(f"{proposal.label} is not an open trade of the blotter")
            if _terms_of(instruction) != _terms_of_trade(
                instruction.id, self.blotter.at(positions)
            ):
                return _disagree(f"{proposal.label} has other terms in the blotter")
        elif not self.mandates.covers(instruction.id, _terms_of(instruction)):
            return _disagree(f"{proposal.label} was not agreed to by the desk")
        with self.database.transaction() as session:
            self.blotter.promise(session, instruction.id, b"", positions, instruction.deadline)
            self._expect_instruction(session, instruction)
        return Attestation(
            self.key.sign(self.settlement_domain().digest(instruction.struct_hash()))
        )

    def _take_note(self, message: SignedInstruction) -> Accepted:
        """An instruction that others signed and that reaches its accounts."""
        instruction = message.instruction
        digest = self.settlement_domain().digest(instruction.struct_hash())
        sides = (
            (instruction.deliverer, instruction.quantity, message.deliverer_signature),
            (instruction.receiver, instruction.amount, message.receiver_signature),
        )
        for account, owed, signature in sides:
            if owed:
                self.require_signed(account >> 8, digest, signature)
        with self.database.transaction() as session:
            self._expect_instruction(session, instruction)
        return Accepted()

    def _consent_to_redemption(self, request: RedemptionRequest) -> Attestation | Disagreement:
        redemption = request.redemption
        if not self.mandates.covers(redemption.reference, redemption.words()):
            return _disagree("the redemption was not agreed to by the desk")
        addresses = self.around.contracts.addresses
        is_cash = request.register == Register.CASH.value
        domain = self.domain(addresses.cash if is_cash else addresses.securities)
        return Attestation(self.key.sign(domain.digest(redemption.struct_hash())))

    def _expect_instruction(self, session: UnitOfWork, instruction: InstructionMessage) -> None:
        legs = {
            Register.SECURITIES: (
                instruction.instrument,
                (-instruction.quantity, instruction.quantity),
            ),
            Register.CASH: (instruction.currency, (instruction.amount, -instruction.amount)),
        }
        accounts = np.array([instruction.deliverer, instruction.receiver])
        entry = {
            register: self._only_mine((asset << 32) | accounts, np.array(amounts))
            for register, (asset, amounts) in legs.items()
            if any(amounts)
        }
        self.own_book.expect(session, instruction.id, b"", entry)

    def _own_lines(self, trades: TradeColumns) -> dict[Register, tuple[Column, Column]]:
        """The net of own trades, in own accounts."""
        result = net(trades)
        lines: dict[Register, NetLines] = {
            Register.SECURITIES: result.securities,
            Register.CASH: result.cash,
        }
        return {
            register: self._only_mine(net_lines.keys, net_lines.amounts)
            for register, net_lines in lines.items()
        }

    def _only_mine(self, keys: Column, amounts: Column) -> tuple[Column, Column]:
        mine = participants_of(accounts_of(keys)) == self.number
        return keys[mine], amounts[mine]

    def _difference_of(self, trades: TradeColumns, row: int, kind: BreakKind) -> TradeDifference:
        position = int(self.blotter.find(trades.take(slice(row, row + 1)))[0])
        ours = "-"
        if position != NOT_FOUND:
            ours = describe_terms(self.network, self.blotter.at(np.array([position])), 0)
        if kind is BreakKind.DUPLICATE:
            ours = f"{ours} (twice)"
        return TradeDifference(
            kind=kind,
            subject=describe_trade_id(self.network, trades, row),
            ours=ours,
            theirs=describe_terms(self.network, trades, row),
        )


def _break_of(difference: TradeDifference) -> Difference:
    return Difference(
        id=f"trade:{difference.subject}",
        kind=difference.kind,
        subject=difference.subject,
        ours=difference.ours,
        theirs=difference.theirs,
    )


def _disagree(detail: str) -> Disagreement:
    return Disagreement(Rejected(Reason.DISPUTED, detail))


def _trades_of(proposal: CycleProposal) -> TradeColumns:
    return TradeColumns.concatenate([chunk.trades for chunk in proposal.chunks])


def _equal(left: tuple[Column, Column], right: tuple[Column, Column]) -> bool:
    return np.array_equal(left[0], right[0]) and np.array_equal(left[1], right[1])


def _terms_of(instruction: InstructionMessage) -> bytes:
    """What a mandate covers: everything but rule version and deadline."""
    return instruction.words()[: 32 * 7]


def _terms_of_trade(id: bytes, trade: TradeColumns) -> bytes:
    return _terms_of(
        InstructionMessage(
            id=id,
            deliverer=int(trade.sellers[0]),
            receiver=int(trade.buyers[0]),
            instrument=int(trade.instruments[0]),
            quantity=int(trade.quantities[0]),
            currency=int(trade.currencies[0]),
            amount=int(trade.amounts[0]),
            rule_version=0,
            deadline=0,
        )
    )
