"""Settling on the chain: what is due, signed by its debtors, in one transaction.

One instruction goes with a signature of each debtor for itself, several as a set that each debtor
signs once. Until everybody has signed, nothing is written; then what was signed and its transaction
are one commit.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np

from contracts.clients.settlement import NO_SIGNATURE, gas_for
from contracts.typed_data import InstructionMessage, SetMessage
from ledger.books.instructions import SUBMITTED, SettlementStore
from ledger.books.intake import Intake
from ledger.books.tables import SettlementRow
from ledger.clearing.columns import TradeColumns
from ledger.domain.accounts import participant_of
from ledger.domain.instructions import Instruction
from ledger.domain.reasons import Reason, reason_of_revert
from ledger.domain.rules import Rules
from nodes.clearing_house.asking import Unsigned, ask_to_sign
from nodes.instruction_terms import whole_terms
from nodes.messages import InstructionProposal, SetProposal, SignedInstruction, SignedSet
from nodes.network import RULE_VERSION
from nodes.node import Node
from nodes.notices import tell_concerned, tell_of_set


@dataclass(frozen=True, slots=True)
class Due:
    """What of an instruction is to settle now."""

    instruction: Instruction
    terms: InstructionMessage


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was signed and sent for some instructions, by label, and under which number."""

    number: int
    labels: tuple[str, ...]
    signed: SignedInstruction | SignedSet

    def messages(self) -> tuple[InstructionMessage, ...]:
        """What settles, in the order of the labels."""
        if isinstance(self.signed, SignedInstruction):
            return (self.signed.instruction,)
        return self.signed.set.instructions


@dataclass(frozen=True, slots=True)
class Settled:
    """What has settled, by label, and in which block."""

    block: int
    messages: Mapping[str, InstructionMessage]


@dataclass(frozen=True, slots=True)
class NotSettled:
    """The attempt came to nothing.

    Attributes:
        reason: why.
        parties: those that did not sign, each for a reason of its own.
        before: what of it had settled before, in some other way, by label.
    """

    reason: Reason
    parties: Mapping[int, Reason] = field(default_factory=dict)
    before: Mapping[str, InstructionMessage] = field(default_factory=dict)


