"""Runs JSON-RPC requests in a few threads of their own, one request a turn.

Callers take turns by request, not by body: a batch of a hundred slow calls delays another caller by
a few calls and no more. The REST interface and the pages have other threads.

A large response takes room from when it is made until its reader has taken all but the last chunk,
which the server keeps: readers that are slow make others wait for room, and cost no more memory.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, ParamSpec, TypeAlias, TypeVar

from anyio import CapacityLimiter, to_thread

from ledger.chain.rpc.backend import Backend
from ledger.chain.rpc.errors import LIMIT_EXCEEDED, RpcError
from ledger.chain.rpc.request import (
    RESPONSE_BYTES_MAX,
    Entry,
    Envelope,
    Malformed,
    answer,
    error_response,
    joined,
    read,
    send_together,
    too_large,
)

THREADS: Final = 4
WAITING_MAX: Final = 256
BODIES_BYTES_MAX: Final = 64 * 1024 * 1024
RESPONSES_BYTES_MAX: Final = 128 * 1024 * 1024
FREE_RESPONSE_BYTES: Final = 64 * 1024
"""What the answer to one body may have without taking room."""
SMALL_RESPONSE_BYTES: Final = 1024
"""A response of this size is never refused for want of room: so nothing sent is left unanswered."""
SEND_SECONDS_MAX: Final = 60
"""How long a reader may take over one answer."""
QUICK_BYTES_MAX: Final = 16 * 1024

Run: TypeAlias = Callable[[Entry], Awaitable[bytes | None]]
P = ParamSpec("P")
T = TypeVar("T")


class BusyError(Exception):
    """More is waiting than this process wants to keep. Nothing was done."""


class Room:
    """Counts the bytes that all callers together make this process keep."""

    def __init__(self, size: int) -> None:
        self._free = size

    def take(self, size: int) -> None:
        """Keeps so many more. Raises BusyError when there is no room for them."""
        if size > self._free:
            raise BusyError
        self._free -= size

    def give(self, size: int) -> None:
        """Keeps so many less."""
        self._free += size


class Share:
    """What the answer to one body takes of the room for responses."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._free = FREE_RESPONSE_BYTES
        self._taken = 0

    def take(self, size: int) -> None:
        """Keeps one more response. Raises BusyError when it is large and there is no room."""
        if size <= SMALL_RESPONSE_BYTES:
            return
        if size <= self._free:
            self._free -= size
            return
        self._room.take(size)
        self._taken += size

    def give_back(self) -> None:
        """Keeps nothing any more."""
        self._room.give(self._taken)
        self._taken = 0


class RpcService:
    """Answers bodies with one backend."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.bodies = Room(BODIES_BYTES_MAX)
        self._responses = Room(RESPONSES_BYTES_MAX)
        self._limiter = CapacityLimiter(THREADS)

    @asynccontextmanager
    async def answering(self, body: bytes, run: Run | None = None) -> AsyncIterator[bytes | None]:
        """The body that answers a body, while it is sent; None when nothing in it wants an answer.

        ``run`` answers one request, in place of ``run_one``. A response that there is no room for
        is an error that says so. Raises BusyError when too many wait.
        """
        try:
            envelope = read(body) if len(body) <= QUICK_BYTES_MAX else await self.call(read, body)
        except RpcError as error:
            yield error_response(None, error)
            return
        if envelope.is_batch:
            await self.call(send_together, self.backend, envelope.entries)
        share = Share(self._responses)
        try:
            answered = await self._answers(envelope, run or self.run_one, share)
            del body, envelope  # a slow reader need not keep the question
            yield answered
        finally:
            share.give_back()

    async def _answers(self, envelope: Envelope, run: Run, share: "Share") -> bytes | None:
        responses: list[bytes] = []
        left = RESPONSE_BYTES_MAX
        for entry in envelope.entries:
            response = await run(entry) if left > 0 else too_large(entry.id)
            if response is not None:
                response = response if len(response) <= left else too_large(entry.id)
                try:
                    share.take(len(response))
                except BusyError:
                    response = error_response(entry.id, busy())
                left -= len(response)
                responses.append(response)
        return joined(responses, is_batch=envelope.is_batch)

    async def run_one(self, entry: Entry) -> bytes | None:
        """The response to one request, from a thread; an error when too many wait for one."""
        if isinstance(entry, Malformed):
            return answer(self.backend, entry)
        try:
            return await self.call(answer, self.backend, entry)
        except BusyError:
            return error_response(entry.id, busy())

    async def call(self, function: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """The result of a function that is run in a thread. Raises BusyError."""
        if self._limiter.statistics().tasks_waiting >= WAITING_MAX:
            raise BusyError
        return await to_thread.run_sync(lambda: function(*args, **named), limiter=self._limiter)


def busy() -> RpcError:
    """The error for a process that has too much to do."""
    return RpcError(LIMIT_EXCEEDED, "too many requests are waiting: try again later")
