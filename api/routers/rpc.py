"""JSON-RPC at ``/rpc``: single requests and batches by POST, subscriptions by WebSocket.

Policy: anybody who reaches the port may ask, and may send what a known key has signed; pages of
another host may not. No keys are held here and nothing is administered. There is no CORS: a browser
shows answers to no foreign page either.
"""

from asyncio import timeout
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from fastapi import APIRouter, Request, Response, WebSocket, status
from starlette.types import Receive, Scope, Send

from api.rpc.heads import Heads
from api.rpc.origin import is_foreign_page
from api.rpc.service import SEND_SECONDS_MAX, BusyError, RpcService, busy
from api.rpc.session import TRY_AGAIN_LATER, Session, SocketLimits
from ledger.chain.rpc.backend import Backend
from ledger.chain.rpc.errors import INVALID_REQUEST, RpcError
from ledger.chain.rpc.request import BODY_BYTES_MAX, error_response

BODY_SECONDS_MAX: Final = 30
CHUNK_BYTES: Final = 64 * 1024

router = APIRouter(tags=["rpc"])


@dataclass(frozen=True, slots=True)
class Rpc:
    """What the routes use while the application runs."""

    service: RpcService
    heads: Heads
    numbers: "count[int]"
    limits: SocketLimits = field(default_factory=SocketLimits)


@asynccontextmanager
async def open_rpc(backend: Backend) -> AsyncIterator[Rpc]:
    """The service of a running application."""
    heads = Heads(backend.chain)
    try:
        yield Rpc(RpcService(backend), heads, count(1))
    finally:
        heads.close()


class _RefusedBodyError(Exception):
    """A body that is not read to its end."""

    def __init__(self, http_status: int, error: RpcError) -> None:
        super().__init__(error.message)
        self.http_status = http_status
        self.error = error


class Exchange(Response):
    """Answers a body that was read, in chunks: the server waits for the reader between two.

    The answer is made here, since what it takes of this process counts until it was sent.
    """

    media_type = "application/json"

    def __init__(self, service: RpcService, body: bytes) -> None:
        super().__init__()
        self._service = service
        self._question = body
        self._kept_bytes = len(body)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers; a reader that takes too long is cut off."""
        try:
            async with self._service.answering(self._question) as answer:
                self._forget_question()
                if answer is None:
                    await Response(status_code=status.HTTP_204_NO_CONTENT)(scope, receive, send)
                    return
                with suppress(TimeoutError):
                    async with timeout(SEND_SECONDS_MAX):
                        await self._send(answer, send)
        except BusyError:
            refused = _refused(status.HTTP_503_SERVICE_UNAVAILABLE, busy())
            await refused(scope, receive, send)
        finally:
            self._forget_question()

    def _forget_question(self) -> None:
        self._service.bodies.give(self._kept_bytes)
        self._question, self._kept_bytes = b"", 0

    async def _send(self, answer: bytes, send: Send) -> None:
        size = str(len(answer)).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", size)]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        for start in range(0, len(answer), CHUNK_BYTES):
            end = start + CHUNK_BYTES
            chunk = answer[start:end]
            more = end < len(answer)
            await send({"type": "http.response.body", "body": chunk, "more_body": more})


@router.post(
    "/rpc",
    operation_id="rpc.call",
    summary="Ethereum JSON-RPC",
    responses={
        200: {"description": "A response, or a list of them for a batch; errors too."},
        204: {"description": "Only notifications were sent."},
        403: {"description": "A web page of another host."},
        413: {"description": "The body is too large."},
        503: {"description": "Too much is waiting."},
    },
)
async def call(request: Request) -> Response:
    """One JSON-RPC 2.0 request, or a batch. The content type does not matter."""
    if is_foreign_page(request.headers):
        return _refused(status.HTTP_403_FORBIDDEN, _foreign())
    rpc: Rpc = request.app.state.rpc
    body = bytearray()
    is_read = False
    try:
        async with timeout(BODY_SECONDS_MAX):
            await _read_into(body, request, rpc.service)
        is_read = True
    except _RefusedBodyError as error:
        return _refused(error.http_status, error.error)
    except TimeoutError:
        late = RpcError(INVALID_REQUEST, f"the body took longer than {BODY_SECONDS_MAX} s")
        return _refused(status.HTTP_408_REQUEST_TIMEOUT, late)
    except BusyError:
        return _refused(status.HTTP_503_SERVICE_UNAVAILABLE, busy())
    finally:
        if not is_read:
            rpc.service.bodies.give(len(body))
    return Exchange(rpc.service, bytes(body))


@router.websocket("/rpc")
async def connect(websocket: WebSocket) -> None:
    """The same methods, and eth_subscribe to newHeads and logs."""
    if is_foreign_page(websocket.headers):
        await websocket.close()
        return
    rpc: Rpc = websocket.app.state.rpc
    await websocket.accept()
    if len(rpc.heads.listeners) >= rpc.limits.connections:
        reason = f"there are {rpc.limits.connections} connections already"
        await websocket.close(TRY_AGAIN_LATER, reason)
        return
    session = Session(websocket, rpc.service, rpc.limits, next(rpc.numbers))
    rpc.heads.listeners.add(session)
    try:
        await session.serve()
    finally:
        rpc.heads.listeners.discard(session)


async def _read_into(body: bytearray, request: Request, service: RpcService) -> None:
    """Reads a body, up to the bound. Raises _RefusedBodyError, BusyError."""
    announced = request.headers.get("content-length", "")
    too_much = announced.isdecimal() and int(announced) > BODY_BYTES_MAX
    async for chunk in request.stream():
        if too_much or len(body) + len(chunk) > BODY_BYTES_MAX:
            message = f"the body is above {BODY_BYTES_MAX} bytes"
            error = RpcError(INVALID_REQUEST, message)
            raise _RefusedBodyError(status.HTTP_413_CONTENT_TOO_LARGE, error)
        service.bodies.take(len(chunk))
        body += chunk


def _refused(http_status: int, error: RpcError) -> Response:
    body = error_response(None, error)
    return Response(body, status_code=http_status, media_type="application/json")


def _foreign() -> RpcError:
    return RpcError(INVALID_REQUEST, "web pages of another host may not use this node")
