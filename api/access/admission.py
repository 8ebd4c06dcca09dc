"""How many requests are worked on at once: more are told to come again, at once and cheaply.

Without a bound, everybody's answer would take longer the more ask, until nobody waits for it any
more and all work is for nothing. Bodies are read before, so a slow sender takes nobody's place.
"""

from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import problem_of
from ledger.domain.reasons import Reason, Rejected

UNDER_WAY_MAX: Final = 128
"""Some tenths of a second of work for one process."""
PLACE: Final = "place"
_EXEMPT: Final = frozenset({"/livez", "/readyz", "/rpc", "/v1/events/stream"})
"""Watchdogs must not be sent away; JSON-RPC and event streams have bounds of their own."""


class Place:
    """A request's place among those under way; left once, however often it is said."""

    def __init__(self, admission: "Admission") -> None:
        self._admission: Admission | None = admission

    def leave(self) -> None:
        """From now on it only waits, or is over."""
        if self._admission is not None:
            self._admission.under_way -= 1
            self._admission = None


class Admission:
    """Lets in so many requests at once. Used by one thread, the server's."""

    def __init__(self, app: ASGIApp, under_way_max: int = UNDER_WAY_MAX) -> None:
        self._app = app
        self._under_way_max = under_way_max
        self.under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http" or scope["path"] in _EXEMPT:
            await self._app(scope, receive, send)
            return
        if self.under_way >= self._under_way_max:
            detail = f"{self.under_way} requests are worked on: send the same again later"
            await problem_of(Rejected(Reason.UNAVAILABLE, detail))(scope, receive, send)
            return
        self.under_way += 1
        place = Place(self)
        scope.setdefault("state", {})[PLACE] = place
        try:
            await self._app(scope, receive, send)
        finally:
            place.leave()


def leave_place(scope: Scope) -> None:
    """Has a request that will only wait from now on take nobody's place."""
    place = scope.get("state", {}).get(PLACE)
    if isinstance(place, Place):
        place.leave()
