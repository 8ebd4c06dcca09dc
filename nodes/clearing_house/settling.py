"""Settling on the chain: what is due, signed by its debtors, in one transaction.

Whatever settles goes as a set, one instruction too: each debtor signs the set once, and only the
clearing house may submit it, so nothing settles behind its back. Until everybody has signed,
nothing is written; then what was signed and its transaction are one commit.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec
import numpy as np

from contracts.clients.settlement import gas_for
from contracts.typed_data import InstructionMessage, SetMessage
from ledger.books.instructions import SUBMITTED, SettlementStore, packed_labels
from ledger.books.intake import Intake
from ledger.books.tables import SettlementRow
from ledger.clearing.columns import TradeColumns
from ledger.domain.accounts import participant_of
from ledger.domain.instructions import Instruction
from ledger.domain.reasons import Reason, reason_of_revert
from ledger.domain.rules import Rules
from ledger.settlement.lifecycle import debtors_of
from nodes.clearing_house.asking import Unsigned, ask_to_sign
from nodes.instruction_terms import part_id, whole_terms
from nodes.messages import SetProposal, ShownInstruction, SignedSet
from nodes.network import RULE_VERSION
from nodes.node import Node
from nodes.notices import concerned

_NOTICE: Final = "set"


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
    signed: SignedSet

    def messages(self) -> dict[str, InstructionMessage]:
        """What settles, by label."""
        return dict(zip(self.labels, self.signed.set.instructions, strict=True))


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
        named: the labels that each of them objected to, if it named any.
        before: what of it had settled before, in some other way, by label.
    """

    reason: Reason
    parties: Mapping[int, Reason] = field(default_factory=dict)
    named: Mapping[int, frozenset[str]] = field(default_factory=dict)
    before: Mapping[str, InstructionMessage] = field(default_factory=dict)


