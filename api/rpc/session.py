"""One WebSocket connection: requests in turn, and the subscriptions it has made.

A connection that does not read is not waited for: blocks it has not been told of are queued up to a
bound, and beyond it the connection is closed.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import msgspec
from anyio import CancelScope, create_task_group, move_on_after
from starlette.websockets import WebSocket, WebSocketDisconnect

from api.rpc.service import SEND_SECONDS_MAX, BusyError, RpcService, busy
from ledger.chain.blocks import Header
from ledger.chain.log_index import NO_END, LogFilter
from ledger.chain.rpc.errors import LIMIT_EXCEEDED, RpcError, invalid_params
from ledger.chain.rpc.forms import header_form
from ledger.chain.rpc.methods.logs import logs_of_block
from ledger.chain.rpc.params import parse_log_kinds
from ledger.chain.rpc.request import (
    BODY_BYTES_MAX,
    Entry,
    Malformed,
    Request,
    error_response,
    response_to,
)
from ledger.chain.rpc.values import Json, parse_object, quantity, shown

CLOSE_SECONDS: Final = 1
_SUBSCRIBING: Final = frozenset({"eth_subscribe", "eth_unsubscribe"})
TOO_BIG: Final = 1009
TRY_AGAIN_LATER: Final = 1013


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """What connections may use: how many, subscriptions of each, blocks it has not been told of."""

    connections: int = 64
    subscriptions: int = 32
    heads_waiting: int = 4_096


@dataclass(frozen=True, slots=True)
class Subscription:
    """What is wanted (None: new blocks) of the blocks after one."""

    wanted: LogFilter | None
    after: int


class Session:
    """Serves one connection that was accepted."""

    def __init__(
        self, websocket: WebSocket, service: RpcService, limits: SocketLimits, number: int
    ) -> None:
        self._websocket = websocket
        self._service = service
        self._limits = limits
        self._number = number
        self._made = 0
        self._subscription_by_id: dict[str, Subscription] = {}
        self._heads: asyncio.Queue[Header] = asyncio.Queue(limits.heads_waiting)
        # Else a subscription could speak before its id was told.
        self._turn = asyncio.Lock()
        self._scope = CancelScope()
        self._closing: tuple[int, str] | None = None

    def tell(self, header: Header) -> None:
        """Takes note of a new block."""
        if not self._subscription_by_id or self._closing:
            return
        try:
            self._heads.put_nowait(header)
        except asyncio.QueueFull:
            self._end(TRY_AGAIN_LATER, f"too slow: {self._limits.heads_waiting} blocks are waiting")

    async def serve(self) -> None:
        """Until the other side goes, or has to."""
        async with create_task_group() as tasks:
            self._scope = tasks.cancel_scope
            tasks.start_soon(self._tell_forever)
            await self._receive_forever()
            self._scope.cancel()
        if self._closing:
            with move_on_after(CLOSE_SECONDS, shield=True):
                await self._websocket.close(*self._closing)

    def _end(self, code: int, reason: str) -> None:
        self._closing = (code, reason)
        self._scope.cancel()

    @contextmanager
    def _ending(self) -> Iterator[None]:
        """Ends the session for whatever of these ends what is done in it."""
        try:
            yield
        except WebSocketDisconnect:
            self._scope.cancel()
        except BusyError:
            self._end(TRY_AGAIN_LATER, busy().message)
        except TimeoutError:
            self._end(TRY_AGAIN_LATER, f"too slow: nothing was read for {SEND_SECONDS_MAX} s")

    async def _receive_forever(self) -> None:
        with self._ending():
            while (body := await self._next_body()) is not None:
                async with (
                    self._turn,
                    self._service.answering(body, self._run) as response,
                ):
                    if response is not None:
                        await self._send_text(response)

    async def _next_body(self) -> bytes | None:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        text = message.get("text")
        body = text.encode() if text is not None else bytes(message.get("bytes") or b"")
        if len(body) > BODY_BYTES_MAX:
            self._closing = (TOO_BIG, f"a message has at most {BODY_BYTES_MAX} bytes")
            return None
        return body

    async def _run(self, entry: Entry) -> bytes | None:
        if isinstance(entry, Malformed) or entry.method not in _SUBSCRIBING:
            return await self._service.run_one(entry)
        try:
            response = response_to(entry.id, self._answer(entry))
        except RpcError as error:
            response = error_response(entry.id, error)
        return None if entry.is_notification else response

    def _answer(self, request: Request) -> Json:
        match request.method, request.params:
            case "eth_subscribe", ["newHeads"]:
                return self._subscribe(None)
            case "eth_subscribe", ["logs"]:
                return self._subscribe(_wanted({}))
            case "eth_subscribe", ["logs", fields]:
                return self._subscribe(_wanted(fields))
            case "eth_unsubscribe", [str(id)]:
                return self._subscription_by_id.pop(id, None) is not None
            case "eth_unsubscribe", _:
                raise invalid_params("expected the id of a subscription")
            case _, params:
                raise invalid_params(
                    f"expected newHeads, or logs and a filter, found {shown(params)}"
                )

    def _subscribe(self, wanted: LogFilter | None) -> str:
        if len(self._subscription_by_id) >= self._limits.subscriptions:
            message = f"a connection has at most {self._limits.subscriptions} subscriptions"
            raise RpcError(LIMIT_EXCEEDED, message)
        self._made += 1
        id = quantity(self._number << 32 | self._made)
        after = self._service.backend.chain.head.number
        self._subscription_by_id[id] = Subscription(wanted, after)
        return id

    async def _tell_forever(self) -> None:
        with self._ending():
            while True:
                await self._tell_all(await self._heads.get())

    async def _tell_all(self, header: Header) -> None:
        for id, subscription in tuple(self._subscription_by_id.items()):
            if header.number > subscription.after:
                for result in await self._results(subscription, header):
                    async with self._turn:
                        await self._send(id, result)

    async def _results(self, subscription: Subscription, header: Header) -> list[Json]:
        if subscription.wanted is None:
            return [header_form(header)]
        backend = self._service.backend
        return await self._service.call(logs_of_block, backend, subscription.wanted, header)

    async def _send(self, id: str, result: Json) -> None:
        if id not in self._subscription_by_id:
            return
        params = {"subscription": id, "result": result}
        message = {"jsonrpc": "2.0", "method": "eth_subscription", "params": params}
        await self._send_text(msgspec.json.encode(message))

    async def _send_text(self, text: bytes) -> None:
        """Raises TimeoutError when the other side does not read."""
        async with asyncio.timeout(SEND_SECONDS_MAX):
            await self._websocket.send_text(text.decode())


def _wanted(value: Json) -> LogFilter:
    addresses, topics = parse_log_kinds(parse_object(value, "a log filter"))
    return LogFilter(0, NO_END, addresses, topics)
