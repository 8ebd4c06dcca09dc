"""The one place where access is enforced: before a body is read, before an endpoint is called.

It finds the route of a request, who asks, whether that is too often, and what the table of policies
says. What nobody may call, and what is not served, is refused here.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from starlette import status
from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access.access import Access
from api.access.credentials import address_of, is_same_origin, session_token, shown_key
from api.access.rate_limits import RateLimits, Taken
from api.access.route_table import RouteTable, Served
from api.errors import NO_PATH, problem_of
from api.policies import CALLERS, Caller, roles_for
from ledger.books.interface.api_keys import ApiKey
from ledger.domain.key_holders import KeyHolder
from ledger.domain.reasons import Reason, Rejected

SIGN_IN: Final = "/sign-in"
UNLIMITED: Final = frozenset({"GET /livez", "GET /readyz", "POST /rpc", "WEBSOCKET /rpc"})
"""Watchdogs must not be sent away; JSON-RPC bounds itself."""
CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="novate"'}
_PATH_CHARS_MAX: Final = 100
_SAFE: Final = frozenset({"GET", "HEAD"})
_POLICY_VIOLATION: Final = 1008
"""With which a WebSocket is closed."""


class AccessGuard:
    """Lets in who may come in; ``request.state.key`` then says who it is, if it is anybody.

    ``request.state.begun_with`` is the key that its session was begun with, if it has one;
    ``request.state.served`` says for which route it is, let in or not.
    """

    def __init__(self, app: ASGIApp, routes: RouteTable, access: Access) -> None:
        self._app = app
        self._routes = routes
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        served = self._routes.find(scope)
        scope.setdefault("state", {})["served"] = served
        key, begun_with, by_cookie = self._key(connection)
        limits, taken = self._take(scope, served, key)
        if taken is not None:
            send = _telling(send, limits, taken)
        refusal = _too_often(taken) or self._refusal(connection, served, key, by_cookie=by_cookie)
        if refusal is None:
            scope["state"].update(key=key, begun_with=begun_with)
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
        else:
            await refusal(scope, receive, send)

    def _key(self, connection: HTTPConnection) -> tuple[ApiKey | None, ApiKey | None, bool]:
        """The key that is shown, or that of the session; the one that the session was begun with.

        And whether the cookie says it.
        """
        shown = shown_key(connection.headers)
        if shown is not None:
            return self._access.keys.find(shown), None, False
        token = session_token(connection)
        signed_in = self._access.of_session(token) if token else None
        if signed_in is None:
            return None, None, True
        return signed_in.key, signed_in.begun_with, True

    def _take(
        self, scope: Scope, served: Served | None, key: ApiKey | None
    ) -> tuple[RateLimits, Taken | None]:
        limits = self._access.by_key if key else self._access.by_address
        if served is not None and served.name in UNLIMITED:
            return limits, None
        return limits, limits.take(key.id if key else address_of(scope))

    def _refusal(
        self,
        connection: HTTPConnection,
        served: Served | None,
        key: ApiKey | None,
        *,
        by_cookie: bool,
    ) -> Response | None:
        """Why a request is not let in; None when it is."""
        scope = connection.scope
        if served is None:
            return _not_served(scope, self._routes.methods_of(scope["path"]))
        if CALLERS.get(served.name) is Caller.ANYBODY:
            return None
        if key is None:
            return _unidentified(scope, served, connection.headers)
        is_safe = scope.get("method", "GET") in _SAFE
        if by_cookie and not is_safe and not is_same_origin(connection.headers):
            detail = "a page of another origin may not use the session of this one"
            return problem_of(Rejected(Reason.UNAUTHORISED, detail))
        if key.holder.role not in roles_for(served.name):
            return problem_of(Rejected(Reason.UNAUTHORISED, _not_for(served.name, key.holder)))
        return None


def _not_served(scope: Scope, methods: list[str]) -> Response:
    if methods and scope["type"] == "http":
        detail = f"{scope['method']}: expected {', '.join(methods)}"
        refusal, allowed = Rejected(Reason.INVALID, detail), {"Allow": ", ".join(methods)}
        return problem_of(refusal, status.HTTP_405_METHOD_NOT_ALLOWED, allowed)
    refusal = Rejected(Reason.UNKNOWN, f"nothing is served at {scope['path'][:_PATH_CHARS_MAX]}")
    return problem_of(refusal, remedy=NO_PATH)


def _unidentified(scope: Scope, served: Served, headers: Headers) -> Response:
    """Who looks at a page is shown where to sign in; everything else is refused."""
    if served.is_page and shown_key(headers) is None:
        query = scope.get("query_string", b"").decode("latin-1")
        place = f"{scope['path']}?{query}" if query else scope["path"]
        asked = {"next": place, **_language_in(query)}
        target = f"{SIGN_IN}?{urlencode(asked)}"
        return RedirectResponse(target, status.HTTP_303_SEE_OTHER)
    is_shown = shown_key(headers) is not None
    detail = "the key is not valid here" if is_shown else "expected a key, found none"
    return problem_of(Rejected(Reason.UNIDENTIFIED, detail), headers=CHALLENGE)


def _language_in(query: str) -> dict[str, str]:
    """The language that a page was asked for in, if it was."""
    chosen = QueryParams(query).get("lang")
    return {"lang": chosen} if chosen else {}


def _not_for(name: str, holder: KeyHolder) -> str:
    """Whose right it is, and who has asked."""
    roles = ", ".join(sorted(role.value for role in roles_for(name))) or "nobody"
    caller = CALLERS.get(name)
    whose = f"for {caller.value}" if caller else "not declared"
    found = f"{holder.name} ({holder.role.value})"
    return f"{name} is {whose}: expected a key of {roles}, found one of {found}"


def _too_often(taken: Taken | None) -> Response | None:
    if taken is None or taken.is_allowed:
        return None
    detail = f"too many requests: ask again in {taken.wait_seconds} s"
    wait = {"Retry-After": str(taken.wait_seconds)}
    return problem_of(Rejected(Reason.BUSY, detail), headers=wait)


def _telling(send: Send, limits: RateLimits, taken: Taken) -> Send:
    """Sends an answer with what is left of the rate, as the IETF's draft on rate limits has it."""
    window = -(-limits.burst // limits.rate)
    told: Mapping[str, str] = {
        "RateLimit-Policy": f'"requests";q={limits.burst};w={window}',
        "RateLimit": f'"requests";r={taken.remaining};t={taken.full_seconds}',
    }

    async def tell(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(told)
        await send(message)

    return tell
