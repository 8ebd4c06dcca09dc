"""Turns and room: what all callers together may make the process keep."""

import asyncio
from threading import Event

import pytest

from api.rpc.service import (
    BODIES_BYTES_MAX,
    LARGE_RESPONSE_BYTES,
    RESPONSES_BYTES_MAX,
    THREADS,
    WAITING_MAX,
    BusyError,
    RpcService,
)
from ledger.chain.rpc.backend import open_backend
from ledger.chain.rpc.request import Request
from tests.support.twins import new_chain

LARGE = bytes(32 * 1024 * 1024)


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
    service = new_service()
    held = [service.sending(LARGE) for _ in range(RESPONSES_BYTES_MAX // len(LARGE))]
    for each in held:
        each.__enter__()

    with pytest.raises(BusyError), service.sending(LARGE):
        pass
    with service.sending(bytes(LARGE_RESPONSE_BYTES)):
        pass
    held[0].__exit__(None, None, None)
    with service.sending(LARGE):
        pass


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
