"""A real server on a port of its own, for tests that speak through real sockets."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from time import monotonic, sleep

import uvicorn
from fastapi import FastAPI

from api.access.access import DEFAULT_RATES, RateOptions
from api.app import create_app
from api.server import server_of
from nodes.sandbox.sandbox import Sandbox
from nodes.webhooks.addresses import PUBLIC_ONLY, AddressRules

START_SECONDS_MAX = 30


@dataclass(frozen=True)
class Served:
    """An application and the host and port where it is served."""

    app: FastAPI
    place: str


@contextmanager
def served(
    sandbox: Sandbox,
    rates: RateOptions = DEFAULT_RATES,
    webhook_rules: AddressRules = PUBLIC_ONLY,
) -> Iterator[Served]:
    """A sandbox, served until the end of the block."""
    app = create_app(sandbox, rates, webhook_rules)
    with run(server_of(app, "127.0.0.1", 0)) as place:
        yield Served(app, place)


@contextmanager
def run(server: uvicorn.Server) -> Iterator[str]:
    """Runs a server until the end of the block; gives its host and port."""
    thread = Thread(target=server.run, name="server", daemon=True)
    thread.start()
    deadline = monotonic() + START_SECONDS_MAX
    while not server.started:
        assert thread.is_alive(), "the server has ended"
        assert monotonic() < deadline, "the server did not start"
        sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
