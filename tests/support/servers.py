"""A real server on a port of its own, for tests that speak through real sockets."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from time import monotonic, sleep

from api.app import create_app
from api.server import server_of
from nodes.sandbox.sandbox import Sandbox

START_SECONDS_MAX = 30


@contextmanager
def served(sandbox: Sandbox) -> Iterator[str]:
    """The host and port where a sandbox is served."""
    server = server_of(create_app(sandbox), "127.0.0.1", 0)
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
