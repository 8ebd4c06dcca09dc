"""ETags: what a GET of /v1 answers in JSON is named by its hash; who has it already is told so.

HEAD answers as GET does, without the body.
"""

import hashlib
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_JSON: Final = "application/json"
_OK: Final = 200
_NOT_MODIFIED: Final = 304
_OF_A_BODY: Final = ("content-length", "content-type")


class ETags:
    """Names the JSON answers to GET and HEAD of /v1; the rest it does not touch."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        is_read = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
        if not is_read or not scope["path"].startswith("/v1"):
            await self._app(scope, receive, send)
            return
        has_head = scope["method"] == "HEAD"
        named = _Named(send, Headers(scope=scope).get("if-none-match", ""), has_head=has_head)
        await self._app({**scope, "method": "GET"} if has_head else scope, receive, named.send)


class _Named:
    """Passes an answer on, with its ETag when it is JSON."""

    def __init__(self, send: Send, known: str, *, has_head: bool) -> None:
        self._send = send
        self._known = [each.strip().removeprefix("W/") for each in known.split(",")]
        self._has_head = has_head
        self._start: Message | None = None
        self._body: list[bytes] = []

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = Headers(raw=message["headers"])
            is_json = headers.get("content-type", "").partition(";")[0] == _JSON
            if message["status"] == _OK and is_json:
                self._start = message
                return
        elif message["type"] == "http.response.body":
            if self._start is not None:
                await self._take(self._start, message)
                return
            if self._has_head:
                message = {**message, "body": b""}
        await self._send(message)

    async def _take(self, start: Message, message: Message) -> None:
        """Sends the answer once all of it is there."""
        self._body.append(message.get("body", b""))
        if message.get("more_body", False):
            return
        body = b"".join(self._body)
        headers = MutableHeaders(raw=list(start["headers"]))
        headers["ETag"] = tag = f'"{hashlib.sha256(body).hexdigest()}"'
        status = _OK
        if tag in self._known or "*" in self._known:
            status, body = _NOT_MODIFIED, b""
            for name in _OF_A_BODY:
                del headers[name]
        await self._send({**start, "status": status, "headers": headers.raw})
        shown = b"" if self._has_head else body
        await self._send({"type": "http.response.body", "body": shown})
