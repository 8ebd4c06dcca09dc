"""The port of a node, of this machine alone: envelopes, whether it lives, and the chain it has."""

from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from threading import BoundedSemaphore, Thread
from typing import Any, Final

from nodes.wire.directory import LOCAL

BODY_BYTES_MAX: Final = 256 * 1024 * 1024
IDLE_SECONDS_MAX: Final = 300
CONNECTIONS_MAX: Final = 128

Answered = tuple[HTTPStatus, bytes]
Route = Callable[[bytes], Answered]


class Listener:
    """Answers posts at some paths, each from a thread of its connection."""

    def __init__(self, port: int = 0) -> None:
        """Listens from now on. Raises OSError when the port is taken."""
        self._server = _Server((LOCAL, port), _Requests)
        self.port: int = self._server.server_address[1]
        self._thread = Thread(target=self._server.serve_forever, name="listener", daemon=True)
        self._thread.start()

    def route(self, path: str, answer: Route) -> None:
        """From now on posts to a path are answered so."""
        self._server.routes[path] = answer

    def close(self) -> None:
        """Listens no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = CONNECTIONS_MAX

    def __init__(self, address: tuple[str, int], requests: type[BaseHTTPRequestHandler]) -> None:
        self.routes: dict[str, Route] = {}
        self._connections = BoundedSemaphore(CONNECTIONS_MAX)
        super().__init__(address, requests)

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ANN401, ARG002 # the library's signature
        """More than can be served are closed at once."""
        return self._connections.acquire(blocking=False)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 # as above
        """Serves one connection to its end."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._connections.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 # as above
        """A connection that breaks is its client's matter."""


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "novate", ""
    timeout = IDLE_SECONDS_MAX
    # An answer in two small packets would wait for the other side's acknowledgement between them.
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server
    connection: socket

    def do_GET(self) -> None:
        """Whether it lives."""
        self._send(*((HTTPStatus.OK, b"alive") if self.path == "/livez" else _NOT_FOUND))

    def do_POST(self) -> None:
        """What the route of the path answers."""
        route = self.server.routes.get(self.path)
        size = self.headers.get("content-length", "")
        is_number = size.isascii() and size.isdecimal() and len(size) < 20
        if not is_number or int(size) > BODY_BYTES_MAX:
            self.close_connection = True
            self._send(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b"")
            return
        body = self.rfile.read(int(size))
        self._send(*(route(body) if route and len(body) == int(size) else _NOT_READY))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # the library's name
        """Nothing is logged of each request."""

    def _send(self, status: HTTPStatus, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


_NOT_FOUND: Final[Answered] = (HTTPStatus.NOT_FOUND, b"")
_NOT_READY: Final[Answered] = (HTTPStatus.SERVICE_UNAVAILABLE, b"")
