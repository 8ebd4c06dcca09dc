"""What every institution has: a key, a database, a projection of the ledger, a book of its own."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from contracts.clients.registers import Register as RegisterContract
from contracts.deployment import Contracts
from contracts.typed_data import Domain, InstructionMessage
from ledger.books.break_life import Break, BreakEntry, Seen
from ledger.books.breaks import EVERY, ONLY_OPEN, BreakBook, BreakFilter
from ledger.books.database import Database
from ledger.books.own_book import OwnBook
from ledger.books.postings import Cause, FinalBlock, Origin, Register
from ledger.books.projection import ALL_PARTICIPANTS, Projection
from ledger.books.reconciliation import Comparison, Difference
from ledger.books.view_hash import view_hash
from ledger.chain.signatures import signer_of
from ledger.clearing.columns import Column, Mask, participants_of
from ledger.domain.accounts import account_of, asset_of, holder_of
from ledger.domain.amounts import format_amount
from ledger.domain.breaks import business_days_between
from ledger.domain.participants import Role
from ledger.domain.reasons import Rejected
from ledger.domain.rules import Rules
from ledger.logs import logger_of
from ledger.settlement.lifecycle import debtors_of
from nodes.bus import NO_ANSWER, UNDISTURBED, Bus, Disturbance
from nodes.clock import Clock
from nodes.engine import Engine
from nodes.for_desk import for_desk
from nodes.keys import Key
from nodes.ledger_feed import LedgerFeed
from nodes.messages import Accepted, Back, Message, SignedSet
from nodes.network import Network
from nodes.notices import Notices
from nodes.outbox import Outbox
from nodes.position_comparison import PositionComparison
from nodes.statements.comparing import compare_given
from nodes.statements.making import make_statement
from nodes.statements.model import GivenStatement, Period, StatementKind, StatementRows

log = logger_of(__name__)


@dataclass(frozen=True, slots=True)
class NodeStanding:
    """How far a node has come: its books, its last comparison, and the breaks that are open."""

    height: int
    reconciled_block: int
    open_breaks: int


@dataclass(frozen=True, slots=True)
class OwnHolding:
    """A holding of a node: what the ledger has, available and held, and what its own book has."""

    register: Register
    key: int
    available: int
    held: int
    own: int


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
        self.own_book = OwnBook(database, "own", has=self._are_own)
        self.outbox = Outbox(key, around.engine, database)
        self.notices = Notices(id, around.bus, database, around.clock)
        self.break_book = BreakBook(database, id)
        self.comparing = PositionComparison(self)
        self.reconciled_block = -1
        self.disturbance = UNDISTURBED
        self._signer_by_participant: dict[int, bytes] = {}
        around.bus.register(id, self.handle)

    @property
    def network(self) -> Network:
        """The network this node is part of."""
        return self.around.network

    @property
    def address(self) -> bytes:
        """The address of its key."""
        return self.key.address

    def handle(self, sender: str, message: Message) -> Any:  # noqa: ANN401 # each message fixes its answer
        """Answers a message of another node."""
        if isinstance(message, Back):
            self.notices.is_back(sender)
            return Accepted()
        raise NotImplementedError(f"{self.id} does not take {type(message).__name__} from {sender}")

    def resume(self) -> None:
        """Finishes what a crash cut off: transactions that were kept and may not have been sent."""
        self.outbox.resume()

    def announce(self) -> None:
        """Says that this node answers again, to those who keep what it has missed."""
        for role in (Role.CLEARING_HOUSE, Role.EXCHANGE):
            recipient = self.network.sole(role)
            if recipient != self.id:
                with suppress(*NO_ANSWER):
                    self.around.bus.request(self.id, recipient, Back())

    @for_desk
    def disturb(self, disturbance: Disturbance) -> None:
        """A fault: from now on messages to it are disturbed, where it is a process of its own.

        A cut is no business of a node itself: it would not hear of its end.
        """
        self.disturbance = disturbance

    @for_desk
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

    @for_desk
    def reconcile(self) -> int:
        """Compares own book, ledger and statement as of the last block; returns the open breaks."""
        comparisons = [*map(self.comparing.own, Register), *self.own_comparisons()]
        with self.database.transaction() as session:
            breaks = self.break_book.record(session, comparisons, self.seen())
        self.reconciled_block = self.projection.height
        log.debug("node.reconciled", node=self.id, block=self.reconciled_block, breaks=breaks)
        self.reconciled()
        return breaks

    def own_comparisons(self) -> list[Comparison]:
        """What only this role can compare; for roles that keep accounts for others."""
        return []

    def reconciled(self) -> None:
        """It has compared its records; for roles that have somebody else act upon it."""

    @for_desk
    def standing(self) -> NodeStanding:
        """How far it has come."""
        open_breaks = len(self.break_book.select(ONLY_OPEN))
        return NodeStanding(self.projection.height, self.reconciled_block, open_breaks)

    @for_desk
    def position_report(self) -> list[OwnHolding]:
        """What its own accounts hold, by the ledger and by its own book: cash first."""
        return [
            OwnHolding(register, key, available, held, own.get(key, 0))
            for register in (Register.CASH, Register.SECURITIES)
            for own in [self.own_book.positions_of(register, self.number)]
            for key, available, held in self.projection.holdings(register)
            if holder_of(key) == self.number
        ]

    def last_price(self, instrument: int) -> int | None:
        """What an instrument was last traded at, in millionths, as far as this node knows."""
        del instrument  # Only who trades knows prices.
        return None

    # What its own people do about breaks. A break is named by its key.

    @for_desk
    def breaks(self, wanted: BreakFilter = ONLY_OPEN) -> list[Break]:
        """The breaks that are asked for, oldest first; those that are open unless said otherwise.

        Each is as old as it is now.
        """
        return [self._aged(each) for each in self.break_book.select(wanted)]

    @for_desk
    def find_break(self, key: str) -> Break | None:
        """A break by its key, closed or not."""
        found = self.break_book.find(key)
        return self._aged(found) if found else None

    @for_desk
    def break_history(self, key: str) -> list[BreakEntry]:
        """Everything that has happened to a break, in order; nothing when there is none."""
        found = self.break_book.find(key)
        return self.break_book.history(found.id) if found else []

    @for_desk
    def break_entries_after(self, sequence: int, count: int) -> list[tuple[str, BreakEntry]]:
        """What has happened to breaks since an entry: the id of the break, and the entry."""
        return self.break_book.entries_after(sequence, count)

    @for_desk
    def assign_break(self, key: str, to: str, by: str) -> Break | Rejected:
        """Has somebody look after a break; empty: nobody."""
        return self._as_aged(self.break_book.assign(key, to, by, self.seen()))

    @for_desk
    def comment_break(self, key: str, text: str, by: str) -> Break | Rejected:
        """Adds a comment to the history of a break."""
        return self._as_aged(self.break_book.comment(key, text, by, self.seen()))

    @for_desk
    def resolve_break(self, key: str, reason: str, by: str) -> Break | Rejected:
        """Notes that a break is dealt with, and how; it closes once the difference is gone."""
        return self._as_aged(self.break_book.resolve(key, reason, by, self.seen()))

    @for_desk
    def reopen_break(self, key: str, by: str) -> Break | Rejected:
        """Takes a resolution back."""
        return self._as_aged(self.break_book.reopen(key, by, self.seen()))

    def _as_aged(self, answer: Break | Rejected) -> Break | Rejected:
        return answer if isinstance(answer, Rejected) else self._aged(answer)

    def _aged(self, found: Break) -> Break:
        """A break with its age in business days, until it closed or until now."""
        clock = self.around.clock
        last = found.closed_on or clock.business_time()
        first = found.first_seen_on.date()
        age = business_days_between(first, last.date(), clock.next_business_date)
        return replace(found, age=age)

    @for_desk
    def view_hash(self) -> bytes:
        """One number for what this node shows; the same after it was started again."""
        return view_hash(self.projection, self.books(), self.break_book.select(EVERY))

    @for_desk
    def statement(self, kind: StatementKind, period: Period) -> StatementRows:
        """A statement of this node's own holdings. Raises MalformedError for no such period."""
        return make_statement(self, kind, period)

    @for_desk
    def compare_statement(self, given: GivenStatement) -> tuple[Difference, ...]:
        """Compares somebody's statement with the ledger and the own book, and opens breaks.

        What an earlier one of the same name, kind and register differed in, and this one does not,
        is closed. Raises MalformedError for a period that is not past.
        """
        comparisons = compare_given(self, given)
        with self.database.transaction() as session:
            self.break_book.record(session, comparisons, self.seen())
        return tuple(difference for each in comparisons for difference in each.found)

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
        if sender != self.comparing.keeper(register):
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

    def _are_own(self, accounts: Column) -> Mask:
        own: Mask = participants_of(accounts) == self.number
        return own
