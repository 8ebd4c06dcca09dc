"""Requests by route, status and duration.

A route is the template that it is served by, never the path that somebody asked for: a stranger
cannot make new series.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access.route_table import Served
from nodes.clock import NS, Clock

BUCKETS_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
NOT_SERVED: Final = ("none", "none")
"""Method and route of what is not served here."""
NO_ANSWER: Final = 500


class RequestTimes:
    """How many requests there were, and how long they took until the last byte."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._count = Counter(
            "novate_http_requests",
            "HTTP requests answered.",
            ("method", "route", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "novate_http_request_duration_seconds",
            "From the head of an HTTP request to the end of its answer.",
            ("method", "route"),
            registry=registry,
            buckets=BUCKETS_SECONDS,
        )

    def note(self, served: Served | None, status: int, seconds: float) -> None:
        """Counts a request that was answered."""
        method, route = (served.method, served.path) if served else NOT_SERVED
        self._count.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)


class RequestTimer:
    """Times every HTTP request; the guard behind it says which route it is for."""

    def __init__(self, app: ASGIApp, clock: Clock, times: RequestTimes) -> None:
        self._app = app
        self._clock = clock
        self._times = times

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = self._clock.stopwatch_ns(), NO_ANSWER
        # Shared by all who copy the scope from here on.
        state = scope.setdefault("state", {})

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        finally:
            seconds = (self._clock.stopwatch_ns() - begun) / NS
            self._times.note(state.get("served"), status, seconds)
