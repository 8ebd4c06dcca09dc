"""So many requests are worked on at once; more are sent away, cheaply, and may come again."""

import asyncio

import httpx2 as httpx
import pytest

from api.access.admission import Admission, TakesPlace, UnderWay, leave_place


class Work:
    """An application whose requests last until they are let go; one may wait without a place."""

    def __init__(self):
        self.go = asyncio.Event()
        self._begun = asyncio.Queue()

    async def has_begun(self, count):
        """Waits until so many more have."""
        for _ in range(count):
            await self._begun.get()

    async def __call__(self, scope, _, send):
        self._begun.put_nowait(scope["path"])
        if scope["path"] == "/waits":
            leave_place(scope)
        await self.go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})


async def ask(app, path="/v1/trades"):
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://novate") as client:
        return await client.post(path)


async def begun(app, work, path, count):
    tasks = [asyncio.create_task(ask(app, path)) for _ in range(count)]
    await work.has_begun(count)
    return tasks


@pytest.fixture
def work():
    return Work()


def bounded(work, most):
    under_way = UnderWay(most)
    return Admission(TakesPlace(work, under_way), under_way), under_way


def test_whoever_is_one_too_many_is_told_to_come_again(work):
    async def story():
        app, under_way = bounded(work, 3)
        tasks = await begun(app, work, "/v1/trades", 3)
        refused = await ask(app)
        health = asyncio.create_task(ask(app, "/livez"))
        await work.has_begun(1)
        work.go.set()
        answers = [await task for task in [*tasks, health]]
        return refused, answers, under_way.count, await ask(app)

    refused, answers, left, later = asyncio.run(story())

    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "1"
    assert refused.json()["reason"] == "UNAVAILABLE"
    assert refused.headers["content-type"] == "application/problem+json"
    assert [each.status_code for each in answers] == [200] * 4
    assert (left, later.status_code) == (0, 200)


def test_whoever_only_waits_takes_nobodys_place(work):
    async def story():
        app, under_way = bounded(work, 2)
        tasks = await begun(app, work, "/waits", 5)
        waiting = under_way.count
        work.go.set()
        answers = [await task for task in tasks]
        return waiting, under_way.count, [each.status_code for each in answers]

    assert asyncio.run(story()) == (0, 0, [200] * 5)


def test_a_request_that_fails_leaves_its_place():
    async def fails(scope, receive, send):
        raise RuntimeError("on purpose")

    async def story():
        under_way = UnderWay(1)
        app = TakesPlace(fails, under_way)
        with pytest.raises(RuntimeError):
            await app({"type": "http", "path": "/v1/trades"}, None, None)
        return under_way.count

    assert asyncio.run(story()) == 0


def test_whoever_reads_slowly_takes_nobodys_place(work):
    async def story():
        under_way = UnderWay(1)
        left = []

        async def slow(message):
            left.append((message["type"], under_way.count))

        work.go.set()
        await TakesPlace(work, under_way)({"type": "http", "path": "/v1/trades"}, None, slow)
        return left

    assert asyncio.run(story()) == [("http.response.start", 1), ("http.response.body", 0)]
