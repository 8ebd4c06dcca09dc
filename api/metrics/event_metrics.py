"""Events, who follows them, and the webhooks that tell of them."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from api.event_stream import EventStreams
from api.metrics.families import counter, counters, gauge, gauges
from ledger.books.interface.events import EventStore
from ledger.books.interface.webhooks import (
    DELIVERED,
    DISABLED,
    ENABLED,
    EXHAUSTED,
    FAILED,
    WebhookEndpointRow,
    WebhookStore,
)
from nodes.webhooks.dispatch import is_for

EVENTS_LOOKED_AT_MAX: Final = 1_000
"""Of one endpoint."""


class EventMetrics(Collector):
    """Reads the journal and the webhooks."""

    def __init__(self, events: EventStore, webhooks: WebhookStore, streams: EventStreams) -> None:
        self._events = events
        self._webhooks = webhooks
        self._streams = streams
        self._attempts = Counter[str]()
        self._seen_attempt = 0

    def collect(self) -> Iterator[Metric]:
        """As of now."""
        endpoints = self._webhooks.all()
        states = Counter(each.state for each in endpoints)
        enabled = [each for each in endpoints if each.state == ENABLED]
        yield counter("novate_events", "Events written down.", self._events.last_sequence)
        yield gauge("novate_event_streams", "Event streams that are open.", self._streams.count)
        yield gauges(
            "novate_webhook_endpoints",
            "Webhook endpoints by state.",
            ["state"],
            {state: states[state] for state in (ENABLED, DISABLED)},
        )
        yield gauge(
            "novate_webhook_events_pending",
            "Events that enabled endpoints are to be told of, of the next 1,000 of each.",
            sum(map(self._pending, enabled)),
        )
        yield gauge(
            "novate_webhook_endpoints_retried",
            "Enabled endpoints that have not taken the event they were last sent.",
            sum(each.attempts > 0 for each in enabled),
        )
        yield counters(
            "novate_webhook_attempts",
            "Attempts to tell an endpoint, by outcome, of those that are kept.",
            ["outcome"],
            self._attempts_by_outcome(),
        )

    def _pending(self, endpoint: WebhookEndpointRow) -> int:
        events = self._events.after(endpoint.sequence, EVENTS_LOOKED_AT_MAX)
        return sum(is_for(endpoint, event) for event in events)

    def _attempts_by_outcome(self) -> dict[str, int]:
        counts, self._seen_attempt = self._webhooks.outcomes_after(self._seen_attempt)
        self._attempts.update(counts)
        return {each: self._attempts[each] for each in (DELIVERED, FAILED, EXHAUSTED)}
