"""What is served now: the application of one sandbox, until another takes its place.

While one is replaced by another, requests are answered with 503, those that were under way are
waited for, and connections that stay open are closed: their clients connect again.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from fastapi import FastAPI, status
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem_of, refuse
from api.web.waiting_page import is_looked_at, waiting_page
from ledger.domain.reasons import Reason, Rejected
from ledger.logs import logger_of
from nodes.sandbox.home import SandboxHome
from nodes.sandbox.sandbox import Sandbox

DRAIN_SECONDS_MAX: Final = 30.0
RETRY_AFTER: Final = {"Retry-After": "2"}
SERVICE_RESTART: Final = 1012
_CHANGING: Final = Rejected(Reason.UNAVAILABLE, "the market is being replaced by another")

ApplicationOf = Callable[[Sandbox], FastAPI]

log = logger_of(__name__)


class Hosting:
    """Serves the sandbox of a folder, and another one after it."""

    def __init__(self, home: SandboxHome, application_of: ApplicationOf) -> None:
        self.home = home
        self._app_of = application_of
        self._stage = _Stage(self._next_application())
        self._turn = asyncio.Lock()

    @property
    def application(self) -> FastAPI:
        """What is served now."""
        return self._stage.app

    @property
    def sandbox(self) -> Sandbox:
        """The one that is served now."""
        sandbox = self.application.state.sandbox
        assert isinstance(sandbox, Sandbox)
        return sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request, or the life of the server."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        stage = self._stage
        if stage.is_closing.is_set():
            await _turn_away(scope, receive, send)
            return
        await stage.serve(scope, receive, send)

    async def replace(self, act: Callable[[], None]) -> None:
        """Closes the sandbox, does something to its folder, and serves what is there then.

        Called in a request of the present application, which is answered by it to the end. Refuses
        when another one is at it (BUSY).
        """
        if self._turn.locked():
            raise refuse(Reason.BUSY, "the market is being replaced already")
        async with self._turn:
            before = self._stage
            await before.close(own_requests=1)
            try:
                await asyncio.to_thread(act)
            finally:
                self._stage = _Stage(await asyncio.to_thread(self._next_application))
                await self._stage.open()

    def _next_application(self) -> FastAPI:
        app = self._app_of(self.home.open())
        app.state.hosting = self
        return app

    async def _live(self, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "lifespan.startup"
        try:
            await self._stage.open()
        except Exception as error:
            log.exception("market.failed_to_start")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise
        await send({"type": "lifespan.startup.complete"})
        assert (await receive())["type"] == "lifespan.shutdown"
        async with self._turn:
            await self._stage.close(own_requests=0)
        await send({"type": "lifespan.shutdown.complete"})


class _Stage:
    """One application, from its start to its end."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.is_closing = asyncio.Event()
        self._requests = 0
        self._has_ended = asyncio.Event()
        self._ends = asyncio.Event()
        self._life: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Starts the application; raises what its start raises."""
        has_begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._life = asyncio.create_task(self._live(has_begun))
        await has_begun

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request; when the stage closes, it looks as if the client had gone."""
        self._requests += 1
        try:
            await _until_closed(self.app, self.is_closing, scope, receive, send)
        finally:
            self._requests -= 1
            self._has_ended.set()

    async def close(self, own_requests: int) -> None:
        """Waits for requests under way, but for the one that asks for it, then ends it all."""
        self.is_closing.set()
        try:
            async with asyncio.timeout(DRAIN_SECONDS_MAX):
                while self._requests > own_requests:
                    self._has_ended.clear()
                    await self._has_ended.wait()
        except TimeoutError:
            log.warning("requests.cut_off", requests=self._requests - own_requests)
        self._ends.set()
        if self._life is not None:
            await self._life

    async def _live(self, has_begun: "asyncio.Future[None]") -> None:
        try:
            async with self.app.router.lifespan_context(self.app):
                has_begun.set_result(None)
                await self._ends.wait()
        except Exception as error:
            if has_begun.done():
                raise
            has_begun.set_exception(error)


async def _until_closed(
    app: ASGIApp, is_closing: asyncio.Event, scope: Scope, receive: Receive, send: Send
) -> None:
    """Runs a request; a connection that stays open hears of the end as of a client that goes."""
    kind = "websocket.disconnect" if scope["type"] == "websocket" else "http.disconnect"
    is_read, is_closed = scope["type"] == "websocket", False

    async def receive_or_end() -> Message:
        nonlocal is_read
        if not is_read:
            message = await receive()
            is_read = not message.get("more_body", False)
            return message
        if is_closing.is_set():
            return {"type": kind, "code": SERVICE_RESTART}
        own = asyncio.ensure_future(receive())
        end = asyncio.ensure_future(is_closing.wait())
        try:
            await asyncio.wait({own, end}, return_when=asyncio.FIRST_COMPLETED)
            return own.result() if own.done() else {"type": kind, "code": SERVICE_RESTART}
        finally:
            own.cancel()
            end.cancel()

    async def send_and_note(message: Message) -> None:
        nonlocal is_closed
        is_closed = is_closed or message["type"] == "websocket.close"
        await send(message)

    await app(scope, receive_or_end, send_and_note)
    if scope["type"] == "websocket" and is_closing.is_set() and not is_closed:
        await send({"type": "websocket.close", "code": SERVICE_RESTART})


async def _turn_away(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": SERVICE_RESTART})
        return
    if is_looked_at(scope):
        await waiting_page(scope)(scope, receive, send)
        return
    answer = problem_of(_CHANGING, status.HTTP_503_SERVICE_UNAVAILABLE, RETRY_AFTER)
    await answer(scope, receive, send)
