"""Idempotency-Key: a write with a key of the client's is done once, and answered the same again.

The key is on disk before the work begins, and its answer before that is sent; both commits are
shared by all who wait. The same key for anything else is refused. Server errors, answers to too
many requests, and that a node is away are not kept: the same may be sent again.

When a process dies between the two commits, nobody knows whether the work was done. Sent again, a
write that names its content is done again, which changes nothing more; any other is refused, and
the caller is told where to look (``repeating.py``).
"""

import asyncio
import hashlib
import json
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.conventions.books import books_of
from api.conventions.callers import caller_of
from api.conventions.repeating import does_nothing_again, where_to_see
from api.conventions.secrets import masked
from api.errors import problem_of
from ledger.books.database import BooksLostError, StorageError
from ledger.books.interface.answers import Answer, AnswerBook, Asked, Kept
from ledger.domain.reasons import Reason, Rejected
from nodes.clock import Clock

HEADER: Final = b"idempotency-key"
REPLAYED: Final = "Idempotent-Replayed"
KEY_LENGTH_MAX: Final = 255
WAIT_SECONDS: Final = 2.0
_WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_HEADERS_KEPT: Final = frozenset({"content-type", "location", "link"})
_NOT_KEPT: Final = frozenset({401, 429})
_NEVER_BEGUN: Final = 503


class Idempotency:
    """Answers writes of /v1 that come with a key; the others it does not touch."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock
        self._running: dict[tuple[str, str], asyncio.Event] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        keys = _keys_of(scope)
        if not keys:
            await self._app(scope, receive, send)
            return
        key = keys[0].decode("latin-1")
        if len(keys) > 1 or not _is_well_formed(key):
            detail = "Idempotency-Key: expected one of 1 to 255 visible ASCII characters"
            await problem_of(Rejected(Reason.INVALID, detail))(scope, receive, send)
            return
        messages, asked = await self._read(scope, receive, key)
        if messages[-1]["type"] == "http.disconnect":
            # Half a body is no request: the key is free for the whole one.
            return
        await self._once(asked, messages, scope, receive, send)

    async def _read(self, scope: Scope, receive: Receive, key: str) -> tuple[list[Message], Asked]:
        """The body, which has been bounded, up to where the client has gone; and what is asked."""
        request = f"{scope['method']} {scope['path']}"
        query = scope["query_string"]
        digest = hashlib.sha256(b"%d|%b|%b|" % (len(query), query, request.encode()))
        messages = list[Message]()
        while True:
            message = await receive()
            messages.append(message)
            digest.update(message.get("body", b""))
            if not message.get("more_body", False):
                break
        now = int(self._clock.business_time().timestamp())
        return messages, Asked(caller_of(scope), key, request, digest.digest(), now)

    async def _once(
        self, asked: Asked, messages: list[Message], scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Serves a write unless the same runs just now; then it waits for it a little."""
        id = (asked.caller, asked.key)
        while (running := self._running.get(id)) is not None:
            try:
                await asyncio.wait_for(running.wait(), WAIT_SECONDS)
            except TimeoutError:
                detail = "Idempotency-Key: its first request is still being worked on"
                refusal = Rejected(Reason.DUPLICATE, detail)
                await problem_of(refusal, headers={"Retry-After": "1"})(scope, receive, send)
                return
        self._running[id] = asyncio.Event()
        try:
            answer = await self._answer(asked, messages, scope, receive)
        except StorageError as error:
            detail = f"the key could not be kept, so nothing was begun: {error}"
            answer = problem_of(Rejected(Reason.STORAGE, detail))
        except BooksLostError as error:
            answer = problem_of(Rejected(Reason.UNAVAILABLE, str(error)))
        finally:
            self._running.pop(id).set()
        await answer(scope, receive, send)

    async def _answer(
        self, asked: Asked, messages: list[Message], scope: Scope, receive: Receive
    ) -> Response:
        """The answer on record, or the one that the work gives. Raises StorageError before it."""
        book = books_of(scope).answers
        kept = await asyncio.wrap_future(book.begin(asked))
        if kept is not None:
            known = _known(asked, kept, scope)
            if known is not None:
                return known
        answered = _Answered()
        messages.reverse()

        async def replay() -> Message:
            return messages.pop() if messages else await receive()

        await self._app(scope, replay, answered.send)
        # A market that was reset meanwhile has its books open anew.
        await _keep(books_of(scope).answers, asked, answered, scope)
        return answered.response()


class _Answered:
    """An answer, taken down instead of being sent."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")

    def needs_who_is_away(self) -> bool:
        """Whether it says that a node is away: when it is back, the answer will be another."""
        if self.status != Reason.SILENT.http_status:
            return False
        return bool(json.loads(self.body).get("reason") == Reason.SILENT.name)

    def response(self) -> Response:
        """It, to be sent."""
        response = Response(self.body, self.status)
        response.raw_headers = self.headers
        return response


def _keys_of(scope: Scope) -> list[bytes]:
    is_write = scope["type"] == "http" and scope["method"] in _WRITES
    if not is_write or not scope["path"].startswith("/v1/"):
        return []
    return [value for name, value in scope["headers"] if name == HEADER]


def _is_well_formed(key: str) -> bool:
    return 0 < len(key) <= KEY_LENGTH_MAX and all("!" <= each <= "~" for each in key)


def _known(asked: Asked, kept: Kept, scope: Scope) -> Response | None:
    """What a key that was used before is answered; None when the work may be done (again)."""
    if kept.fingerprint != asked.fingerprint:
        differs = "another body or query" if kept.request == asked.request else asked.request
        detail = f"Idempotency-Key: it was first used for {kept.request}, now for {differs}"
        return problem_of(Rejected(Reason.DUPLICATE, detail))
    if kept.answer is None:
        return None if _may_do_again(scope) else _unknown(scope)
    if kept.answer.body is None:
        detail = f"it was answered with {kept.answer.status}; the answer was too large to be kept"
        return problem_of(Rejected(Reason.DUPLICATE, detail))
    headers = dict(kept.answer.headers) | {REPLAYED: "true"}
    return Response(kept.answer.body, kept.answer.status, headers)


def _may_do_again(scope: Scope) -> bool:
    return does_nothing_again(scope["method"], scope["path"])


def _unknown(scope: Scope) -> Response:
    see = where_to_see(scope["method"], scope["path"])
    detail = (
        "Idempotency-Key: its request was begun and cut off, and is not done a second time;"
        f" whether it was done: see GET {see}; then use a new key"
    )
    return problem_of(Rejected(Reason.DUPLICATE, detail))


async def _keep(book: AnswerBook, asked: Asked, answered: _Answered, scope: Scope) -> None:
    """Keeps an answer; frees the key when it is none to be kept."""
    status = answered.status
    is_fault = status >= 500 or answered.needs_who_is_away()
    if is_fault and status != _NEVER_BEGUN and not _may_do_again(scope):
        # It may have been done in part: the key stays begun, and nothing is done twice.
        return
    try:
        if is_fault or status in _NOT_KEPT:
            await asyncio.wrap_future(book.forget(asked))
            return
        headers = Headers(raw=answered.headers)
        kept = tuple((name, headers[name]) for name in sorted(_HEADERS_KEPT) if name in headers)
        body = masked(answered.body.decode("latin-1")).encode("latin-1")
        await asyncio.wrap_future(book.answered(asked, Answer(status, kept, body)))
    except (StorageError, BooksLostError):
        # The work is done, and its answer true; the same again is met as after a crash.
        return
