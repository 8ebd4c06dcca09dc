"""Mandates: what a node's own desk has agreed that the node may sign."""

from ledger.books.database import Database, UnitOfWork
from ledger.books.tables import MandateRow
from ledger.domain.reasons import Reason, Rejected


class Mandates:
    """Exact terms by id, for the one contract that the signature is for."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def give(
        self, session: UnitOfWork, contract: bytes, id: bytes, terms: bytes
    ) -> Rejected | None:
        """Agrees to terms; refuses other terms under the same id."""
        known = session.get(MandateRow, (contract, id))
        if known is None:
            session.add(MandateRow(contract=contract, id=id, terms=terms))
        elif known.terms != terms:
            return Rejected(Reason.DUPLICATE, f"{id.hex()} was agreed to with other terms")
        return None

    def covers(self, contract: bytes, id: bytes, terms: bytes) -> bool:
        """Whether exactly these terms were agreed to."""
        with self._database.reading() as session:
            known = session.get(MandateRow, (contract, id))
            return known is not None and known.terms == terms