class Settling:
    """Attempts of the clearing house."""

    def __init__(self, house: Node, intake: Intake, rules: Rules) -> None:
        self._house = house
        self._intake = intake
        self._rules = rules
        self.store = SettlementStore(house.database)
        house.notices.serve(_NOTICE, lambda number: _unpacked(self.store.signed(int(number))))

    def settle(self, due: Sequence[Due]) -> Settled | NotSettled:
        """Settles what is due, all of it or nothing."""
        now = self._house.around.engine.chain_time()
        deadline = now + self._rules.cycle_validity_seconds
        bound = [
            replace(
                each,
                terms=replace(self._terms_of(each), rule_version=RULE_VERSION, deadline=deadline),
            )
            for each in due
        ]
        signed = self._sign(self._shown(bound), deadline)
        if isinstance(signed, NotSettled):
            return signed
        labels = tuple(each.instruction.label for each in due)
        return self._deliver(self._write_down(labels, signed))

    def resume(self) -> Sequence[tuple[Attempt, Settled | NotSettled]]:
        """Finds out what became of the attempts that a crash or a failure cut off."""
        if not self.store.is_undecided:
            return ()
        found = []
        for row in self.store.submitted():
            attempt = _attempt(row)
            found.append((attempt, self._deliver(attempt)))
        return found

    def _terms_of(self, due: Due) -> InstructionMessage:
        """What is due, unless the sides have settled the next part between themselves: then that.

        They sign no other next part any more; an attempt at the same finds out that it is settled.
        """
        instruction = due.instruction
        if not instruction.may_be_partial:
            return due.terms
        id = part_id(instruction.id, instruction.parts + 1)
        contract = self._house.around.contracts.settlement
        for row in self.store.reverted_of(instruction.label):
            [earlier] = _attempt(row).signed.set.instructions
            if earlier.id == id and contract.is_settled(earlier.terms_hash()):
                return earlier
        return due.terms

    def _shown(self, due: Sequence[Due]) -> list[ShownInstruction]:
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
                ShownInstruction(
                    instruction=each.terms,
                    label=each.instruction.label,
                    trade=trade,
                    whole=None if whole.id == each.terms.id else whole,
                )
            )
        return shown

    def _sign(self, shown: Sequence[ShownInstruction], deadline: int) -> SignedSet | NotSettled:
        """The signature of everybody who owes something in a set."""
        by_debtor: dict[int, list[ShownInstruction]] = {}
        sides: set[int] = set()
        for each in shown:
            accounts = each.instruction.deliverer, each.instruction.receiver
            sides.update(map(participant_of, accounts))
            for debtor in debtors_of(each.instruction):
                by_debtor.setdefault(debtor, []).append(each)
        message = SetMessage(
            id=self._set_id(),
            instructions=tuple(each.instruction for each in shown),
            parties=tuple(sorted(by_debtor)),
            receivers=tuple(sorted(sides - set(by_debtor))),
            rule_version=RULE_VERSION,
            deadline=deadline,
        )
        digest = self._house.settlement_domain().digest(message.struct_hash())
        signatures, unsigned = [], dict[int, Unsigned]()
        for party in message.parties:
            proposal = SetProposal(message, tuple(by_debtor[party]))
            answer = ask_to_sign(self._house, party, proposal, digest)
            if isinstance(answer, Unsigned):
                unsigned[party] = answer
            else:
                signatures.append(answer)
        if unsigned:
            reasons = {party: why.reason for party, why in unsigned.items()}
            named = {party: why.named for party, why in unsigned.items()}
            return NotSettled(_first_reason(reasons), reasons, named)
        return SignedSet(message, tuple(signatures))

    def _set_id(self) -> bytes:
        """A new id, on this chain and contract."""
        house, number = self._house, self.store.next_number
        settlement = house.around.contracts.addresses.settlement.hex()
        text = f"novate set|{house.network.chain_id}|{settlement}|{number}"
        return hashlib.sha256(text.encode()).digest()

    def _write_down(self, labels: tuple[str, ...], signed: SignedSet) -> Attempt:
        house, number = self._house, self.store.next_number
        settlement = house.around.contracts.settlement
        data = settlement.settle_set_data(signed.set, signed.signatures)
        row = SettlementRow(
            number=number,
            labels=packed_labels(labels),
            signed=msgspec.msgpack.encode(signed),
            state=SUBMITTED,
        )
        with house.database.transaction() as session:
            self.store.add(session, row)
            house.notices.put(session, _told(house, signed), _NOTICE, str(number))
            gas = gas_for(len(labels))
            house.outbox.put(session, _intent(number), settlement.address, data, gas)
        return Attempt(number, labels, signed)

    def _deliver(self, attempt: Attempt) -> Settled | NotSettled:
        """Tells those concerned, sends what was signed, and says what became of it."""
        house, messages = self._house, attempt.messages()
        house.notices.tell(_NOTICE, str(attempt.number), attempt.signed)
        outcome = house.outbox.deliver(_intent(attempt.number))
        if outcome.succeeded:
            return Settled(outcome.block, messages)
        # What the sides have settled between themselves has settled all the same.
        is_settled = house.around.contracts.settlement.is_settled
        before = {name: each for name, each in messages.items() if is_settled(each.terms_hash())}
        if len(before) == len(messages):
            return Settled(outcome.block, messages)
        # A chain that ran out of gas, or lost the words, gives none.
        why = reason_of_revert(outcome.revert) if outcome.revert else Reason.UNAVAILABLE
        return NotSettled(why, before=before)


def _attempt(row: SettlementRow) -> Attempt:
    labels = msgspec.json.decode(row.labels, type=tuple[str, ...])
    return Attempt(row.number, labels, _unpacked(row.signed))


def _first_reason(reasons: Mapping[int, Reason]) -> Reason:
    """Why a set is not signed: while somebody is away, that comes before what others say of it."""
    is_silent = Reason.SILENT in reasons.values()
    return Reason.SILENT if is_silent else next(iter(reasons.values()))


def _unpacked(payload: bytes) -> SignedSet:
    return msgspec.msgpack.decode(payload, type=SignedSet)


def _told(house: Node, signed: SignedSet) -> list[str]:
    accounts = [a for each in signed.set.instructions for a in (each.deliverer, each.receiver)]
    return concerned(house.network, accounts)


def _intent(number: int) -> str:
    return f"settlement:{number}"
