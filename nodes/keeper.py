"""Keeping accounts for others: what banks do for cash and the registrar for securities.

The kept book is fed by the keeper's own issues and by signed settlements that reach it as messages,
never by projected events: that is what its statement is worth.
"""

from typing import Final

import numpy as np

from contracts.clients.registers import Register as RegisterContract
from contracts.lines import LINES_PER_CALL_MAX, Lines
from contracts.typed_data import CycleMessage, InstructionMessage, RedemptionMessage
from ledger.books.database import Database
from ledger.books.keyed import ASSETS_PER_PAGE
from ledger.books.own_book import Entry, OwnBook, Recall
from ledger.books.postings import Cause, Origin, Register
from ledger.books.reconciliation import Comparison, compare_positions
from ledger.clearing.columns import Column, Mask, accounts_of, holding_keys, participants_of
from ledger.domain.accounts import holding_key, participant_of
from ledger.domain.reasons import Reason, Rejected, reason_of_revert
from nodes.bus import NOT_TAKEN
from nodes.issue_integrity import IssueIntegrity
from nodes.messages import (
    Attestation,
    Disagreement,
    RedemptionRequest,
    SignedCycle,
    SignedSet,
    Statement,
)
from nodes.node import Node, cause_of_instruction

_KEPT: Final = "kept"


