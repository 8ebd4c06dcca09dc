"""Turns and room: what all callers together may make the process keep."""

import asyncio
from contextlib import AsyncExitStack
from threading import Event

import msgspec
import pytest

from api.routers import rpc as routes
from api.rpc.service import (
    BODIES_BYTES_MAX,
    FREE_RESPONSE_BYTES,
    RESPONSES_BYTES_MAX,
    SMALL_RESPONSE_BYTES,
    THREADS,
    WAITING_MAX,
    BusyError,
    Room,
    RpcService,
    Share,
)
from ledger.chain.rpc.backend import open_backend
from ledger.chain.rpc.request import Request
from tests.support.twins import new_chain

LARGE = 16 * 1024 * 1024


def new_service():
    return RpcService(open_backend(new_chain(), lambda: 0, None))


def test_bodies_have_room_until_it_is_taken():
    service = new_service()
    service.bodies.take(BODIES_BYTES_MAX)

    with pytest.raises(BusyError):
        service.bodies.take(1)
    service.bodies.give(1)
    service.bodies.take(1)


def test_large_responses_are_bounded_together_and_small_ones_are_not():
    room = Room(RESPONSES_BYTES_MAX)
    held = [Share(room) for _ in range(RESPONSES_BYTES_MAX // LARGE)]
    for each in held:
        each.take(LARGE)

    late = Share(room)
    with pytest.raises(BusyError):
        late.take(LARGE)
    late.take(FREE_RESPONSE_BYTES)
    with pytest.raises(BusyError):
        late.take(FREE_RESPONSE_BYTES)
    late.take(SMALL_RESPONSE_BYTES)
    held[0].give_back()
    late.take(LARGE)


def test_response_without_room_is_an_error_of_its_own_request_and_room_is_given_back():
    service = new_service()
    full = RESPONSES_BYTES_MAX // LARGE

    async def large(entry):
        return b'"' + bytes(LARGE - 2) + b'"' if entry.method == "large" else b'"small"'

    def batch(*methods):
        asked = [{"jsonrpc": "2.0", "id": i, "method": m} for i, m in enumerate(methods)]
        return msgspec.json.encode(asked)

    async def crowd():
        async with AsyncExitStack() as held:
            for _ in range(full):
                await held.enter_async_context(service.answering(batch("large"), large))
            async with service.answering(batch("small", "large"), large) as squeezed:
                small, refused = msgspec.json.decode(squeezed)
        async with service.answering(batch("large"), large) as answered:
            return small, refused, answered

    small, refused, answered = asyncio.run(crowd())

    assert small == "small"
    assert refused["id"] == 1
    assert refused["error"]["code"] == -32005
    assert len(answered) == LARGE + 2


class _Writer:
    """A server's send that takes some chunks and then waits for a reader that never reads."""

    def __init__(self, chunks):
        self.sent, self._chunks = [], chunks

    async def __call__(self, message):
        if len(self.sent) > self._chunks:
            await asyncio.Event().wait()
        self.sent.append(message)


def test_answer_is_sent_in_chunks_and_a_reader_that_stops_is_cut_off(monkeypatch):
    service = new_service()
    body = b'{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["0x0"]}'
    monkeypatch.setattr(routes, "CHUNK_BYTES", 100)
    monkeypatch.setattr(routes, "SEND_SECONDS_MAX", 0.1)

    def sent(chunks):
        service.bodies.take(len(body))
        writer = _Writer(chunks)
        asyncio.run(routes.Exchange(service, body)({"type": "http"}, None, writer))
        return writer.sent

    start, *chunks = sent(chunks=10_000)
    content = b"".join(each["body"] for each in chunks)
    assert msgspec.json.decode(content)["result"]["number"] == "0x0"
    assert [each["more_body"] for each in chunks] == [True] * (len(chunks) - 1) + [False]
    assert (b"content-length", str(len(content)).encode()) in start["headers"]

    assert len(sent(chunks=3)) == 4
    service.bodies.take(BODIES_BYTES_MAX)


def test_more_requests_than_may_wait_are_told_to_come_again():
    service, go_on = new_service(), Event()

    async def crowd():
        waiting = [asyncio.create_task(service.call(go_on.wait)) for _ in range(THREADS)]
        waiting += [asyncio.create_task(service.call(go_on.wait)) for _ in range(WAITING_MAX)]
        await asyncio.sleep(0.1)
        refused = await service.run_one(Request("eth_chainId", [], 7, is_notification=False))
        go_on.set()
        await asyncio.gather(*waiting)
        served = await service.run_one(Request("eth_chainId", [], 7, is_notification=False))
        return refused, served

    refused, served = asyncio.run(crowd())

    assert b'"id":7' in refused
    assert b"-32005" in refused
    assert b'"result"' in served
