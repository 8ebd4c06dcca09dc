"""Reference model of the settlement contract."""

from dataclasses import dataclass, field
from itertools import pairwise

from ledger.domain.accounts import participant_of
from ledger.domain.amounts import SUPPLY_MAX
from ledger.domain.participants import Role
from ledger.domain.reasons import Rejected
from ledger.model import refuse
from ledger.model.registers import Line, Members, Move, Register

LINES_A_CALL = 1_024
"""A cycle is staged in parts of so many lines of one register, the last one shorter."""

Terms = tuple[bytes, int, int, int, int, int, int]
"""Id, deliverer, receiver, instrument, quantity, currency, amount."""


@dataclass(frozen=True, slots=True)
class ModelCycle:
    """A cycle as it is submitted. ``signers`` are those who signed exactly this, by party.

    Under DvP model 2 its securities are ``moves``, one a trade, and there are no securities lines.
    """

    id: bytes
    root: bytes
    count: int
    rule_version: int
    deadline: int
    parties: list[int]
    securities_lines: list[Line]
    cash_lines: list[Line]
    signers: list[int]
    moves: list[Move] | None = None


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


@dataclass(frozen=True, slots=True)
class ModelSet:
    """A set as it is submitted. ``signers`` are those who signed exactly this, by party."""

    id: bytes
    rule_version: int
    deadline: int
    parties: list[int]
    receivers: list[int]
    instructions: list[Terms]
    signers: list[int]

    def deliveries(self) -> list[Move]:
        """What moves in the securities register."""
        return [
            (instrument, deliverer, receiver, quantity)
            for _, deliverer, receiver, instrument, quantity, _, _ in self.instructions
            if quantity
        ]

    def payments(self) -> list[Move]:
        """What moves in the cash register."""
        return [
            (currency, receiver, deliverer, amount)
            for _, deliverer, receiver, _, _, currency, amount in self.instructions
            if amount
        ]


