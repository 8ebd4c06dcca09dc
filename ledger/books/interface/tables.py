"""The tables of the interface's database."""

from sqlalchemy import Table

from ledger.books.interface.answers import AnswerRow
from ledger.books.interface.api_keys import ApiKeyRow
from ledger.books.interface.events import EventCursorRow, EventRow
from ledger.books.interface.requests import BootRow, RequestRow
from ledger.books.interface.sessions import SessionRow, SessionViewRow
from ledger.books.interface.webhooks import (
    WebhookAttemptRow,
    WebhookEndpointRow,
    WebhookResendRow,
)
from ledger.books.tables import table_of


def interface_tables() -> list[Table]:
    """Every one of them."""
    rows = (
        AnswerRow,
        ApiKeyRow,
        BootRow,
        EventCursorRow,
        EventRow,
        RequestRow,
        SessionRow,
        SessionViewRow,
        WebhookAttemptRow,
        WebhookEndpointRow,
        WebhookResendRow,
    )
    return [table_of(row) for row in rows]
