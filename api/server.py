"""How the application is served: one process, bounded messages, and an end in order.

At the first signal the server takes no new writes, finishes those under way, ends streams and
reads, and closes the market: a cycle that has begun is finished, trades in no cycle are left to the
next start. All of it has a limit in time. A second signal ends the process at once; what was
acknowledged is on disk either way.
"""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer, current_thread, main_thread
from typing import Final

import uvicorn
from fastapi import FastAPI

from api.draining import Draining
from api.hosting import Hosting
from ledger.chain.rpc.request import BODY_BYTES_MAX
from ledger.logs import logger_of
from nodes.clock import NS, WallClock
from nodes.stop_signals import on_stop

DRAIN_SECONDS_MAX: Final = 10
"""For writes under way, and as long again for what is still being read."""
STOP_SECONDS_MAX: Final = 60
"""For all of it."""
EXIT_GIVEN_UP: Final = 1

log = logger_of(__name__)


class DrainingServer(uvicorn.Server):
    """Finishes writes, then ends the event streams before it waits for what is being answered."""

    def __init__(
        self, config: uvicorn.Config, draining: Draining, say: Callable[[str], object]
    ) -> None:
        super().__init__(config)
        self._draining = draining
        self._say = say
        self._clock = WallClock()
        self._drain_until_ns: int | None = None

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The first signal ends in order, with status 0."""
        if current_thread() is main_thread():
            on_stop(self._end_in_order)
        yield

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether it is time to close."""
        return await super().on_tick(counter) and self._has_drained()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops."""
        self._say("Stopping: the market closes.")
        app = self._draining.app
        served = app.application if isinstance(app, Hosting) else app
        assert isinstance(served, FastAPI)
        served.state.event_streams.close()
        await super().shutdown(sockets)

    def _end_in_order(self) -> None:
        # In the middle of whatever the main thread does: the rest is done at the next tick.
        self.should_exit = True
        timer = Timer(STOP_SECONDS_MAX, _give_up)
        timer.daemon = True
        timer.start()

    def _has_drained(self) -> bool:
        now, writes = self._clock.stopwatch_ns(), self._draining.writes
        if self._drain_until_ns is None:
            self._draining.is_closing = True
            self._drain_until_ns = now + DRAIN_SECONDS_MAX * NS
            log.info("server.stopping", writes=writes)
            if writes:
                self._say(
                    f"Stopping: waits {DRAIN_SECONDS_MAX} s at most for writes under way: {writes}."
                    " A second signal ends at once."
                )
        if writes and now >= self._drain_until_ns:
            log.warning("server.cut_off", writes=writes)
        return not writes or now >= self._drain_until_ns


def server_of(
    app: FastAPI | Hosting,
    host: str,
    port: int,
    say: Callable[[str], object] = lambda _: None,
) -> uvicorn.Server:
    """A server of an application; port 0 is any free one. ``say`` is told what it waits for."""
    draining = Draining(app)
    config = uvicorn.Config(
        draining,
        host=host,
        port=port,
        # The log of this process has its form already (nodes/log_output.py).
        log_config=None,
        log_level="warning",
        access_log=False,
        # Nobody stands before it: what a caller says of its own address is not believed.
        proxy_headers=False,
        ws="websockets-sansio",
        ws_max_size=BODY_BYTES_MAX,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=DRAIN_SECONDS_MAX,
    )
    return DrainingServer(config, draining, say)


def _give_up() -> None:
    """As a crash would: the next start goes on from what is on disk."""
    log.error("server.gave_up", seconds=STOP_SECONDS_MAX)
    os._exit(EXIT_GIVEN_UP)
