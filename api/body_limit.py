"""A limit to the size of request bodies, held before anything of them is parsed."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem_of
from ledger.domain.reasons import Reason, Rejected

BODY_BYTES_MAX: Final = 1024 * 1024
_TOO_LARGE: Final = Rejected(Reason.INVALID, f"the body is larger than {BODY_BYTES_MAX} bytes")


class BodyLimit:
    """ASGI middleware: answers 413 to a body that is, or turns out to be, too large."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = await _read(receive)
        if body is None:
            await problem_of(_TOO_LARGE, 413)(scope, receive, send)
            return
        is_given = False

        async def replay() -> Message:
            nonlocal is_given
            if is_given:
                return await receive()
            is_given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)


async def _read(receive: Receive) -> bytes | None:
    """The whole body; None when it is too large."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > BODY_BYTES_MAX:
            return None
        if not message.get("more_body", False):
            return bytes(body)
