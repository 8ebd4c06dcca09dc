"""The tables of the interface's database."""

from sqlalchemy import Table

from ledger.books.interface.events import EventCursorRow, EventRow
from ledger.books.tables import table_of


def interface_tables() -> list[Table]:
    """Every one of them."""
    return [table_of(row) for row in (EventRow, EventCursorRow)]
