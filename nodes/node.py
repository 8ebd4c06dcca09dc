"""What every institution has: a key, a database, a projection of the ledger, a book of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from contracts.clients.registers import Register as RegisterContract
from contracts.deployment import Contracts
from contracts.typed_data import Domain, InstructionMessage
from ledger.books.database import Database
from ledger.books.keyed import Keyed
from ledger.books.own_book import OwnBook
from ledger.books.postings import Cause, FinalBlock, Origin, Register
from ledger.books.projection import ALL_PARTICIPANTS, Projection
from ledger.books.reconciliation import (
    Comparison,
    Difference,
    Seen,
    Versions,
    compare_positions,
    open_breaks,
    record,
    record_breaks,
)
from ledger.books.tables import POSITION_WIDTH, BreakRow
from ledger.books.view_hash import view_hash
from ledger.chain.signatures import signer_of
from ledger.clearing.columns import accounts_of, participants_of
from ledger.domain.accounts import account_of, asset_of
from ledger.domain.amounts import format_amount
from ledger.domain.breaks import BreakKind
from ledger.domain.participants import Role
from ledger.domain.rules import Rules
from ledger.settlement.lifecycle import debtors_of
from nodes.bus import Bus, UnreachableError
from nodes.clock import Clock
from nodes.engine import Engine
from nodes.for_desk import for_desk
from nodes.keys import Key
from nodes.ledger_feed import LedgerFeed
from nodes.messages import Message, SignedSet, Statement, StatementRequest
from nodes.network import Network
from nodes.outbox import Outbox
from nodes.statements.comparing import compare_given
from nodes.statements.making import make_statement
from nodes.statements.model import GivenStatement, Period, StatementKind, StatementRows

UNIT_BY_REGISTER: Final = {Register.SECURITIES: BreakKind.QUANTITY, Register.CASH: BreakKind.AMOUNT}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a node is given: its network, the bus, access to the ledger, the time, and the rules."""

    network: Network
    bus: Bus
    engine: Engine
    contracts: Contracts
    feed: LedgerFeed
    clock: Clock
    rules: Rules


def cause_of_instruction(instruction: InstructionMessage) -> Cause:
    """What an instruction is to books, whatever rules and deadline it is signed for."""
    return Cause(Origin.INSTRUCTION, instruction.id, instruction.terms_hash())


