"""Runs JSON-RPC requests in a few threads of their own, one request a turn.

Callers take turns by request, not by body: a batch of a hundred slow calls delays another caller by
a few calls and no more. The REST interface and the pages have other threads.
"""

from collections.abc import Awaitable, Callable
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
    too_large,
)

THREADS: Final = 4
WAITING_MAX: Final = 256
HELD_BYTES_MAX: Final = 64 * 1024 * 1024
QUICK_BYTES_MAX: Final = 16 * 1024

Run: TypeAlias = Callable[[Entry], Awaitable[bytes | None]]
P = ParamSpec("P")
T = TypeVar("T")


class BusyError(Exception):
    """More is waiting than this process wants to keep. Nothing was done."""


class RpcService:
    """Answers bodies with one backend."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._limiter = CapacityLimiter(THREADS)
        self._held_bytes = 0

    def hold(self, size: int) -> None:
        """Counts bytes of a body that is kept. Raises BusyError when there are too many."""
        if self._held_bytes + size > HELD_BYTES_MAX:
            raise BusyError
        self._held_bytes += size

    def let_go(self, size: int) -> None:
        """Counts bytes that are kept no longer."""
        self._held_bytes -= size

    async def answer(self, body: bytes, run: Run | None = None) -> bytes | None:
        """The body that answers a body; None when nothing in it wants an answer.

        ``run`` answers one request, in place of ``run_one``.
        """
        try:
            envelope = read(body) if len(body) <= QUICK_BYTES_MAX else await self.call(read, body)
        except RpcError as error:
            return error_response(None, error)
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
