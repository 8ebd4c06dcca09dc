"""Every request of /v1, and every form of a page, has a name and is noted with its answer.

The name stands in the header Request-Id and in every problem. Noting is left to another thread: it
does not slow the request. Headers are not noted, nor what a form holds, and secrets in bodies are
masked.
"""

import json
from functools import partial
from http import HTTPStatus
from logging import INFO, WARNING
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from api.conventions.books import books_of
from api.conventions.callers import caller_of
from api.conventions.idempotency import HEADER, REPLAYED
from api.conventions.secrets import masked, masked_query
from api.errors import PROBLEM_JSON, problem_of
from ledger.books.interface.requests import RequestRow, request_id
from ledger.domain.reasons import Reason, Rejected
from ledger.logs import logger_of
from nodes.clock import Clock

REQUEST_ID: Final = "Request-Id"
BODY_BYTES_KEPT: Final = 4 * 1024
PATH_LENGTH_KEPT: Final = 1_000
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_JSON_RPC: Final = "/rpc"
_TEXT: Final = ("application/json", PROBLEM_JSON)
_SAFETY: Final = {"X-Content-Type-Options": "nosniff"}
_SAFETY_OF_THE_INTERFACE: Final = _SAFETY | {"Cache-Control": "no-store"}

log = logger_of(__name__)


class RequestLog:
    """Names and notes requests; gives every answer its security headers."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif _is_noted(scope):
            await self._serve(scope, receive, send)
        else:
            await self._app(scope, receive, partial(_with_headers, send))

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Shared by all who copy the scope from here on.
        scope.setdefault("state", {})
        begun = self._clock.stopwatch_ns()
        seen = _Seen(books_of(scope).requests.next_number(), scope, receive, send)
        try:
            with bound_contextvars(request_id=request_id(seen.number)):
                await self._app(scope, seen.receive, seen.send)
        except Exception:
            if not seen.status:
                await _fault()(scope, seen.receive, seen.send)
            raise
        finally:
            micros = (self._clock.stopwatch_ns() - begun) // 1_000
            at = int(self._clock.business_time().timestamp() * 1_000_000)
            _write_line(seen, micros)
            # A market that was reset meanwhile has its books open anew.
            books_of(scope).requests.note(partial(_row, seen, at, micros))


def _is_noted(scope: Scope) -> bool:
    """Whether it is one of the interface, or changes something by a page."""
    path = scope["path"]
    if path == "/v1" or path.startswith("/v1/"):
        return True
    return scope["method"] not in _READING and path != _JSON_RPC


class _Seen:
    """A request on its way in, and its answer on its way out."""

    def __init__(self, number: int, scope: Scope, receive: Receive, send: Send) -> None:
        self.number = number
        self.scope = scope
        self.status = 0
        self.problem: int | None = None
        self.replayed = False
        self.bytes_in = self.bytes_out = 0
        self.body = self.answer = b""
        self.answer_kind = ""
        self._receive = receive
        self._send = send
        self._held: Message | None = None
        self._parts: list[bytes] = []

    async def receive(self) -> Message:
        message = await self._receive()
        part = message.get("body", b"")
        self.bytes_in += len(part)
        if len(self.body) < BODY_BYTES_KEPT:
            self.body += part[: BODY_BYTES_KEPT - len(self.body)]
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._start(message)
        elif message["type"] == "http.response.body":
            if self._held is None:
                await self._pass(message)
            else:
                await self._complete(self._held, message)
        else:
            await self._send(message)

    async def _start(self, message: Message) -> None:
        headers = MutableHeaders(raw=list(message["headers"]))
        headers[REQUEST_ID] = request_id(self.number)
        for name, value in _SAFETY_OF_THE_INTERFACE.items():
            headers.setdefault(name, value)
        self.status = message["status"]
        self.answer_kind = headers.get("content-type", "")
        self.replayed = REPLAYED in headers
        message = {**message, "headers": headers.raw}
        if self.answer_kind == PROBLEM_JSON:
            self._held = message
        else:
            await self._send(message)

    async def _pass(self, message: Message) -> None:
        part = message.get("body", b"")
        self.bytes_out += len(part)
        if len(self.answer) < BODY_BYTES_KEPT:
            self.answer += part[: BODY_BYTES_KEPT - len(self.answer)]
        await self._send(message)

    async def _complete(self, start: Message, message: Message) -> None:
        """Sends a problem once all of it is there, with the name of its request."""
        self._parts.append(message.get("body", b""))
        if message.get("more_body", False):
            return
        body = b"".join(self._parts)
        if body:
            problem = json.loads(body) | {"request_id": request_id(self.number)}
            self.problem = problem.get("code")
            body = json.dumps(problem, ensure_ascii=False, separators=(",", ":")).encode()
            headers = MutableHeaders(raw=start["headers"])
            headers["content-length"] = str(len(body))
        await self._send(start)
        await self._pass({"type": "http.response.body", "body": body})


def _write_line(seen: _Seen, micros: int) -> None:
    """What stands in the log: neither headers nor query nor body."""
    level = WARNING if seen.status >= HTTPStatus.INTERNAL_SERVER_ERROR else INFO
    log.log(
        level,
        "request.answered",
        request_id=request_id(seen.number),
        method=seen.scope["method"],
        path=seen.scope["path"][:PATH_LENGTH_KEPT],
        caller=caller_of(seen.scope),
        status=seen.status,
        problem=seen.problem,
        ms=micros // 1_000,
    )


async def _with_headers(send: Send, message: Message) -> None:
    if message["type"] == "http.response.start":
        headers = MutableHeaders(raw=list(message["headers"]))
        for name, value in _SAFETY.items():
            headers.setdefault(name, value)
        message = {**message, "headers": headers.raw}
    await send(message)


def _fault() -> ASGIApp:
    """The answer when the interface itself has failed; what happened is in the server's log."""
    detail = "the interface has met a fault of its own"
    return problem_of(Rejected(Reason.UNAVAILABLE, detail), HTTPStatus.INTERNAL_SERVER_ERROR)


def _row(seen: _Seen, at: int, micros: int) -> RequestRow:
    """What there is to note, without secrets."""
    headers = Headers(scope=seen.scope)
    return RequestRow(
        number=seen.number,
        at=at,
        method=seen.scope["method"],
        path=seen.scope["path"][:PATH_LENGTH_KEPT],
        query=masked_query(seen.scope["query_string"][:BODY_BYTES_KEPT].decode("latin-1")),
        caller=caller_of(seen.scope),
        status=seen.status,
        duration=micros,
        bytes_in=seen.bytes_in,
        bytes_out=seen.bytes_out,
        key=headers.get(HEADER.decode()),
        replayed=seen.replayed,
        problem=seen.problem,
        body=_text(seen.body, headers.get("content-type", "")),
        answer=_text(seen.answer, seen.answer_kind),
    )


def _text(body: bytes, kind: str) -> str | None:
    """The beginning of a body, if it is text."""
    if not body or not kind.startswith(_TEXT):
        return None
    return masked(body.decode("utf-8", "replace"))
