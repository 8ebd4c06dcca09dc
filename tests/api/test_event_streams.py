"""Streams of events on a real server: who has a place, and when they end."""

import threading
import time
from contextlib import ExitStack

import httpx2
import pytest

from api.errors import RefusedError
from api.event_stream import STREAMS_OF_ONE_MAX, EventStreams
from nodes.api_keys import seeded_secret
from nodes.sandbox.sandbox import open_sandbox
from tests.support.clients import SEED, key_header
from tests.support.consortia import DAY
from tests.support.event_streams import frames_of
from tests.support.servers import served

SECONDS_MAX = 20


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with served(open_sandbox(tmp_path_factory.mktemp("state"), "test", DAY)) as running:
        yield running


@pytest.fixture(scope="module")
def client(server):
    with httpx2.Client(
        base_url=f"http://{server.place}/v1", headers=key_header(), timeout=30
    ) as opened:
        yield opened


def test_no_more_streams_than_there_are_seats():
    streams, taken = EventStreams(streams_max=1), pytest.raises(RefusedError, match="1 event str")
    with streams.seat("BRK-A"), taken, streams.seat("BRK-B"):
        pass
    with streams.seat("BRK-B"):
        pass


def test_nobody_takes_the_seats_of_all():
    streams = EventStreams()
    with ExitStack() as seats:
        for _ in range(STREAMS_OF_ONE_MAX):
            seats.enter_context(streams.seat("BRK-A"))
        with pytest.raises(RefusedError, match="BRK-A has 20"):
            seats.enter_context(streams.seat("BRK-A"))
        seats.enter_context(streams.seat("BRK-B"))


def test_open_stream_ends_when_its_key_is_revoked(server, client):
    made = client.post("/api-keys", json={"holder": "BRK-A"}).json()
    headers, ended = {"Authorization": f"Bearer {made['api_key']}"}, threading.Event()

    def read():
        with httpx2.Client(base_url=f"http://{server.place}/v1", timeout=30) as opened:
            for _ in frames_of(opened, headers=headers):
                begun.set()
        ended.set()

    begun = threading.Event()
    threading.Thread(target=read, daemon=True).start()
    assert begun.wait(SECONDS_MAX)
    client.post(f"/api-keys/{made['id']}/revoke")
    assert ended.wait(SECONDS_MAX)


@pytest.mark.parametrize("path", ["/events/stream", "/reconciliation/stream"])
@pytest.mark.parametrize(
    ("act", "form"), [("/sign-out", {}), ("/view-as", {"holder": "BRK-A"})], ids=["out", "as"]
)
def test_open_stream_ends_with_the_session_that_began_it(server, path, act, form):
    own = {"Sec-Fetch-Site": "same-origin"}
    begun, ended = threading.Event(), threading.Event()
    place = f"http://{server.place}"
    with httpx2.Client(base_url=place, headers=own, timeout=30) as browser:
        browser.post("/sign-in", data={"key": seeded_secret(SEED, "OPERATOR")})

        def read():
            with httpx2.Client(base_url=f"{place}/v1", cookies=browser.cookies) as opened:
                for _ in frames_of(opened, f"{path}?last_event_id=0"):
                    begun.set()
            ended.set()

        threading.Thread(target=read, daemon=True).start()
        assert begun.wait(SECONDS_MAX)
        browser.post(act, data=form)
        assert ended.wait(SECONDS_MAX)


def test_seat_is_free_again_when_a_reader_has_gone(client, server):
    for _ in frames_of(client):
        assert server.app.state.event_streams.count == 1
        break
    deadline = time.monotonic() + SECONDS_MAX
    while server.app.state.event_streams.count:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_open_stream_ends_when_the_server_stops(tmp_path):
    frames = []

    def read(place):
        with httpx2.Client(
            base_url=f"http://{place}/v1", headers=key_header(), timeout=30
        ) as opened:
            frames.extend(frames_of(opened))

    with served(open_sandbox(tmp_path, "test", DAY)) as running:
        reader = threading.Thread(target=read, args=(running.place,))
        reader.start()
        while not frames:
            time.sleep(0.02)
    reader.join(timeout=SECONDS_MAX)
    assert not reader.is_alive()
