"""Tells every endpoint of the events that it wants, one after another, until it has taken each.

An endpoint is told of the next event only when it has taken the last one, or when that one has been
tried so often that it is given up. What was attempted is on record before anything else is sent.
"""

import asyncio
from threading import Event, Thread
from typing import Any, Final

from ledger.books.interface.events import EventFilter, EventStore, KeptEvent, is_of_type
from ledger.books.interface.webhooks import (
    DELIVERED,
    DISABLED,
    ENABLED,
    EXHAUSTED,
    FAILED,
    WebhookAttemptRow,
    WebhookEndpointRow,
    WebhookStore,
    types_of,
)
from ledger.logs import logger_of
from nodes.clock import Clock
from nodes.journal.event import id_in
from nodes.journal.own_view import payload_for
from nodes.webhooks.addresses import AddressRules
from nodes.webhooks.sending import Answer, Sender

ATTEMPTS_MAX: Final = 8
EXHAUSTED_IN_A_ROW_MAX: Final = 5
"""So many events given up one after another, and the endpoint is disabled."""
LOOK_SECONDS: Final = 0.1
PAUSE_SECONDS: Final = 1.0
"""For an endpoint of which it could not be written down what was sent."""
EVENTS_A_LOOK_MAX: Final = 500
PASSED_OVER_MAX: Final = 10_000
"""So many events that an endpoint does not want, and it is written down that it is past them."""

log = logger_of(__name__)


