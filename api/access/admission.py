"""How many requests are worked on at once: more are told to come again, at once and cheaply.

Without a bound, everybody's answer would take longer the more ask, until nobody waits for it any
more and all work is for nothing. Who is sent away costs next to nothing: nothing of it is read,
looked up or noted. A place is taken once a body is there, and left before the answer is sent to its
end, so who sends or reads slowly takes nobody's.
"""

from functools import cache
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem_of
from ledger.domain.reasons import Reason, Rejected

UNDER_WAY_MAX: Final = 128
"""Some tenths of a second of work for one process."""
PLACE: Final = "place"
_EXEMPT: Final = frozenset({"/livez", "/readyz", "/metrics", "/rpc", "/v1/events/stream"})
"""Watchdogs must not be sent away; JSON-RPC and event streams have bounds of their own."""


class UnderWay:
    """How many requests are worked on. Used by one thread, the server's."""

    def __init__(self, most: int = UNDER_WAY_MAX) -> None:
        self.most = most
        self.count = 0

    @property
    def is_full(self) -> bool:
        """Whether one more would be too many."""
        return self.count >= self.most


class Place:
    """A request's place among those under way; left once, however often it is said."""

    def __init__(self, under_way: UnderWay) -> None:
        self._under_way: UnderWay | None = under_way
        under_way.count += 1

    def leave(self) -> None:
        """From now on it only waits, or is over."""
        if self._under_way is not None:
            self._under_way.count -= 1
            self._under_way = None


class Admission:
    """Sends away who comes while too many are worked on. Goes around everything else."""

    def __init__(self, app: ASGIApp, under_way: UnderWay) -> None:
        self._app = app
        self._under_way = under_way

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if self._under_way.is_full and _is_counted(scope):
            for message in _too_many():
                await send(message)
            return
        await self._app(scope, receive, send)


class TakesPlace:
    """Counts a request as under way, once it has been read. Goes inside the body's guard."""

    def __init__(self, app: ASGIApp, under_way: UnderWay) -> None:
        self._app = app
        self._under_way = under_way

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if not _is_counted(scope):
            await self._app(scope, receive, send)
            return
        if self._under_way.is_full:
            # Others were read meanwhile.
            await problem_of(_REFUSAL)(scope, receive, send)
            return
        place = Place(self._under_way)
        scope.setdefault("state", {})[PLACE] = place

        async def leave_and_send(message: Message) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                place.leave()
            await send(message)

        try:
            await self._app(scope, receive, leave_and_send)
        finally:
            place.leave()


def leave_place(scope: Scope) -> None:
    """Has a request that will only wait from now on take nobody's place."""
    place = scope.get("state", {}).get(PLACE)
    if isinstance(place, Place):
        place.leave()


def _is_counted(scope: Scope) -> bool:
    return scope["type"] == "http" and scope["path"] not in _EXEMPT


_REFUSAL: Final = Rejected(
    Reason.UNAVAILABLE, "too many requests are worked on: send the same again later"
)


@cache
def _too_many() -> tuple[Message, Message]:
    """The answer to whoever is sent away, made once."""
    response = problem_of(_REFUSAL, headers={"Cache-Control": "no-store"})
    start = {
        "type": "http.response.start",
        "status": response.status_code,
        "headers": [*response.raw_headers, (b"x-content-type-options", b"nosniff")],
    }
    return start, {"type": "http.response.body", "body": response.body}
