"""A node that trades: it keeps a blotter, affirms, attests cycles and consents to instructions.

It signs nothing that its own records do not bear out: its blotter for trades, its desk's mandates
for everything else.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from contracts.abi import WORD_BYTES
from contracts.lines import Lines
from contracts.typed_data import CycleMessage, InstructionMessage, RedemptionMessage
from ledger.books.blotter import Blotter, Match
from ledger.books.database import Database, UnitOfWork
from ledger.books.mandates import Mandates
from ledger.books.own_book import Entry, Recall
from ledger.books.postings import Cause, FinalBlock, Origin, Register
from ledger.books.reconciliation import Comparison
from ledger.books.trade_index import NOT_FOUND
from ledger.clearing.columns import (
    Column,
    TradeColumns,
    accounts_of,
    participants_of,
)
from ledger.clearing.commitment import ShownChunks
from ledger.clearing.netting import NetLines, net
from ledger.domain.accounts import holding_key
from ledger.domain.participants import Role
from ledger.domain.reasons import Reason, Rejected
from ledger.settlement.matching import Side, Wishes
from nodes import reservations
from nodes.consents import BOUND_SECONDS_MAX, Consents
from nodes.cycle_moves import are_moves_of
from nodes.for_desk import for_desk
from nodes.keys import Key
from nodes.late_trades import LateReports
from nodes.messages import (
    Affirmation,
    AffirmationRequest,
    Allegements,
    Attestation,
    CycleProposal,
    Disagreement,
    Dissolved,
    Matched,
    Message,
    RedemptionRequest,
    SetProposal,
    SignedSet,
)
from nodes.movement import Movement
from nodes.network import RULE_VERSION, Network
from nodes.node import Node, Surroundings
from nodes.side_entry import SideEntry
from nodes.trade_breaks import TradeBreaks
from nodes.trade_signatures import sign_trades
from nodes.trade_words import describe_trade_id


class Trader(Node):
    """A broker or a bank, as far as it trades."""

    def __init__(self, id: str, key: Key, database: Database, around: Surroundings) -> None:
        super().__init__(id, key, database, around)
        self.blotter = Blotter(database)
        self.trade_breaks = TradeBreaks(self, self.blotter)
        self.mandates = Mandates(database)
        self.late_reports = LateReports(self, self.blotter)
        self.consents = Consents(self, self.blotter, self.mandates)
        self.sides = SideEntry(self, self.mandate_instruction, self.withhold_instruction)

    # What its own desk tells it.

    @for_desk
    def record_trades(self, sequence: Column, trades: TradeColumns) -> None:
        """Its own trades, as its own desk has them, numbered by the desk; on disk on return."""
        with self.database.transaction() as session:
            self.blotter.record(session, sequence, trades)

    @for_desk
    def reported_to(self) -> int:
        """Up to which place of the capture its desk is known to have reported: it goes on there."""
        return self.blotter.reported_to

    @for_desk
    def note_reported(self, end: int) -> None:
        """Its desk has reported all it has up to a place of the capture; on disk on return."""
        with self.database.transaction() as session:
            self.blotter.note_reported(session, end)

    @for_desk
    def expect_deposit(self, reference: bytes, register: Register, lines: Lines) -> Rejected | None:
        """An issue into its accounts that it has asked its bank or the registrar for.

        Refuses a reference that stands for something else in this register already.
        """
        cause = Cause.in_register(register, reference)
        with self.database.transaction() as session:
            return self.own_book.expect(session, cause, {register: (lines.keys, lines.amounts)})

    @for_desk
    def mandate_instruction(
        self, instruction: InstructionMessage, *, may_be_partial: bool = False
    ) -> Rejected | None:
        """Agrees to an instruction: it will sign exactly these terms when it is asked to.

        Or part after part of them, where that is agreed too. Refuses an id under which it has
        agreed to other terms.
        """
        contract = self.around.contracts.addresses.settlement
        with self.database.transaction() as session:
            return self.mandates.give(
                session,
                contract,
                instruction.id,
                instruction.terms_words(),
                may_be_partial=may_be_partial,
            )

    @for_desk
    def withhold_instruction(self, id: bytes) -> None:
        """Signs nothing of an instruction, nor of a trade that settles alone, until it is allowed.

        What was signed before may still settle until its deadline has passed.
        """
        with self.database.transaction() as session:
            self.mandates.withhold(session, id)

    @for_desk
    def allow_instruction(self, id: bytes) -> None:
        """Takes that back; it gives no mandate that there was not."""
        with self.database.transaction() as session:
            self.mandates.allow(session, id)

    @for_desk
    def mandate_redemption(
        self, register: Register, redemption: RedemptionMessage
    ) -> Rejected | None:
        """Agrees that an amount of its account is redeemed in one register, and expects it.

        Refuses a reference that stands for something else in this register already.
        """
        entry = _entry_of(register, redemption)
        cause = Cause.in_register(register, redemption.reference)
        contract = self.register_contract(register).address
        with self.database.transaction() as session:
            return self.own_book.expect(session, cause, entry) or self.mandates.give(
                session, contract, redemption.reference, redemption.words()
            )

    @for_desk
    def is_new_redemption(self, register: Register, redemption: RedemptionMessage) -> bool:
        """Whether nothing is known of a redemption, nor of another under its reference."""
        cause = Cause.in_register(register, redemption.reference)
        with self.database.reading() as session:
            entry = _entry_of(register, redemption)
            return self.own_book.recall(session, cause, entry) is Recall.NEW

    @for_desk
    def reserve(self, reservation: Movement) -> Rejected | None:
        """Sets an amount of its own aside (see ``nodes.reservations``)."""
        return reservations.reserve(self, self.mandates, reservation)

    @for_desk
    def unreserve(self, reservation: Movement) -> Rejected | None:
        """Makes an amount that was set aside available again (see ``nodes.reservations``)."""
        return reservations.unreserve(self, self.mandates, reservation)

    @for_desk
    def enter_side(
        self, reference: str, side: Side, wishes: Wishes | None = None
    ) -> Rejected | None:
        """Enters its side of an instruction (see ``nodes.side_entry``)."""
        return self.sides.enter(reference, side, wishes)

    @for_desk
    def withdraw_side(self, reference: str) -> Rejected | None:
        """Takes a side back (see ``nodes.side_entry``)."""
        return self.sides.withdraw(reference)

    @for_desk
    def amend_side(
        self, reference: str, replacement: str, side: Side, wishes: Wishes | None = None
    ) -> Rejected | None:
        """Cancels a side and enters another (see ``nodes.side_entry``)."""
        return self.sides.amend(reference, replacement, side, wishes)

    @for_desk
    def allegements(self) -> Allegements:
        """What others have entered that lacks a side of this trader."""
        return self.sides.allegements()

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
            case SetProposal() | SignedSet():
                self.require_role(sender, Role.CLEARING_HOUSE)
                return self.consents.answer(message)
            case Matched() | Dissolved():
                self.require_role(sender, Role.CLEARING_HOUSE)
                return self.sides.answer(message)
            case RedemptionRequest():
                self.require_keeper(sender, message.register)
                return self._consent_to_redemption(message)
            case _:
                return super().handle(sender, message)

    def confirmed(self, block: FinalBlock) -> None:
        """A final block is in the books now."""
        self.blotter.settle(block.settled)

    def own_comparisons(self) -> list[Comparison]:
        """Trades on which its desk and the exchange differed, and do so no more."""
        comparisons, late, agreed = self.trade_breaks.looked_at_again()
        if len(late):
            with self.database.transaction() as session:
                self.late_reports.put(session, agreed)
                self.blotter.note_asked(session, late)
        return comparisons

    @for_desk
    def tell_late(self) -> int:
        """Tells the exchange of trades that its desk has reported late; returns notices taken.

        Not of its own accord: the exchange asks it back, and the clearing house waits for neither.
        """
        return self.notices.work()

    def last_price(self, instrument: int) -> int | None:
        """What it last traded an instrument at, in millionths."""
        return self.blotter.last_price(instrument)

    @for_desk
    def close_of_day(self) -> None:
        """Opens a break for every own trade that the exchange never asked about."""
        with self.database.transaction() as session:
            self.break_book.record(session, [self.trade_breaks.never_asked_for()], self.seen())

    def _affirm(self, request: AffirmationRequest) -> Affirmation:
        trades = request.trades
        match = self.blotter.match(trades)
        differences, breaks = self.trade_breaks.found(request.positions, trades, match)
        with self.database.transaction() as session:
            self.blotter.answer(session, int(request.positions[0]), match)
            self.break_book.add(session, breaks, self.seen())
        domain, agreed = self.settlement_domain(), match.agreed()
        signed = sign_trades(self.key, domain, trades, agreed) if request.to_sign else None
        return Affirmation(differences, signed)

    def _attest(self, proposal: CycleProposal) -> Attestation | Disagreement:
        cycle, chunks = proposal.cycle, _chunks_of(proposal)
        if chunks is None:
            return _disagree("the chunks cannot be read")
        flaw = self._flaw_of(cycle, chunks)
        if flaw:
            return _disagree(flaw)
        # What has settled since decides what may still be signed for.
        self.catch_up()
        trades, lines = chunks.trades(), self._lines_shown(cycle)
        match = self.blotter.match(trades)
        refusal = self._objection(cycle, trades, match) or self._wrong_lines(cycle, trades, lines)
        if refusal is not None:
            return refusal
        digest = self.settlement_domain().digest(cycle.struct_hash())
        cause = Cause(Origin.CYCLE, cycle.id, digest)
        with self.database.transaction() as session:
            self.blotter.promise(session, cause, match.positions, cycle.deadline)
            self._expect(session, cause, lines)
        return Attestation(self.key.sign(digest))

    def _flaw_of(self, cycle: CycleMessage, chunks: ShownChunks) -> str:
        """What is wrong with a proposal in itself; nothing when it is whole."""
        if cycle.rule_version != RULE_VERSION:
            return f"rule version {RULE_VERSION} is in force"
        if not 0 <= cycle.deadline - self.around.engine.passed_time() <= BOUND_SECONDS_MAX:
            return f"the deadline is not within {BOUND_SECONDS_MAX} seconds"
        lines = cycle.securities_lines.words, cycle.cash_lines.words
        if any(len(words) % WORD_BYTES for words in lines):
            return "the lines cannot be read"
        if not chunks.are_under(cycle.id, cycle.root):
            return "the chunks are not under the root"
        is_counted = chunks.proof.trade_count == cycle.count
        return "" if is_counted else "the count of trades is not the one under the root"

    def _objection(
        self, cycle: CycleMessage, trades: TradeColumns, match: Match
    ) -> Disagreement | None:
        """What own records have against the trades shown: others, settled, promised, or twice."""
        known = np.flatnonzero(match.positions != NOT_FOUND)
        cause, now = Cause(Origin.CYCLE, cycle.id), self.around.engine.passed_time()
        free = self.blotter.is_free(match.positions[known], cause, now)
        wrong = {*match.kinds, *known[~free].tolist()}
        if wrong:
            return Disagreement(
                Rejected(Reason.DISPUTED, f"{len(wrong)} trades are not as in the blotter"),
                tuple(_names_of(self.network, trades, sorted(wrong))),
            )
        if not np.diff(np.sort(match.positions)).all():
            return _disagree("a trade is in the cycle twice")
        return None

    def _wrong_lines(
        self, cycle: CycleMessage, trades: TradeColumns, shown: Entry
    ) -> Disagreement | None:
        """What is wrong with the lines, given trades that are as in the blotter."""
        if cycle.is_gross and not are_moves_of(cycle.moves(), trades, self.number):
            return _disagree("the moves that touch it are not its trades")
        for register, lines in self._own_lines(trades).items():
            if not _equal(lines, shown[register]):
                return _disagree(f"its {register.value} lines are not the net of its trades")
        return None

    def _lines_shown(self, cycle: CycleMessage) -> Entry:
        """The lines of a cycle in own accounts."""
        return {
            register: self._only_mine(lines.keys, lines.amounts)
            for register, lines in (
                (Register.SECURITIES, cycle.securities()),
                (Register.CASH, cycle.cash()),
            )
        }

    def _consent_to_redemption(self, request: RedemptionRequest) -> Attestation | Disagreement:
        redemption = request.redemption
        contract = self.register_contract(request.register).address
        if not self.mandates.covers(contract, redemption.reference, redemption.words()):
            return _disagree("the redemption was not agreed to by the desk")
        return Attestation(self.key.sign(self.domain(contract).digest(redemption.struct_hash())))

    def _expect(self, session: UnitOfWork, cause: Cause, entry: Entry) -> None:
        refusal = self.own_book.expect(session, cause, entry)
        assert refusal is None, "what was signed once has one content"

    def _own_lines(self, trades: TradeColumns) -> Entry:
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


def _entry_of(register: Register, redemption: RedemptionMessage) -> Entry:
    key = holding_key(redemption.asset, redemption.account)
    return {register: (np.array([key]), np.array([-redemption.amount]))}


def _disagree(detail: str) -> Disagreement:
    return Disagreement(Rejected(Reason.DISPUTED, detail))


def _chunks_of(proposal: CycleProposal) -> ShownChunks | None:
    """What a party is shown; None when that fails, however it does."""
    try:
        chunks = proposal.chunks()
    except Exception:  # noqa: BLE001 # of somebody who may be hostile: a party disagrees, and goes on
        return None
    return chunks if type(chunks) is ShownChunks else None


def _names_of(network: Network, trades: TradeColumns, rows: list[int]) -> Iterator[str]:
    """Identities of trades as text; of what is no trade of this network there is none."""
    for row in rows:
        try:
            yield describe_trade_id(network, trades, row)
        except (LookupError, ValueError, OverflowError):
            continue


def _equal(left: tuple[Column, Column], right: tuple[Column, Column]) -> bool:
    return np.array_equal(left[0], right[0]) and np.array_equal(left[1], right[1])
