"""Runs JSON-RPC requests in a few threads of their own, one request a turn.

Callers take turns by request, not by body: a batch of a hundred slow calls delays another caller by
a few calls and no more. The REST interface and the pages have other threads.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final, ParamSpec, TypeAlias, TypeVar

from anyio import CapacityLimiter, to_thread

from ledger.chain.rpc.backend import Backend
from ledger.chain.rpc.errors import LIMIT_EXCEEDED, RpcError
from ledger.chain.rpc.request import (
    RESPONSE_BYTES_MAX,
    Entry,
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
LARGE_RESPONSE_BYTES: Final = 64 * 1024
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


class RpcService:
    """Answers bodies with one backend."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.bodies = Room(BODIES_BYTES_MAX)
        self._responses = Room(RESPONSES_BYTES_MAX)
        self._limiter = CapacityLimiter(THREADS)

    @contextmanager
    def sending(self, response: bytes) -> Iterator[None]:
        """While a response is sent. Raises BusyError when too many large ones wait for readers."""
        size = len(response) if len(response) > LARGE_RESPONSE_BYTES else 0
        self._responses.take(size)
        try:
            yield
        finally:
            self._responses.give(size)

    async def answer(self, body: bytes, run: Run | None = None) -> bytes | None:
        """The body that answers a body; None when nothing in it wants an answer.

        ``run`` answers one request, in place of ``run_one``.
        """
        try:
            envelope = read(body) if len(body) <= QUICK_BYTES_MAX else await self.call(read, body)
        except RpcError as error:
            return error_response(None, error)
        if envelope.is_batch:
            await self.call(send_together, self.backend, envelope.entries)
        responses: list[bytes] = []
        room = RESPONSE_BYTES_MAX
        for entry in envelope.entries:
            response = await (run or self.run_one)(entry) if room > 0 else too_large(entry.id)
            if response is not None:
                response = response if len(response) <= room else too_large(entry.id)
                room -= len(response)
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
