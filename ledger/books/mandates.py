"""Mandates: what a node's own desk has agreed that the node may sign."""

from sqlmodel import select

from ledger.books.database import Database
from ledger.books.tables import MandateRow


class Mandates:
    """Exact terms by id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def give(self, id: bytes, terms: bytes) -> None:
        """Agrees to terms; on disk when this returns."""
        with self._database.transaction() as session:
            session.merge(MandateRow(id=id, terms=terms))

    def covers(self, id: bytes, terms: bytes) -> bool:
        """Whether exactly these terms were agreed to."""
        with self._database.reading() as session:
            found = session.exec(select(MandateRow).where(MandateRow.id == id)).first()
            return found is not None and found.terms == terms