class Node:
    """An institution. Subclasses add what their role does and whom they listen to."""

    projects_everybody = False

    def __init__(self, id: str, key: Key, database: Database, around: Surroundings) -> None:
        self.id = id
        self.key = key
        self.database = database
        self.around = around
        self.number = around.network.participant_number(id)
        whose = ALL_PARTICIPANTS if self.projects_everybody else self.number
        self.projection = Projection(database, whose, self.number)
        self.own_book = OwnBook(database, "own")
        self.outbox = Outbox(key, around.engine, database)
        self.reconciled_block = -1
        self._signer_by_participant: dict[int, bytes] = {}
        around.bus.register(id, self.handle)

    @property
    def network(self) -> Network:
        """The network this node is part of."""
        return self.around.network

    def handle(self, sender: str, message: Message) -> Any:  # noqa: ANN401 # each message fixes its answer
        """Answers a message of another node."""
        raise NotImplementedError(f"{self.id} does not take {type(message).__name__} from {sender}")

    def catch_up(self) -> None:
        """Projects the final blocks that are new, with their effects in the same commit.

        Raises ProjectionError when the chain does not continue the blocks in the books.
        """
        day = self.around.clock.business_time().toordinal()
        for blocks in self.around.feed.blocks_after(self.projection.height):
            with self.database.transaction(is_from_chain=True) as session:
                self.projection.apply(session, blocks, day)
                for book in self.books():
                    book.confirm(session, blocks)
            for block in blocks:
                self.confirmed(block)

    def books(self) -> Sequence[OwnBook]:
        """The books that final blocks confirm."""
        return [self.own_book]

    def reconcile(self) -> int:
        """Compares own book, ledger and statement as of the last block; returns the open breaks."""
        comparisons = [*map(self._compare, Register), *self.own_comparisons()]
        with self.database.transaction() as session:
            breaks = record(session, self.id, comparisons, self.seen())
        self.reconciled_block = self.projection.height
        return breaks

    def own_comparisons(self) -> list[Comparison]:
        """What only this role can compare; for roles that keep accounts for others."""
        return []

    def breaks(self) -> Sequence[BreakRow]:
        """The open breaks of this node."""
        with self.database.reading() as session:
            return open_breaks(session)

    @for_desk
    def view_hash(self) -> bytes:
        """One number for what this node shows; the same after it was started again."""
        return view_hash(self.projection, self.books(), self.breaks())

    @for_desk
    def statement(self, kind: StatementKind, period: Period) -> StatementRows:
        """A statement of this node's own holdings. Raises MalformedError for no such period."""
        return make_statement(self, kind, period)

    @for_desk
    def compare_statement(self, given: GivenStatement) -> tuple[Difference, ...]:
        """Compares somebody's statement with the ledger and the own book, and opens breaks.

        What an earlier one of the same name differed in, and this one does not, is closed. Raises
        MalformedError for a period that is not past.
        """
        found = compare_given(self, given)
        with self.database.transaction() as session:
            record_breaks(session, self.id, given.scope, found, self.seen())
        return found

    def seen(self) -> Seen:
        """As of which block, and when, something is seen now."""
        at = self.around.clock.business_time().isoformat(timespec="seconds")
        return Seen(max(self.projection.height, 0), at)

    def domain(self, contract: bytes) -> Domain:
        """The EIP-712 domain of one of the contracts."""
        return Domain(self.network.chain_id, contract)

    def settlement_domain(self) -> Domain:
        """The EIP-712 domain of the settlement contract."""
        return self.domain(self.around.contracts.addresses.settlement)

    def register_contract(self, register: Register) -> RegisterContract:
        """The contract that is a register."""
        contracts = self.around.contracts
        return contracts.securities if register is Register.SECURITIES else contracts.cash

    def require_set_signed(self, signed: SignedSet) -> None:
        """Raises PermissionError unless everybody who owes something in a set has signed it."""
        message = signed.set
        digest = self.settlement_domain().digest(message.struct_hash())
        if len(message.parties) != len(signed.signatures):
            raise PermissionError("a party did not sign the set")
        for each in message.instructions:
            debtors = debtors_of(each)
            if not debtors:
                raise PermissionError("an instruction without legs, which nobody has to sign")
            if not debtors.issubset(message.parties):
                raise PermissionError("a debtor is no party of the set")
        for party, signature in zip(message.parties, signed.signatures, strict=True):
            self.require_signed(party, digest, signature)

    def has_signed(self, participant: int, digest: bytes, signature: bytes) -> bool:
        """Whether these bytes are a participant's signature of a digest."""
        try:
            # Of somebody who may send anything.
            is_text = type(signature) is bytes
            return is_text and signer_of(digest, signature) == self.signer(participant)
        except ValueError:
            return False

    def require_signed(self, participant: int, digest: bytes, signature: bytes) -> None:
        """Raises PermissionError unless a participant signed a digest."""
        if not self.has_signed(participant, digest, signature):
            raise PermissionError(f"{self.network.participant_id(participant)} did not sign this")

    def require_role(self, sender: str, role: Role) -> None:
        """Raises PermissionError unless the sender has a role: each message has its one source."""
        if self.network.participant(sender).role is not role:
            raise PermissionError(f"{sender} is not the {role.value}")

    def require_keeper(self, sender: str, register: Register) -> None:
        """Raises PermissionError unless the sender keeps this node's accounts in a register."""
        if sender != self._keeper(register):
            raise PermissionError(f"{sender} keeps no {register.value} of {self.id}")

    def close(self) -> None:
        """Releases the database."""
        self.database.close()

    def confirmed(self, block: FinalBlock) -> None:
        """A final block is in the books now; for roles that keep more than books."""

    def describe_holding(self, register: Register, key: int, amount: int | None) -> str:
        """An amount of a holding in words; a dash when there is none."""
        if amount is None:
            return "-"
        if register is Register.SECURITIES:
            return str(amount)
        return format_amount(amount, self.network.currency(asset_of(key)))

    def name_holding(self, register: Register, key: int) -> str:
        """A holding in words: account and asset."""
        try:
            account = self.network.account_id(account_of(key))
            if register is Register.SECURITIES:
                return f"{account} {self.network.instrument(asset_of(key)).isin}"
            return f"{account} {self.network.currency(asset_of(key))}"
        except LookupError:
            # Somebody's statement names what this network does not have.
            return f"holding {key}"

    def signer(self, participant: int) -> bytes:
        """The address that a participant signs with, by the chain."""
        if not self._signer_by_participant:
            numbers = range(1, len(self.network.participants) + 1)
            signers = self.around.contracts.participants.signers_of(numbers)
            self._signer_by_participant = dict(zip(numbers, signers, strict=True))
        return self._signer_by_participant[participant]

    def _statement(self, register: Register) -> Keyed | None:
        """What the keeper of this node's accounts says; None when it cannot be had now."""
        keeper = self._keeper(register)
        if keeper is None:
            return Keyed.empty(POSITION_WIDTH)
        statement = self._ask_for_statement(keeper)
        if statement is None or statement.block != self.projection.height:
            return None
        for column in (statement.keys, statement.amounts):
            if type(column) is not np.ndarray or column.dtype != np.int64 or column.ndim != 1:
                return None
        if not (participants_of(accounts_of(statement.keys)) == self.number).all():
            return None
        if len(statement.keys) != len(statement.amounts):
            return None
        return Keyed.of_rows(statement.keys, statement.amounts[None])

    def _ask_for_statement(self, keeper: str) -> Statement | None:
        try:
            # A bank keeps its own accounts too, and compares its two books of them.
            if keeper == self.id:
                answer = self.handle(self.id, StatementRequest())
            else:
                answer = self.around.bus.request(self.id, keeper, StatementRequest())
        except UnreachableError:
            return None
        return answer if isinstance(answer, Statement) else None

    def _keeper(self, register: Register) -> str | None:
        if register is Register.SECURITIES:
            return self.network.sole(Role.REGISTRAR)
        return self.network.participant(self.id).settlement_bank

    def _compare(self, register: Register) -> Comparison:
        statement = self._statement(register)
        ledger = self.projection.columns(register).of_participant(self.number).summed()
        differing = compare_positions(self.own_book.positions(register), ledger, statement)
        return self.comparison("own", register, differing, is_complete=statement is not None)

    def comparison(
        self, book: str, register: Register, differing: Mapping[int, Versions], *, is_complete: bool
    ) -> Comparison:
        """What a comparison of one of this node's books found, in words."""
        scope = f"position:{book}:{register.value}:"
        found = [
            self._difference(scope, register, key, versions, is_complete=is_complete)
            for key, versions in differing.items()
        ]
        return Comparison(scope, found, is_complete)

    def _difference(
        self, scope: str, register: Register, key: int, versions: Versions, *, is_complete: bool
    ) -> Difference:
        """A position on which the records do not agree, in words."""
        ours, ledger, statement = [
            self.describe_holding(register, key, amount)
            for amount in (versions.ours, versions.ledger, versions.statement)
        ]
        stated = f"statement {statement}" if is_complete else "no statement"
        return Difference(
            id=f"{scope}{key}",
            kind=versions.kind(UNIT_BY_REGISTER[register]),
            subject=self.name_holding(register, key),
            ours=ours,
            theirs=f"ledger {ledger}, {stated}",
        )
