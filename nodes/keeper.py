"""Keeping accounts for others: what banks do for cash and the registrar for securities.

The kept book is fed by the keeper's own issues and by signed settlements that reach it as messages,
never by projected events: that is what its statement is worth.
"""

import numpy as np

from contracts.clients.registers import Register as RegisterContract
from contracts.lines import LINES_PER_CALL_MAX, Lines
from contracts.typed_data import CycleMessage, InstructionMessage, RedemptionMessage
from ledger.books.database import Database
from ledger.books.own_book import OwnBook, participant_of
from ledger.books.postings import Column, Register
from ledger.books.reconciliation import Difference, compare_positions
from ledger.clearing.columns import Mask
from ledger.domain.reasons import Reason, Rejected
from nodes.messages import (
    Attestation,
    Disagreement,
    RedemptionRequest,
    SignedCycle,
    SignedInstruction,
    Statement,
)
from nodes.network import SUB_ACCOUNT_BITS
from nodes.node import Node


class Keeper:
    """The accounts that one node keeps in one register."""

    def __init__(self, node: Node, register: Register, database: Database) -> None:
        self._node = node
        self._register = register
        self.book = OwnBook(database, "kept")
        self._kept = {
            number
            for number, participant in enumerate(node.network.participants, start=1)
            if register is Register.SECURITIES or participant.settlement_bank == node.id
        }

    def keeps(self, accounts: Column) -> Mask:
        """Which accounts this node keeps."""
        return np.isin(accounts >> SUB_ACCOUNT_BITS, list(self._kept))

    def issue(self, reference: bytes, lines: Lines) -> None:
        """Issues into kept accounts; final and in the books of the chain when this returns."""
        assert len(lines) <= LINES_PER_CALL_MAX
        assert self.keeps(lines.accounts).all(), "only into accounts that this node keeps"
        self._expect(reference, b"", lines)
        contract = self._contract()
        outcome = self._node.outbox.send(
            f"issue:{reference.hex()}", contract.address, contract.issue_data(reference, lines)
        )
        assert outcome.succeeded, f"issue {reference.hex()}: {outcome.revert}"

    def redeem(self, redemption: RedemptionMessage) -> Rejected | None:
        """Redeems an amount of a kept account, if its owner signs and has it."""
        node = self._node
        owner = node.network.participant_id(redemption.account >> 8)
        request = RedemptionRequest(redemption, self._register.value)
        answer = node.around.bus.request(node.id, owner, request)
        if isinstance(answer, Disagreement):
            return answer.refusal
        assert isinstance(answer, Attestation)
        key = (redemption.asset << 32) | redemption.account
        available, _ = node.projection.holding(self._register, key)
        if available < redemption.amount:
            cash = self._register is Register.CASH
            return Rejected(Reason.MONY if cash else Reason.LACK, "more than is available")
        keys, amounts = np.array([key]), np.array([-redemption.amount])
        self._expect(redemption.reference, b"", Lines(keys, amounts))
        contract = self._contract()
        outcome = node.outbox.send(
            f"redeem:{redemption.reference.hex()}",
            contract.address,
            contract.redeem_data(redemption, answer.signature),
        )
        assert outcome.succeeded, f"redemption {redemption.reference.hex()}: {outcome.revert}"
        return None

    def take_cycle(self, signed: SignedCycle) -> None:
        """Expects a cycle's lines in kept accounts, once every party's signature is checked."""
        cycle = signed.cycle
        digest = self._node.settlement_domain().digest(cycle.struct_hash())
        parties = cycle.party_numbers()
        if len(parties) != len(signed.signatures):
            raise PermissionError("a party did not sign the cycle")
        for party, signature in zip(parties, signed.signatures, strict=True):
            self._node.require_signed(party, digest, signature)
        self._expect(cycle.id, cycle.root, self._lines_of(cycle))

    def take_instruction(self, signed: SignedInstruction) -> None:
        """Expects an instruction's leg in kept accounts, once its debtors' signatures hold."""
        instruction = signed.instruction
        digest = self._node.settlement_domain().digest(instruction.struct_hash())
        if instruction.quantity:
            self._node.require_signed(
                instruction.deliverer >> 8, digest, signed.deliverer_signature
            )
        if instruction.amount:
            self._node.require_signed(instruction.receiver >> 8, digest, signed.receiver_signature)
        self._expect(instruction.id, b"", self._leg_of(instruction))

    def statement_for(self, participant: str) -> Statement:
        """What this node has for a participant, as of the last block in its books."""
        number = self._node.network.participant_number(participant)
        positions = self.book.positions_of(self._register, number)
        keys = np.array(list(positions.keys()), dtype=np.int64)
        amounts = np.array(list(positions.values()), dtype=np.int64)
        return Statement(self._node.projection.height, keys, amounts)

    def differences(self) -> list[Difference]:
        """Where the kept book and the ledger do not agree."""
        ledger = {
            key: available + held
            for key, available, held in self._node.projection.holdings(self._register)
            if participant_of(key) in self._kept
        }
        ours = self.book.positions(self._register)
        return [
            self._node.difference(self._register, key, versions, "kept")
            for key, versions in compare_positions(ours, ledger, ours).items()
        ]

    def _lines_of(self, cycle: CycleMessage) -> Lines:
        return cycle.securities() if self._register is Register.SECURITIES else cycle.cash()

    def _leg_of(self, instruction: InstructionMessage) -> Lines:
        if self._register is Register.SECURITIES:
            asset, amount = instruction.instrument, -instruction.quantity
        else:
            asset, amount = instruction.currency, instruction.amount
        accounts = np.array([instruction.deliverer, instruction.receiver], dtype=np.int64)
        amounts = np.array([amount, -amount], dtype=np.int64)
        return Lines(((asset << 32) | accounts)[amounts != 0], amounts[amounts != 0])

    def _expect(self, reference: bytes, root: bytes, lines: Lines) -> None:
        kept = self.keeps(lines.accounts)
        entry = {self._register: (lines.keys[kept], lines.amounts[kept])}
        with self._node.database.transaction() as session:
            self.book.expect(session, reference, root, entry)

    def _contract(self) -> RegisterContract:
        contracts = self._node.around.contracts
        return contracts.securities if self._register is Register.SECURITIES else contracts.cash
