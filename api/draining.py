"""Stands before an application that is about to end: what was begun is finished, nothing is begun.

While the market is still open, writes under way get their answers. New ones are sent away with 503
and Retry-After, and /readyz says 503, so that who distributes requests sends them elsewhere.
"""

from typing import Final

from fastapi import status
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import problem_of
from ledger.domain.reasons import Reason, Rejected

RETRY_AFTER: Final = {"Retry-After": "5"}
SERVICE_RESTART: Final = 1012
"""With which WebSockets are closed."""
READY: Final = "/readyz"
_READS: Final = frozenset({"GET", "HEAD"})
_STOPPING: Final = Rejected(Reason.UNAVAILABLE, "the server is stopping")


class Draining:
    """An application, and how many writes it has under way. Used by one thread, the server's."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.is_closing = False
        self.writes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request, or the life of the server."""
        is_write = scope["type"] == "http" and scope["method"] not in _READS
        if self.is_closing and (is_write or scope.get("path") == READY):
            refusal = problem_of(_STOPPING, status.HTTP_503_SERVICE_UNAVAILABLE, RETRY_AFTER)
            await refusal(scope, receive, send)
        elif self.is_closing and scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": SERVICE_RESTART})
        else:
            self.writes += is_write
            try:
                await self.app(scope, receive, send)
            finally:
                self.writes -= is_write
