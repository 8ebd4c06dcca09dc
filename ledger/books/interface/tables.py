"""The tables of the interface's database."""

from sqlalchemy import Table

from ledger.books.interface.events import EventCursorRow, EventRow
from ledger.books.interface.webhooks import (
    WebhookAttemptRow,
    WebhookEndpointRow,
    WebhookResendRow,
)
from ledger.books.tables import table_of


def interface_tables() -> list[Table]:
    """Every one of them."""
    rows = (EventRow, EventCursorRow, WebhookEndpointRow, WebhookAttemptRow, WebhookResendRow)
    return [table_of(row) for row in rows]
