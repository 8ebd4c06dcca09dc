"""Reference model of the settlement contract."""

from dataclasses import dataclass, field

from ledger.domain.accounts import participant_of
from ledger.domain.participants import Role
from ledger.domain.reasons import Rejected
from ledger.model import refuse
from ledger.model.registers import Members, Register

Line = tuple[int, int, int]
"""Asset, account, signed amount."""

Terms = tuple[bytes, int, int, int, int, int, int]
"""Id, deliverer, receiver, instrument, quantity, currency, amount."""


@dataclass(frozen=True, slots=True)
class ModelCycle:
    """A cycle as it is submitted. ``signers`` are those who signed exactly this, by party."""

    id: bytes
    root: bytes
    count: int
    rule_version: int
    deadline: int
    parties: list[int]
    securities_lines: list[Line]
    cash_lines: list[Line]
    signers: list[int]


@dataclass(frozen=True, slots=True)
class ModelInstruction:
    """An instruction as it is submitted. ``signers`` signed for the deliverer and receiver."""

    id: bytes
    deliverer: int
    receiver: int
    instrument: int
    quantity: int
    currency: int
    amount: int
    rule_version: int
    deadline: int
    signers: tuple[int, int]

    def terms(self) -> Terms:
        """Id and terms: what can settle once."""
        return (
            self.id,
            self.deliverer,
            self.receiver,
            self.instrument,
            self.quantity,
            self.currency,
            self.amount,
        )


@dataclass(slots=True)
class Settlement:
    """Settles instructions and cycles over two registers."""

    members: Members
    securities: Register
    cash: Register
    rule_version: int = 1
    cycles: dict[bytes, tuple[bytes, int]] = field(default_factory=dict)
    settled_instructions: set[Terms] = field(default_factory=set)

    def settle_cycle(self, sender: int, cycle: ModelCycle, now: int) -> Rejected | None:
        """Settles a netted cycle: every line, or nothing."""
        refusal = self._check_cycle(sender, cycle, now)
        if refusal:
            return refusal
        # From here the settlement must succeed.
        self.cycles[cycle.id] = (cycle.root, cycle.count)
        self.securities.book(cycle.securities_lines)
        self.cash.book(cycle.cash_lines)
        return None

    def settle_instruction(
        self, sender: int, instruction: ModelInstruction, now: int
    ) -> Rejected | None:
        """Settles one instruction: both its legs, or nothing."""
        refusal = self._check_instruction(sender, instruction, now)
        if refusal:
            return refusal
        # From here the settlement must succeed.
        self.settled_instructions.add(instruction.terms())
        deliverer, receiver = instruction.deliverer, instruction.receiver
        if instruction.quantity:
            self.securities.transfer(
                instruction.instrument, deliverer, receiver, instruction.quantity
            )
        if instruction.amount:
            self.cash.transfer(instruction.currency, receiver, deliverer, instruction.amount)
        return None

    def _check_cycle(self, sender: int, cycle: ModelCycle, now: int) -> Rejected | None:
        if not self.members.has_role(sender, Role.CLEARING_HOUSE):
            return refuse("settlement: not the clearing house")
        if cycle.rule_version != self.rule_version:
            return refuse("settlement: other rule version")
        if now > cycle.deadline:
            return refuse("settlement: late")
        if cycle.count == 0:
            return refuse("settlement: empty cycle")
        if not cycle.parties:
            return refuse("settlement: no parties")
        if cycle.id in self.cycles:
            return refuse("settlement: cycle id in use")
        refusal = self._check_attestations(cycle)
        if refusal:
            return refusal
        for register, lines in (
            (self.securities, cycle.securities_lines),
            (self.cash, cycle.cash_lines),
        ):
            refusal = register.check_lines(lines)
            if refusal:
                return refusal
            if any(participant_of(account) not in cycle.parties for _, account, _ in lines):
                return refuse("settlement: line of a stranger")
        return None

    def _check_attestations(self, cycle: ModelCycle) -> Rejected | None:
        if len(cycle.parties) != len(cycle.signers):
            return refuse("settlement: signatures missing")
        for party in cycle.parties:
            refusal = self.members.check_active(party)
            if refusal:
                return refusal
        previous = 0
        for party, signer in zip(cycle.parties, cycle.signers, strict=True):
            if party <= previous:
                return refuse("settlement: parties out of order")
            previous = party
            if signer != party:
                return refuse("settlement: not signed by the party")
        return None

    def _check_instruction(
        self, sender: int, instruction: ModelInstruction, now: int
    ) -> Rejected | None:
        if instruction.rule_version != self.rule_version:
            return refuse("settlement: other rule version")
        if now > instruction.deadline:
            return refuse("settlement: late")
        if not instruction.quantity and not instruction.amount:
            return refuse("settlement: nothing to settle")
        if instruction.terms() in self.settled_instructions:
            return refuse("settlement: settled before")
        sides = (
            (participant_of(instruction.deliverer), instruction.quantity, instruction.signers[0]),
            (participant_of(instruction.receiver), instruction.amount, instruction.signers[1]),
        )
        for owner, owed, signer in sides:
            refusal = self.members.check_active(owner)
            if refusal:
                return refusal
            if owed and owner not in (sender, signer):
                return refuse("settlement: not signed by the party")
        if instruction.quantity:
            refusal = self.securities.check_transfer(
                instruction.instrument, instruction.deliverer, instruction.quantity
            )
            if refusal:
                return refusal
        if instruction.amount:
            return self.cash.check_transfer(
                instruction.currency, instruction.receiver, instruction.amount
            )
        return None
