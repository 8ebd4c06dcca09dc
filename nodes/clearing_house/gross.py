"""Gross settlement: queued instructions, tried in order, each settled by its own transaction."""

from dataclasses import dataclass

import msgspec
import numpy as np

from contracts.clients.settlement import NO_SIGNATURE
from contracts.typed_data import InstructionMessage
from ledger.books.instructions import QUEUED, SETTLED, InstructionQueue
from ledger.books.intake import Intake, TradeStanding
from ledger.books.tables import InstructionRow
from ledger.clearing.columns import TradeColumns
from ledger.domain.accounts import participant_of
from ledger.domain.reasons import Reason, reason_of_revert
from ledger.domain.rules import Rules
from nodes.clearing_house.asking import Unsigned, ask_to_sign
from nodes.clearing_house.queue import debts_of, first_to_try, instruction_of
from nodes.messages import InstructionProposal, SignedInstruction
from nodes.network import RULE_VERSION
from nodes.node import Node
from nodes.notices import tell_concerned


@dataclass(frozen=True, slots=True)
class _Signatures:
    deliverer: bytes
    receiver: bytes


class GrossSettlement:
    """Instructions of the clearing house, one by one."""

    def __init__(self, house: Node, intake: Intake, queue: InstructionQueue, rules: Rules) -> None:
        self._house = house
        self._intake = intake
        self._queue = queue
        self._rules = rules

    def settle_queue(self) -> int:
        """Tries the queue until nothing more can settle; returns how many have settled."""
        settled = 0
        while self._settle_first_possible():
            settled += 1
        return settled

    def resume(self) -> None:
        """Finds out what became of the transactions that were kept before a crash."""
        for row in self._queue.waiting():
            if row.attempts:
                signed = msgspec.msgpack.decode(row.signed, type=SignedInstruction)
                self._deliver(row, signed, row.attempts)

    def _settle_first_possible(self) -> bool:
        """Settles the first instruction that can; says why about each that cannot before it."""
        for row, is_behind in first_to_try(self._queue.waiting(), self._rules.queue):
            reason = self._cover(row) or (Reason.BEHIND if is_behind else None)
            if reason is None:
                reason = self._settle(row)
            if reason is None:
                return True
            self._note(row, QUEUED, reason)
        return False

    def _cover(self, row: InstructionRow) -> Reason | None:
        """What the sides lack, as the books have it; securities are looked at first."""
        for debt in debts_of(row):
            available, _ = self._house.projection.holding(debt.register, debt.key)
            if available < debt.amount:
                return debt.reason_when_short
        return None

    def _settle(self, row: InstructionRow) -> Reason | None:
        house = self._house
        instruction = self._message(row)
        signatures = self._collect(row, instruction)
        if isinstance(signatures, Reason):
            return signatures
        signed = SignedInstruction(instruction, signatures.deliverer, signatures.receiver)
        attempt = row.attempts + 1
        settlement = house.around.contracts.settlement
        data = settlement.settle_instruction_data(
            instruction, signatures.deliverer, signatures.receiver
        )
        with house.database.transaction() as session:
            packed = msgspec.msgpack.encode(signed)
            self._queue.change(session, row.id, attempts=attempt, signed=packed)
            house.outbox.put(session, _intent(row.id, attempt), settlement.address, data)
        return self._deliver(row, signed, attempt)

    def _deliver(
        self, row: InstructionRow, signed: SignedInstruction, attempt: int
    ) -> Reason | None:
        tell_concerned(self._house, signed)
        outcome = self._house.outbox.deliver(_intent(row.id, attempt))
        settlement = self._house.around.contracts.settlement
        # Whoever was told of it may have submitted it first: then it has settled all the same.
        if not outcome.succeeded and not settlement.is_settled(signed.instruction.terms_hash()):
            return reason_of_revert(outcome.revert)
        self._note(row, SETTLED, None, outcome.block)
        self._house.catch_up()
        return None

    def _collect(
        self, row: InstructionRow, instruction: InstructionMessage
    ) -> _Signatures | Reason:
        """The signatures of the sides that owe something, or why one is missing."""
        proposal = InstructionProposal(instruction, row.label, self._trade_of(row))
        digest = self._house.settlement_domain().digest(instruction.struct_hash())
        signatures = []
        for account, owed in (
            (instruction.deliverer, instruction.quantity),
            (instruction.receiver, instruction.amount),
        ):
            if not owed:
                signatures.append(NO_SIGNATURE)
                continue
            answer = ask_to_sign(self._house, participant_of(account), proposal, digest)
            if isinstance(answer, Unsigned):
                return answer.reason
            signatures.append(answer)
        return _Signatures(*signatures)

    def _trade_of(self, row: InstructionRow) -> TradeColumns | None:
        if row.position is None:
            return None
        return self._intake.stream.trades_at(np.array([row.position]))

    def _message(self, row: InstructionRow) -> InstructionMessage:
        now = self._house.around.engine.chain_time()
        return instruction_of(row, RULE_VERSION, now + self._rules.cycle_validity_seconds)

    def _note(
        self, row: InstructionRow, state: str, reason: Reason | None, block: int | None = None
    ) -> None:
        with self._house.database.transaction() as session:
            name = reason.name if reason else ""
            self._queue.change(session, row.id, state=state, reason=name, block=block)
            if row.position is not None:
                standing = TradeStanding(state, reason, row.id)
                self._intake.note(session, {row.position: standing})


def _intent(id: bytes, attempt: int) -> str:
    return f"instruction:{id.hex()}:{attempt}"
