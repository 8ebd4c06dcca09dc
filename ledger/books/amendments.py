"""What takes the place of what: an instruction or a side is replaced once, by one other."""

from ledger.books.database import Database, UnitOfWork
from ledger.books.side_rows import AmendmentRow
from ledger.domain.reasons import Reason, Rejected

LOCKED_IN = ""
"""In place of an owner: an instruction, whose label is everybody's."""


class Amendments:
    """Replacements by the name of what they replace; references are names of their owner's own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def refusal_of(self, owner: str, old: str, new: str, *, is_cancelled: bool) -> Rejected | None:
        """Why one may not take the other's place; None when it may, or is to do so already."""
        with self._database.reading() as session:
            known = session.get(AmendmentRow, (owner, old))
        if known is not None and known.new != new:
            return Rejected(Reason.DUPLICATE, f"{known.new} takes the place of {old} already")
        if known is None and is_cancelled:
            return Rejected(Reason.FINAL, f"{old} was cancelled: enter {new} for itself")
        return None

    def keep(self, session: UnitOfWork, owner: str, old: str, new: str) -> None:
        """Remembers a replacement that nothing is against."""
        if session.get(AmendmentRow, (owner, old)) is None:
            session.add(AmendmentRow(owner=owner, old=old, new=new))