class Dispatcher:
    """Sends in a thread of its own, from start to stop."""

    def __init__(
        self,
        webhooks: WebhookStore,
        events: EventStore,
        clock: Clock,
        rules: AddressRules,
        retry_seconds: int = 1,
    ) -> None:
        self._webhooks = webhooks
        self._events = events
        self._clock = clock
        self._rules = rules
        self._retry_seconds = retry_seconds
        self._passed: dict[str, int] = {}
        self._stopping = Event()
        self._thread = Thread(target=self._work, name="webhooks", daemon=True)

    def start(self) -> None:
        """Begins, where it had got to."""
        self._thread.start()

    def stop(self) -> None:
        """Lets what is being sent be answered, and ends."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        asyncio.run(self._serve_all())

    async def _serve_all(self) -> None:
        sender = Sender(self._rules, self._clock)
        busy: dict[str, asyncio.Task[None]] = {}
        try:
            while not self._stopping.is_set():
                try:
                    due = self._due()
                except Exception:
                    # What cannot be read now may be read at the next look.
                    log.exception("webhooks.unreadable")
                    due = []
                busy = {id: task for id, task in busy.items() if not task.done()}
                for id in due:
                    if id not in busy:
                        busy[id] = asyncio.create_task(self._serve(id, sender))
                await asyncio.sleep(LOOK_SECONDS)
            await asyncio.gather(*busy.values())
        finally:
            await sender.close()

    def _due(self) -> list[str]:
        """The endpoints that are to be told of something now."""
        wished = self._webhooks.with_resends()
        return [e.id for e in self._webhooks.all() if e.id in wished or self._is_due(e)]

    def _is_due(self, endpoint: WebhookEndpointRow) -> bool:
        return (
            endpoint.state == ENABLED
            and endpoint.due_at <= self._clock.chain_time()
            and self._read(endpoint) < self._events.last_sequence
        )

    def _read(self, endpoint: WebhookEndpointRow) -> int:
        """Up to where it is known that nothing is left to tell."""
        return max(endpoint.sequence, self._passed.get(endpoint.id, 0))

    async def _serve(self, id: str, sender: Sender) -> None:
        """Sends to one endpoint until nothing is left to be sent now."""
        try:
            while not self._stopping.is_set():
                endpoint = self._webhooks.get(id)
                if endpoint is None:
                    return
                if await self._resend(endpoint, sender):
                    continue
                if not self._is_due(endpoint) or not await self._go_on(endpoint, sender):
                    return
        except Exception:
            # The others are not to suffer; nor is it to be told the same all the time.
            log.exception("webhook.failed", endpoint=id)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _resend(self, endpoint: WebhookEndpointRow, sender: Sender) -> bool:
        """Sends an event once more that somebody asked for; says whether there was one."""
        wish = self._webhooks.next_resend(endpoint.id)
        if wish is None:
            return False
        event = self._events.get(wish.sequence)
        if event is None:
            gone = Answer(None, "", "the event is not kept any more", 0)
            row = self._attempt(endpoint, None, wish.sequence, 1, gone)
        else:
            answer = await self._send(endpoint, event, sender)
            row = self._attempt(endpoint, event, wish.sequence, 1, answer)
        row.is_resend = True
        self._record(row, wish.number)
        return True

    async def _go_on(self, endpoint: WebhookEndpointRow, sender: Sender) -> bool:
        """Sends the next event that it wants; says whether there was one."""
        event = self._next(endpoint)
        if event is None:
            return False
        answer = await self._send(endpoint, event, sender)
        attempt = endpoint.attempts + 1
        row = self._attempt(endpoint, event, event.sequence, attempt, answer)
        if answer.is_success:
            self._record(
                row, None, sequence=event.sequence, attempts=0, due_at=0, exhausted_in_a_row=0
            )
        elif attempt < ATTEMPTS_MAX:
            pause = self._retry_seconds * 2 ** (attempt - 1)
            due_at = self._clock.chain_time() + pause
            self._record(row, None, attempts=attempt, due_at=due_at)
        else:
            self._give_up(endpoint, row)
        return True

    def _record(
        self,
        row: WebhookAttemptRow,
        resend: int | None,
        **values: Any,  # noqa: ANN401 # columns of the endpoint
    ) -> None:
        """Keeps an attempt, and says in the log how it has ended."""
        about = {
            "endpoint": row.endpoint,
            "event_id": row.event,
            "attempt": row.attempt,
            "outcome": row.outcome,
            "status": row.status,
            "ms": row.duration_ms,
        }
        number = self._webhooks.record(row, resend, **values)
        log.info("webhook.attempted", attempt_id=number, **about)

    def _give_up(self, endpoint: WebhookEndpointRow, row: WebhookAttemptRow) -> None:
        """The event is left for a resend; after several in a row the endpoint is left alone."""
        row.outcome = EXHAUSTED
        in_a_row = endpoint.exhausted_in_a_row + 1
        values = {
            "sequence": row.sequence,
            "attempts": 0,
            "due_at": 0,
            "exhausted_in_a_row": in_a_row,
        }
        if in_a_row >= EXHAUSTED_IN_A_ROW_MAX:
            why = f"{in_a_row} events in a row were given up after {ATTEMPTS_MAX} attempts each"
            self._record(row, None, **values, state=DISABLED, why_disabled=why)
        else:
            self._record(row, None, **values)

    def _next(self, endpoint: WebhookEndpointRow) -> KeptEvent | None:
        """The next event that an endpoint is to be told of; what is not for it is passed over."""
        while self._read(endpoint) < self._events.last_sequence:
            kept = self._events.after(self._read(endpoint), EVENTS_A_LOOK_MAX)
            for event in kept:
                if is_for(endpoint, event):
                    return event
                self._passed[endpoint.id] = event.sequence
            if self._read(endpoint) - endpoint.sequence >= PASSED_OVER_MAX:
                self._webhooks.change(endpoint.id, sequence=self._read(endpoint))
                return None
        return None

    async def _send(self, endpoint: WebhookEndpointRow, event: KeptEvent, sender: Sender) -> Answer:
        payload = payload_for(endpoint.reader or None, event)
        return await sender.send(endpoint.url, endpoint.secret, id_in(event), payload)

    def _attempt(
        self,
        endpoint: WebhookEndpointRow,
        event: KeptEvent | None,
        sequence: int,
        attempt: int,
        answer: Answer,
    ) -> WebhookAttemptRow:
        return WebhookAttemptRow(
            endpoint=endpoint.id,
            event=id_in(event) if event else "",
            sequence=sequence,
            attempt=attempt,
            is_resend=False,
            at=self._clock.business_time().isoformat(timespec="milliseconds"),
            outcome=DELIVERED if answer.is_success else FAILED,
            status=answer.status,
            answer=answer.body,
            error=answer.error,
            duration_ms=answer.duration_ms,
        )


def is_for(endpoint: WebhookEndpointRow, event: KeptEvent) -> bool:
    """Whether an endpoint is to be told of an event: it wants it, and its owner may see it."""
    if endpoint.reader and event.participants and endpoint.reader not in event.participants:
        return False
    participant = endpoint.participant or None
    if not EventFilter(participant=participant).takes(event):
        return False
    types = types_of(endpoint)
    return not types or any(is_of_type(event.type, type) for type in types)
