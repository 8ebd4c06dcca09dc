"""Bodies are bounded before anybody parses them, in bytes and in depth.

web3.py raises the interpreter's recursion limit (through py_ecc, to 100,000), and with it gone a
body of a few thousand times "[" would overrun the C stack of a JSON parser and end the process.
A route may declare bounds of its own with ``@bounded``.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from fastapi import status
from fastapi.responses import JSONResponse
from starlette.routing import BaseRoute, compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem_of
from ledger.chain.rpc.request import OPENINGS_MAX, openings
from ledger.domain.reasons import Reason, Rejected

_JSON_RPC: Final = "/rpc"
_ATTRIBUTE: Final = "body_bounds"

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class BodyBounds:
    """What a body may be at most.

    Attributes:
        openings_max: how many lists and objects it may open; None when what reads it bounds them.
    """

    bytes_max: int = 1024 * 1024
    openings_max: int | None = OPENINGS_MAX


DEFAULT_BOUNDS: Final = BodyBounds()


def bounded(bounds: BodyBounds) -> Callable[[Endpoint], Endpoint]:
    """Declares what the bodies of an endpoint may be at most."""

    def declare(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _ATTRIBUTE, bounds)
        return endpoint

    return declare


def bounds_of(routes: Iterable[BaseRoute]) -> dict[str, BodyBounds]:
    """The declared bounds by path."""
    declared = {}
    for route in routes:
        bounds = getattr(getattr(route, "endpoint", None), _ATTRIBUTE, None)
        if bounds is not None:
            declared[str(getattr(route, "path", ""))] = bounds
    return declared


class BodyGuard:
    """Refuses what is too large or opens too many lists and objects; JSON-RPC does it itself."""

    def __init__(self, app: ASGIApp, bounds_by_path: Mapping[str, BodyBounds]) -> None:
        self._app = app
        self._bounds_by_path = bounds_by_path
        self._by_form = [
            (compile_path(path)[0], bounds)
            for path, bounds in bounds_by_path.items()
            if "{" in path
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http" or scope["path"] == _JSON_RPC:
            await self._app(scope, receive, send)
            return
        bounds = self._bounds_of(scope["path"])
        size, opened, messages = 0, 0, list[Message]()
        while True:
            message = await receive()
            messages.append(message)
            part = message.get("body", b"")
            size += len(part)
            opened += openings(part) if bounds.openings_max is not None else 0
            refusal = _refusal_of(bounds, size, opened)
            if refusal:
                await refusal(scope, receive, send)
                return
            if not message.get("more_body", False):
                break
        messages.reverse()

        async def replay() -> Message:
            return messages.pop() if messages else await receive()

        await self._app(scope, replay, send)

    def _bounds_of(self, path: str) -> BodyBounds:
        if path in self._bounds_by_path:
            return self._bounds_by_path[path]
        fitting = (bounds for form, bounds in self._by_form if form.match(path))
        return next(fitting, DEFAULT_BOUNDS)


def _refusal_of(bounds: BodyBounds, size: int, opened: int) -> JSONResponse | None:
    if size > bounds.bytes_max:
        detail = f"the body has more than {bounds.bytes_max} bytes"
        return problem_of(Rejected(Reason.INVALID, detail), status.HTTP_413_CONTENT_TOO_LARGE)
    if bounds.openings_max is not None and opened > bounds.openings_max:
        return problem_of(Rejected(Reason.INVALID, "the body is nested too deeply"))
    return None
