"""Bodies are bounded before anybody parses them, in bytes and in depth.

web3.py raises the interpreter's recursion limit (through py_ecc, to 100,000), and with it gone a
body of a few thousand times "[" would overrun the C stack of a JSON parser and end the process.
"""

from typing import Final

from fastapi import status
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem_of
from ledger.chain.rpc.request import OPENINGS_MAX, openings
from ledger.domain.reasons import Reason, Rejected

BODY_BYTES_MAX: Final = 1024 * 1024
_JSON_RPC: Final = "/rpc"


class BodyGuard:
    """Refuses what is too large or opens too many lists and objects; JSON-RPC does it itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http" or scope["path"] == _JSON_RPC:
            await self._app(scope, receive, send)
            return
        body, messages = bytearray(), list[Message]()
        while True:
            message = await receive()
            messages.append(message)
            body += message.get("body", b"")
            refusal = _refusal_of(body)
            if refusal:
                await refusal(scope, receive, send)
                return
            if not message.get("more_body", False):
                break

        async def replay() -> Message:
            return messages.pop(0) if messages else await receive()

        await self._app(scope, replay, send)


def _refusal_of(body: bytearray) -> JSONResponse | None:
    if len(body) > BODY_BYTES_MAX:
        detail = f"the body has more than {BODY_BYTES_MAX} bytes"
        return problem_of(Rejected(Reason.INVALID, detail), status.HTTP_413_CONTENT_TOO_LARGE)
    if openings(body) > OPENINGS_MAX:
        return problem_of(Rejected(Reason.INVALID, "the body is nested too deeply"))
    return None
