"""The registry of one application: each has its own, so that two in a process do not mix.

What is counted as it happens (requests, blocks) is kept in it; what the books know is read off them
when somebody asks.
"""

from threading import Lock

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

from api.access.access import Access
from api.event_stream import EventStreams
from api.metrics.access_metrics import AccessMetrics
from api.metrics.block_metrics import time_blocks
from api.metrics.event_metrics import EventMetrics
from api.metrics.market_metrics import MarketMetrics
from api.metrics.node_metrics import NodeMetrics
from api.metrics.request_metrics import RequestTimes
from api.metrics.storage_metrics import StorageMetrics
from ledger.books.interface.webhooks import WebhookStore
from nodes.sandbox.sandbox import Sandbox


class Metrics:
    """Everything that /metrics shows of one application.

    Attributes:
        requests: told of every request by the middleware.
    """

    def __init__(
        self, sandbox: Sandbox, streams: EventStreams, webhooks: WebhookStore, access: Access
    ) -> None:
        self._turn = Lock()
        self.registry = CollectorRegistry()
        self.requests = RequestTimes(self.registry)
        ProcessCollector(registry=self.registry)
        time_blocks(self.registry, sandbox.consortium)
        for collector in (
            MarketMetrics(sandbox),
            NodeMetrics(sandbox.consortium),
            EventMetrics(sandbox.journal.events, webhooks, streams),
            AccessMetrics(access),
            StorageMetrics(sandbox.consortium.path),
        ):
            self.registry.register(collector)

    def text(self) -> bytes:
        """All of them in the text format, as of now."""
        # What collectors remember of the last look is not to be added twice.
        with self._turn:
            return generate_latest(self.registry)


def metrics_of(app: FastAPI) -> Metrics:
    """The metrics of an application."""
    metrics = app.state.metrics
    assert isinstance(metrics, Metrics)
    return metrics
