"""Webhook endpoints, how far each has been told of events, and every attempt to tell it."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlmodel import Field, SQLModel, col, delete, func, select

from ledger.books.database import Database, UnitOfWork

ENABLED: Final = "enabled"
DISABLED: Final = "disabled"
DELIVERED: Final = "delivered"
FAILED: Final = "failed"
EXHAUSTED: Final = "exhausted"
ATTEMPTS_KEPT_MAX: Final = 100_000
_TRIMMED_EVERY: Final = 1_000
RESENDS_WAITING_MAX: Final = 10_000
"""Of one endpoint."""


class WebhookEndpointRow(SQLModel, table=True):
    """Where events are sent.

    ``owner`` is the name of who has added it; ``reader`` is the participant whose events alone it
    is sent, empty: all. ``sequence`` is the last event that it was told of, or that was given up;
    ``attempts`` were made of the next one, and another is due at ``due_at``, in seconds since 1970.
    """

    __tablename__ = "webhook_endpoints"
    id: str = Field(primary_key=True)
    url: str
    types: str
    participant: str
    owner: str
    reader: str
    description: str
    secret: str
    state: str
    why_disabled: str = ""
    sequence: int
    attempts: int = 0
    due_at: int = 0
    exhausted_in_a_row: int = 0
    created_at: str


class WebhookAttemptRow(SQLModel, table=True):
    """One attempt to tell an endpoint of an event, and what it answered."""

    __tablename__ = "webhook_attempts"
    number: int | None = Field(default=None, primary_key=True)
    endpoint: str = Field(index=True)
    event: str
    sequence: int
    attempt: int
    is_resend: bool
    at: str
    outcome: str
    status: int | None
    answer: str
    error: str
    duration_ms: int


class WebhookResendRow(SQLModel, table=True):
    """An event that an endpoint is to be told of once more."""

    __tablename__ = "webhook_resends"
    number: int | None = Field(default=None, primary_key=True)
    endpoint: str = Field(index=True)
    sequence: int


class WebhookStore:
    """Endpoints and their attempts. Any thread may ask; what is handed out are copies."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, endpoint: WebhookEndpointRow) -> None:
        """Keeps a new endpoint."""
        with self._database.transaction() as session:
            session.add(WebhookEndpointRow(**endpoint.model_dump()))

    def get(self, id: str) -> WebhookEndpointRow | None:
        """An endpoint by its id."""
        with self._database.reading() as session:
            return session.get(WebhookEndpointRow, id)

    def all(self) -> Sequence[WebhookEndpointRow]:
        """Every endpoint, oldest first."""
        with self._database.reading() as session:
            rows = select(WebhookEndpointRow)
            return session.exec(
                rows.order_by(col(WebhookEndpointRow.created_at), col(WebhookEndpointRow.id))
            ).all()

    def change(self, id: str, **values: Any) -> bool:  # noqa: ANN401 # columns of the row
        """Changes an endpoint; says whether there is one of this id."""
        with self._database.transaction() as session:
            return _change(session, id, values)

    def remove(self, id: str) -> bool:
        """Removes an endpoint with its attempts; says whether there was one."""
        with self._database.transaction() as session:
            row = session.get(WebhookEndpointRow, id)
            if row is None:
                return False
            session.delete(row)
            session.exec(delete(WebhookAttemptRow).where(col(WebhookAttemptRow.endpoint) == id))
            session.exec(delete(WebhookResendRow).where(col(WebhookResendRow.endpoint) == id))
            return True

    def record(
        self,
        attempt: WebhookAttemptRow,
        resend: int | None,
        **values: Any,  # noqa: ANN401 # columns of the endpoint
    ) -> int | None:
        """Keeps an attempt and what it changes of its endpoint, in one commit; its number.

        None when the endpoint has gone meanwhile.

        ``resend`` is the number of the wish for it, which is then fulfilled. It does not wait for
        the disk: what is lost with the power is sent once more.
        """
        with self._database.transaction(is_from_chain=True) as session:
            if not _change(session, attempt.endpoint, values):
                return None
            session.add(attempt)
            if resend is not None:
                wished = col(WebhookResendRow.number) == resend
                session.exec(delete(WebhookResendRow).where(wished))
            session.flush()
            number = attempt.number
            _trim(session, number or 0)
        return number

    def attempts(
        self, endpoint: str, below: int | None, count: int, outcome: str | None = None
    ) -> Sequence[WebhookAttemptRow]:
        """The latest so many attempts below a number, newest first."""
        rows = select(WebhookAttemptRow).where(WebhookAttemptRow.endpoint == endpoint)
        if below is not None:
            rows = rows.where(col(WebhookAttemptRow.number) < below)
        if outcome is not None:
            rows = rows.where(WebhookAttemptRow.outcome == outcome)
        with self._database.reading() as session:
            return session.exec(
                rows.order_by(col(WebhookAttemptRow.number).desc()).limit(count)
            ).all()

    def outcomes_after(self, number: int) -> tuple[dict[str, int], int]:
        """How the attempts after a number have ended, counted; and the number of the last one."""
        attempt = col(WebhookAttemptRow.number)
        rows = select(WebhookAttemptRow.outcome, func.count(), func.max(attempt))
        rows = rows.where(attempt > number).group_by(col(WebhookAttemptRow.outcome))
        with self._database.reading() as session:
            found = session.exec(rows).all()
        counts = {outcome: count for outcome, count, _ in found}
        return counts, max((last or 0 for *_, last in found), default=number)

    def resend(self, endpoint: str, sequences: Sequence[int]) -> bool:
        """Has an endpoint told of events once more; False when too many wait for that already."""
        waiting = select(func.count()).where(col(WebhookResendRow.endpoint) == endpoint)
        with self._database.transaction() as session:
            if session.exec(waiting).one() + len(sequences) > RESENDS_WAITING_MAX:
                return False
            session.add_all(
                WebhookResendRow(endpoint=endpoint, sequence=sequence) for sequence in sequences
            )
            return True

    def next_resend(self, endpoint: str) -> WebhookResendRow | None:
        """The next event that it is to be told of once more."""
        rows = select(WebhookResendRow).where(WebhookResendRow.endpoint == endpoint)
        with self._database.reading() as session:
            return session.exec(rows.order_by(col(WebhookResendRow.number)).limit(1)).first()

    def with_resends(self) -> set[str]:
        """The endpoints that are to be told of something once more."""
        with self._database.reading() as session:
            return set(session.exec(select(WebhookResendRow.endpoint).distinct()))


def packed_types(types: Sequence[str]) -> str:
    """The types that an endpoint wants, as they are kept: a JSON list."""
    return msgspec.json.encode(types).decode()


def types_of(endpoint: WebhookEndpointRow) -> list[str]:
    """The types that an endpoint wants; none: all."""
    return msgspec.json.decode(endpoint.types, type=list[str])


def _change(session: UnitOfWork, id: str, values: dict[str, Any]) -> bool:
    row = session.get(WebhookEndpointRow, id)
    if row is None:
        return False
    for name, value in values.items():
        setattr(row, name, value)
    return True


def _trim(session: UnitOfWork, last: int) -> None:
    if last % _TRIMMED_EVERY == 0:
        is_old = col(WebhookAttemptRow.number) <= last - ATTEMPTS_KEPT_MAX
        session.exec(delete(WebhookAttemptRow).where(is_old))