class Settling:
    """Attempts of the clearing house."""

    def __init__(self, house: Node, intake: Intake, rules: Rules) -> None:
        self._house = house
        self._intake = intake
        self._rules = rules
        self.store = SettlementStore(house.database)

    def settle(self, due: Sequence[Due]) -> Settled | NotSettled:
        """Settles what is due, all of it or nothing."""
        now = self._house.around.engine.chain_time()
        deadline = now + self._rules.cycle_validity_seconds
        bound = [
            replace(each, terms=replace(each.terms, rule_version=RULE_VERSION, deadline=deadline))
            for each in due
        ]
        proposals = self._proposals(bound)
        signed = (
            self._sign_one(proposals[0]) if len(bound) == 1 else self._sign_set(proposals, deadline)
        )
        if isinstance(signed, NotSettled):
            return signed
        labels = tuple(each.instruction.label for each in due)
        return self._deliver(self._write_down(labels, signed))

    def resume(self) -> Sequence[tuple[Attempt, Settled | NotSettled]]:
        """Finds out what became of the attempts that were kept before a crash."""
        found = []
        for row in self.store.submitted():
            form: type[SignedInstruction | SignedSet] = (
                SignedSet if row.is_set else SignedInstruction
            )
            labels = msgspec.json.decode(row.labels, type=tuple[str, ...])
            attempt = Attempt(row.number, labels, msgspec.msgpack.decode(row.signed, type=form))
            found.append((attempt, self._deliver(attempt)))
        return found

    def _proposals(self, due: Sequence[Due]) -> list[InstructionProposal]:
        """What is shown of each instruction: a trade, or the whole that it is a part of."""
        positions = [each.instruction.position for each in due]
        known = np.array([place for place in positions if place is not None], dtype=np.int64)
        trades = self._intake.stream.trades_at(known) if len(known) else None
        shown, row = [], 0
        for each in due:
            trade: TradeColumns | None = None
            if trades is not None and each.instruction.position is not None:
                trade, row = trades.take(slice(row, row + 1)), row + 1
            whole = whole_terms(each.instruction)
            shown.append(
                InstructionProposal(
                    instruction=each.terms,
                    label=each.instruction.label,
                    trade=trade,
                    whole=None if whole.id == each.terms.id else whole,
                )
            )
        return shown

    def _sign_one(self, proposal: InstructionProposal) -> SignedInstruction | NotSettled:
        """The signatures of the sides that owe something."""
        instruction = proposal.instruction
        digest = self._house.settlement_domain().digest(instruction.struct_hash())
        signatures = []
        for account, owed in (
            (instruction.deliverer, instruction.quantity),
            (instruction.receiver, instruction.amount),
        ):
            party = participant_of(account)
            answer = ask_to_sign(self._house, party, proposal, digest) if owed else NO_SIGNATURE
            if isinstance(answer, Unsigned):
                return NotSettled(answer.reason, {party: answer.reason})
            signatures.append(answer)
        return SignedInstruction(instruction, signatures[0], signatures[1])

    def _sign_set(
        self, proposals: Sequence[InstructionProposal], deadline: int
    ) -> SignedSet | NotSettled:
        """The signature of everybody who owes something in a set."""
        by_debtor: dict[int, list[InstructionProposal]] = {}
        sides: set[int] = set()
        for proposal in proposals:
            sides.update(_sides_of(proposal.instruction))
            for debtor in _debtors_of(proposal.instruction):
                by_debtor.setdefault(debtor, []).append(proposal)
        message = SetMessage(
            id=self._set_id(),
            instructions=tuple(proposal.instruction for proposal in proposals),
            parties=tuple(sorted(by_debtor)),
            receivers=tuple(sorted(sides - set(by_debtor))),
            rule_version=RULE_VERSION,
            deadline=deadline,
        )
        digest = self._house.settlement_domain().digest(message.struct_hash())
        signatures, unsigned = [], {}
        for party in message.parties:
            shown = SetProposal(message, tuple(by_debtor[party]))
            answer = ask_to_sign(self._house, party, shown, digest)
            if isinstance(answer, Unsigned):
                unsigned[party] = answer.reason
            else:
                signatures.append(answer)
        if unsigned:
            return NotSettled(next(iter(unsigned.values())), unsigned)
        return SignedSet(message, tuple(signatures))

    def _set_id(self) -> bytes:
        """A new id, on this chain and contract."""
        house, number = self._house, self.store.next_number
        settlement = house.around.contracts.addresses.settlement.hex()
        text = f"novate set|{house.network.chain_id}|{settlement}|{number}"
        return hashlib.sha256(text.encode()).digest()

    def _write_down(
        self, labels: tuple[str, ...], signed: SignedInstruction | SignedSet
    ) -> Attempt:
        house, number = self._house, self.store.next_number
        settlement = house.around.contracts.settlement
        if isinstance(signed, SignedSet):
            data = settlement.settle_set_data(signed.set, signed.signatures)
            gas = gas_for(len(signed.set.instructions))
        else:
            gas = 0
            data = settlement.settle_instruction_data(
                signed.instruction, signed.deliverer_signature, signed.receiver_signature
            )
        row = SettlementRow(
            number=number,
            labels=msgspec.json.encode(labels).decode(),
            is_set=isinstance(signed, SignedSet),
            signed=msgspec.msgpack.encode(signed),
            state=SUBMITTED,
        )
        with house.database.transaction() as session:
            self.store.add(session, row)
            gas = gas_for(len(labels))
            house.outbox.put(session, _intent(number), settlement.address, data, gas)
        return Attempt(number, labels, signed)

    def _deliver(self, attempt: Attempt) -> Settled | NotSettled:
        """Tells those concerned, sends what was signed, and says what became of it."""
        house, signed = self._house, attempt.signed
        if isinstance(signed, SignedSet):
            tell_of_set(house, signed)
        else:
            tell_concerned(house, signed)
        outcome = house.outbox.deliver(_intent(attempt.number))
        messages = dict(zip(attempt.labels, attempt.messages(), strict=True))
        if outcome.succeeded:
            return Settled(outcome.block, messages)
        # Whoever was told of it may have submitted it first: then it has settled all the same.
        is_settled = house.around.contracts.settlement.is_settled
        before = {name: each for name, each in messages.items() if is_settled(each.terms_hash())}
        if len(before) == len(messages):
            return Settled(outcome.block, messages)
        # A chain that ran out of gas, or lost the words, gives none.
        why = reason_of_revert(outcome.revert) if outcome.revert else Reason.UNAVAILABLE
        return NotSettled(why, before=before)


def _debtors_of(instruction: InstructionMessage) -> set[int]:
    owed = (
        (instruction.deliverer, instruction.quantity),
        (instruction.receiver, instruction.amount),
    )
    return {participant_of(account) for account, amount in owed if amount}


def _sides_of(instruction: InstructionMessage) -> tuple[int, int]:
    return participant_of(instruction.deliverer), participant_of(instruction.receiver)


def _intent(number: int) -> str:
    return f"settlement:{number}"