@dataclass(slots=True)
class Settlement:
    """Settles instructions and cycles over two registers."""

    members: Members
    securities: Register
    cash: Register
    rule_version: int = 1
    cycles: dict[bytes, tuple[bytes, int]] = field(default_factory=dict)
    open_cycle: ModelCycle | None = None
    settled_instructions: set[Terms] = field(default_factory=set)

    def settle_cycle(self, sender: int, cycle: ModelCycle, now: int) -> Rejected | None:
        """Settles a netted cycle: every line, or nothing."""
        refusal = self._check_cycle(sender, cycle, now)
        if refusal:
            return refusal
        # From here the settlement must succeed.
        self.cycles[cycle.id] = (cycle.root, cycle.count)
        if cycle.moves is None:
            self.securities.book(cycle.securities_lines)
        else:
            self.securities.move(cycle.moves)
        self.cash.book(cycle.cash_lines)
        return None

    def open(self, sender: int, cycle: ModelCycle, now: int) -> Rejected | None:
        """Begins to settle a netted cycle in parts."""
        refusal = self._check_terms(sender, cycle, now)
        if refusal:
            return refusal
        if self.open_cycle is not None:
            return refuse("settlement: another cycle is open")
        refusal = self._check_signatures(cycle.parties, cycle.signers)
        if refusal:
            return refusal
        self.open_cycle = cycle
        return None

    def stage(
        self, sender: int, id: bytes, register: Register, lines: list[Line], now: int
    ) -> Rejected | None:
        """Takes the next lines of the open cycle in one register."""
        refusal, cycle = self._check_open(sender, id, now), self.open_cycle
        if refusal or cycle is None:
            return refusal
        refusal = register.check_staging(lines)
        if refusal:
            return refusal
        if any(participant_of(account) not in cycle.parties for _, account, _ in lines):
            return refuse("settlement: line of a stranger")
        register.stage(lines)
        return None

    def settle_staged(
        self, sender: int, id: bytes, parties: list[int], now: int
    ) -> Rejected | None:
        """Settles the open cycle: every staged line."""
        refusal, cycle = self._check_open(sender, id, now), self.open_cycle
        if refusal or cycle is None:
            return refusal
        refusal = self._check_staged(cycle, parties)
        if refusal:
            return refusal
        # From here the settlement must succeed.
        self.cycles[cycle.id] = (cycle.root, cycle.count)
        self.open_cycle = None
        self.securities.book_staged()
        self.cash.book_staged()
        return None

    def abort(self, sender: int, id: bytes, now: int) -> Rejected | None:
        """Gives the open cycle up."""
        cycle = self.open_cycle
        if cycle is None or cycle.id != id:
            return refuse("settlement: cycle not open")
        if now <= cycle.deadline and not self.members.has_role(sender, Role.CLEARING_HOUSE):
            return refuse("settlement: not the clearing house")
        self.open_cycle = None
        self.securities.drop_staged()
        self.cash.drop_staged()
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

    def settle_set(self, sender: int, together: ModelSet, now: int) -> Rejected | None:
        """Settles instructions together: every leg of all of them, or nothing."""
        refusal = self._check_set(sender, together, now)
        if refusal:
            return refusal
        # From here the settlement must succeed.
        self.settled_instructions.update(together.instructions)
        self.securities.move(together.deliveries())
        self.cash.move(together.payments())
        return None

    def _check_set(self, sender: int, together: ModelSet, now: int) -> Rejected | None:
        if not self.members.has_role(sender, Role.CLEARING_HOUSE):
            return refuse("settlement: not the clearing house")
        if together.rule_version != self.rule_version:
            return refuse("settlement: other rule version")
        if now > together.deadline:
            return refuse("settlement: late")
        if not together.instructions:
            return refuse("settlement: empty set")
        return (
            self._check_signatures(together.parties, together.signers)
            or self._check_named(together.receivers)
            or self._check_each(together)
            or self.securities.check_moves(together.deliveries())
            or self.cash.check_moves(together.payments())
        )

    def _check_each(self, together: ModelSet) -> Rejected | None:
        taken = set(self.settled_instructions)
        present = {*together.parties, *together.receivers}
        for terms in together.instructions:
            _, deliverer, receiver, _, quantity, _, amount = terms
            if not quantity and not amount:
                return refuse("settlement: nothing to settle")
            if terms in taken:
                return refuse("settlement: settled before")
            taken.add(terms)
            for account, owed in ((deliverer, quantity), (receiver, amount)):
                if owed and participant_of(account) not in together.parties:
                    return refuse("settlement: not signed by the party")
                if participant_of(account) not in present:
                    return refuse("settlement: line of a stranger")
            if quantity > SUPPLY_MAX or amount > SUPPLY_MAX:
                return refuse("settlement: amount above the cap")
        return None

    def _check_named(self, participants: list[int]) -> Rejected | None:
        for participant in participants:
            refusal = self.members.check_active(participant)
            if refusal:
                return refusal
        if any(after <= before for before, after in pairwise([0, *participants])):
            return refuse("settlement: parties out of order")
        return None

    def _check_open(self, sender: int, id: bytes, now: int) -> Rejected | None:
        if not self.members.has_role(sender, Role.CLEARING_HOUSE):
            return refuse("settlement: not the clearing house")
        if self.open_cycle is None or self.open_cycle.id != id:
            return refuse("settlement: cycle not open")
        return refuse("settlement: late") if now > self.open_cycle.deadline else None

    def _check_staged(self, cycle: ModelCycle, parties: list[int]) -> Rejected | None:
        if cycle.id in self.cycles:
            return refuse("settlement: cycle id in use")
        if parties != cycle.parties:
            return refuse("settlement: other parties than signed")
        registers = (
            (self.securities, cycle.securities_lines),
            (self.cash, cycle.cash_lines),
        )
        if any(register.staged_parts != _parts(lines) for register, lines in registers):
            return refuse("settlement: other lines than signed")
        for party in parties:
            refusal = self.members.check_active(party)
            if refusal:
                return refusal
        for register, _ in registers:
            refusal = register.check_closed(register.staged)
            if refusal:
                return refusal
        return None

    def _check_cycle(self, sender: int, cycle: ModelCycle, now: int) -> Rejected | None:
        refusal = self._check_terms(sender, cycle, now) or self._check_signatures(
            cycle.parties, cycle.signers
        )
        if refusal:
            return refusal
        if cycle.moves is None:
            refusal = self._check_lines(self.securities, cycle.securities_lines, cycle.parties)
        else:
            refusal = self._check_moves(cycle.moves, cycle.parties)
        return refusal or self._check_lines(self.cash, cycle.cash_lines, cycle.parties)

    def _check_moves(self, moves: list[Move], parties: list[int]) -> Rejected | None:
        sides = (side for _, debtor, creditor, _ in moves for side in (debtor, creditor))
        if any(participant_of(side) not in parties for side in sides):
            return refuse("settlement: line of a stranger")
        return self.securities.check_moves(moves)

    @staticmethod
    def _check_lines(register: Register, lines: list[Line], parties: list[int]) -> Rejected | None:
        refusal = register.check_lines(lines)
        if refusal:
            return refusal
        if any(participant_of(account) not in parties for _, account, _ in lines):
            return refuse("settlement: line of a stranger")
        return None

    def _check_terms(self, sender: int, cycle: ModelCycle, now: int) -> Rejected | None:
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
        return None

    def _check_signatures(self, parties: list[int], signers: list[int]) -> Rejected | None:
        if len(parties) != len(signers):
            return refuse("settlement: signatures missing")
        for party in parties:
            refusal = self.members.check_active(party)
            if refusal:
                return refusal
        previous = 0
        for party, signer in zip(parties, signers, strict=True):
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


def _parts(lines: list[Line]) -> list[list[Line]]:
    return [lines[first : first + LINES_A_CALL] for first in range(0, len(lines), LINES_A_CALL)]
