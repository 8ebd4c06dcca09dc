"""The registrar: issues securities and keeps the register of who holds them."""

from collections.abc import Sequence
from typing import Any

from contracts.lines import Lines
from contracts.typed_data import RedemptionMessage
from ledger.books.database import Database
from ledger.books.own_book import OwnBook
from ledger.books.postings import Register
from ledger.books.reconciliation import Comparison
from ledger.domain.participants import Role
from ledger.domain.reasons import Rejected
from nodes.for_desk import for_desk
from nodes.keeper import Keeper
from nodes.keys import Key
from nodes.messages import (
    Accepted,
    Message,
    SignedCycle,
    SignedSet,
    StatementRequest,
)
from nodes.node import Node, Surroundings


class Registrar(Node):
    """Keeps everybody's securities."""

    projects_everybody = True

    def __init__(self, id: str, key: Key, database: Database, around: Surroundings) -> None:
        super().__init__(id, key, database, around)
        self.keeper = Keeper(self, Register.SECURITIES, database)

    def books(self) -> Sequence[OwnBook]:
        """The books that final blocks confirm."""
        return [self.own_book, self.keeper.book]

    def own_comparisons(self) -> list[Comparison]:
        """The kept book against the ledger."""
        return self.keeper.comparisons()

    def reconciled(self) -> None:
        """Has what is undue for too long suspended."""
        self.keeper.integrity.tell()

    @for_desk
    def issue(self, reference: bytes, lines: Lines) -> Rejected | None:
        """Issues into kept accounts (see ``Keeper``)."""
        return self.keeper.issue(reference, lines)

    @for_desk
    def redeem(self, redemption: RedemptionMessage) -> Rejected | None:
        """Redeems an amount of a kept account (see ``Keeper``)."""
        return self.keeper.redeem(redemption)

    @for_desk
    def acknowledge_issue(self, reference: bytes) -> Rejected | None:
        """Takes an issue into own records that these did not know (see ``Keeper``)."""
        return self.keeper.acknowledge(reference)

    def handle(self, sender: str, message: Message) -> Any:  # noqa: ANN401 # each message fixes its answer
        """Answers a message of another node."""
        match message:
            case SignedCycle():
                self.require_role(sender, Role.CLEARING_HOUSE)
                self.keeper.take_cycle(message)
                return Accepted()
            case SignedSet():
                self.require_role(sender, Role.CLEARING_HOUSE)
                self.keeper.take_set(message)
                return Accepted()
            case StatementRequest():
                return self.keeper.statement_for(sender)
            case _:
                return super().handle(sender, message)