class Keeper:
    """The accounts that one node keeps in one register."""

    def __init__(self, node: Node, register: Register, database: Database) -> None:
        self._node = node
        self._register = register
        self._is_kept = np.array(
            [
                False,
                *(
                    register is Register.SECURITIES or participant.settlement_bank == node.id
                    for participant in node.network.participants
                ),
            ]
        )
        self.book = OwnBook(database, _KEPT, ASSETS_PER_PAGE, self.keeps)
        self.integrity = IssueIntegrity(node, register, self.book.unexpected)

    def keeps(self, accounts: Column) -> Mask:
        """Which accounts this node keeps."""
        participants = participants_of(accounts)
        known = participants < len(self._is_kept)
        kept: Mask = known & self._is_kept[np.where(known, participants, 0)]
        return kept

    def issue(self, reference: bytes, lines: Lines) -> Rejected | None:
        """Issues into kept accounts; final and in the books of the chain when this returns.

        The same issue again changes nothing; another one under its reference is refused.
        """
        assert len(lines) <= LINES_PER_CALL_MAX
        assert self.keeps(lines.accounts).all(), "only into accounts that this node keeps"
        match self._recall(reference, lines):
            case Recall.OTHER:
                return _other_content(reference)
            case Recall.NEW:
                self._put(reference, lines, self._contract.issue_data(reference, lines))
        return self._deliver(reference)

    def redeem(self, redemption: RedemptionMessage) -> Rejected | None:
        """Redeems an amount of a kept account, if its owner signs and has it.

        The same redemption again changes nothing once it was made; another one under its reference
        is refused.
        """
        key = holding_key(redemption.asset, redemption.account)
        lines = Lines(np.array([key]), np.array([-redemption.amount]))
        match self._recall(redemption.reference, lines):
            case Recall.OTHER:
                return _other_content(redemption.reference)
            case Recall.NEW:
                consent = self._ask_consent(redemption)
                if isinstance(consent, Rejected):
                    return consent
                available, _ = self._node.projection.holding(self._register, key)
                if available < redemption.amount:
                    cash = self._register is Register.CASH
                    return Rejected(Reason.MONY if cash else Reason.LACK, "more than is available")
                data = self._contract.redeem_data(redemption, consent)
                self._put(redemption.reference, lines, data)
        return self._deliver(redemption.reference)

    def acknowledge(self, reference: bytes) -> Rejected | None:
        """Takes an issue or redemption into own records that these did not know: it was due.

        Refused when there is none of this reference that they do not know.
        """
        found = self.integrity.find(reference)
        if found is None:
            return Rejected(Reason.UNKNOWN, f"no undue issue has the reference 0x{reference.hex()}")
        cause = Cause.in_register(self._register, reference)
        with self._node.database.transaction() as session:
            entry = {self._register: (found.keys, found.amounts)}
            return self.book.expect(session, cause, entry)

    def take_cycle(self, signed: SignedCycle) -> None:
        """Expects a cycle's lines in kept accounts, once every party's signature is checked."""
        cycle = signed.cycle
        digest = self._node.settlement_domain().digest(cycle.struct_hash())
        parties = cycle.party_numbers()
        if not parties or len(parties) != len(signed.signatures):
            raise PermissionError("a party did not sign the cycle")
        for party, signature in zip(parties, signed.signatures, strict=True):
            self._node.require_signed(party, digest, signature)
        self._expect(Cause(Origin.CYCLE, cycle.id, digest), self._lines_of(cycle))

    def take_set(self, signed: SignedSet) -> None:
        """Expects the legs of a set in kept accounts, once its debtors' signatures hold."""
        self._node.require_set_signed(signed)
        entries = [
            (cause_of_instruction(each), self._entry(self._leg_of(each)))
            for each in signed.set.instructions
        ]
        with self._node.database.transaction() as session:
            refusal = self.book.expect_each(session, entries)
        assert refusal is None, "what was signed once has one content"

    def statement_for(self, participant: str) -> Statement:
        """What this node has for a participant, as of the last block in its books."""
        number = self._node.network.participant_number(participant)
        positions = self.book.positions(self._register).of_participant(number)
        return Statement(self._node.projection.height, positions.keys.column, positions.values[0])

    def comparisons(self) -> list[Comparison]:
        """Where the kept book and the ledger do not agree, and issues that nobody has made."""
        return [self._positions(), self.integrity.comparison()]

    def _positions(self) -> Comparison:
        holdings = self._node.projection.columns(self._register)
        ledger = holdings.take(self.keeps(accounts_of(holdings.keys.column))).summed()
        differing = compare_positions(self.book.positions(self._register), ledger, None)
        height = self._node.projection.height
        return self._node.comparing.in_words(_KEPT, self._register, differing, height)

    def _lines_of(self, cycle: CycleMessage) -> Lines:
        return cycle.securities() if self._register is Register.SECURITIES else cycle.cash()

    def _leg_of(self, instruction: InstructionMessage) -> Lines:
        if self._register is Register.SECURITIES:
            asset, amount = instruction.instrument, -instruction.quantity
        else:
            asset, amount = instruction.currency, instruction.amount
        accounts = np.array([instruction.deliverer, instruction.receiver], dtype=np.int64)
        amounts = np.array([amount, -amount], dtype=np.int64)
        keys = holding_keys(np.full(2, asset), accounts)
        return Lines(keys[amounts != 0], amounts[amounts != 0])

    def _recall(self, reference: bytes, lines: Lines) -> Recall:
        cause = Cause.in_register(self._register, reference)
        with self._node.database.reading() as session:
            return self.book.recall(session, cause, self._entry(lines))

    def _ask_consent(self, redemption: RedemptionMessage) -> bytes | Rejected:
        """The owner's signature, checked, or why there is none."""
        node, owner = self._node, participant_of(redemption.account)
        request = RedemptionRequest(redemption, self._register)
        try:
            answer = node.around.bus.request(node.id, node.network.participant_id(owner), request)
        except NOT_TAKEN as error:
            return Rejected(Reason.SILENT, str(error))
        except PermissionError as error:
            return Rejected(Reason.UNSIGNED, str(error))
        digest = node.domain(self._contract.address).digest(redemption.struct_hash())
        match answer:
            case Attestation(signature) if node.has_signed(owner, digest, signature):
                return signature
            case Disagreement(refusal):
                return refusal
            case _:
                return Rejected(Reason.UNSIGNED, "the owner's signature does not hold")

    def _put(self, reference: bytes, lines: Lines, data: bytes) -> None:
        """Keeps what is expected and the transaction that does it, in one commit."""
        cause = Cause.in_register(self._register, reference)
        with self._node.database.transaction() as session:
            self.book.expect(session, cause, self._entry(lines))
            self._node.outbox.put(session, self._intent(reference), self._contract.address, data)

    def _deliver(self, reference: bytes) -> Rejected | None:
        outcome = self._node.outbox.deliver(self._intent(reference))
        if outcome.succeeded:
            return None
        return Rejected(reason_of_revert(outcome.revert), outcome.revert)

    def _intent(self, reference: bytes) -> str:
        return f"{self._register.value}:{reference.hex()}"

    def _expect(self, cause: Cause, lines: Lines) -> None:
        with self._node.database.transaction() as session:
            refusal = self.book.expect(session, cause, self._entry(lines))
        assert refusal is None, "what was signed once has one content"

    def _entry(self, lines: Lines) -> Entry:
        kept = self.keeps(lines.accounts)
        return {self._register: (lines.keys[kept], lines.amounts[kept])}

    @property
    def _contract(self) -> RegisterContract:
        return self._node.register_contract(self._register)


def _other_content(reference: bytes) -> Rejected:
    return Rejected(Reason.DUPLICATE, f"{reference.hex()} was used with other content")
