"""Bytes to a port of this machine and back: connections that are kept, patience that is bounded.

A process that has ended refuses at once. One that stands still (stopped, or stuck) is found out by
asking whether it lives while its answer is waited for; one that lives may take its time.
"""

import select
from collections import defaultdict
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from threading import Lock
from typing import Final

from nodes.bus import UnreachableError
from nodes.clock import NS, Clock, pause
from nodes.wire.directory import LOCAL

CONNECT_SECONDS_MAX: Final = 5.0
PROBE_SECONDS_MAX: Final = 2.0
QUICK_PROBE_SECONDS_MAX: Final = 0.5
PROBES: Final = 2
LOOK_SECONDS: Final = 1.0
ANSWER_SECONDS_MAX: Final = 120.0
PAUSES_SECONDS: Final = (0.05, 0.2)
"""Between the attempts to send something whose connection was refused or broke."""
SILENCE_SECONDS: Final = 1.0
"""For so long somebody who was silent is not asked again."""


class Post:
    """Posts to the ports of other nodes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._idle: dict[int, list[HTTPConnection]] = defaultdict(list)
        self._silent: dict[int, int] = {}

    def send(self, port: int, path: str, content: bytes) -> tuple[int, bytes]:
        """Status and body of the answer. Raises UnreachableError.

        What was sent may arrive twice: the recipient has to know it again.
        """
        if port in self._silent and not self._lives_again(port):
            raise UnreachableError(f"port {port} is silent")
        for wait in (*PAUSES_SECONDS, None):
            try:
                return self._send_once(port, path, content)
            except TimeoutError as error:
                self._silent[port] = self._clock.stopwatch_ns()
                raise UnreachableError(f"port {port} is silent") from error
            except (OSError, HTTPException) as error:
                if wait is None:
                    raise UnreachableError(f"port {port} does not answer: {error}") from error
                self._forget(port)
                pause(wait)
        raise AssertionError

    def close(self) -> None:
        """Closes what is kept."""
        for port in list(self._idle):
            self._forget(port)

    def _send_once(self, port: int, path: str, content: bytes) -> tuple[int, bytes]:
        with self._lock:
            kept = self._idle[port]
            connection = kept.pop() if kept else None
        if connection is None:
            connection = HTTPConnection(LOCAL, port, timeout=CONNECT_SECONDS_MAX)
        try:
            connection.request("POST", path, content)
            self._wait(connection, port)
            response = connection.getresponse()
            answer = response.status, response.read()
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            with self._lock:
                self._idle[port].append(connection)
        return answer

    def _wait(self, connection: HTTPConnection, port: int) -> None:
        """Until the answer begins. Raises TimeoutError when nobody lives there any more."""
        began = self._clock.stopwatch_ns()
        # Not select itself, which takes no descriptor above 1,023.
        poll = select.poll()
        poll.register(connection.sock, select.POLLIN)
        while not poll.poll(LOOK_SECONDS * 1_000):
            waited = (self._clock.stopwatch_ns() - began) / NS
            if waited > ANSWER_SECONDS_MAX:
                raise TimeoutError
            if not any(_lives(port, PROBE_SECONDS_MAX) for _ in range(PROBES)):
                raise TimeoutError

    def _lives_again(self, port: int) -> bool:
        """Whether somebody who was silent a moment ago answers now; asked once in a while."""
        now = self._clock.stopwatch_ns()
        if now - self._silent.get(port, 0) < SILENCE_SECONDS * NS:
            return False
        if _lives(port, QUICK_PROBE_SECONDS_MAX):
            self._silent.pop(port, None)
            return True
        self._silent[port] = self._clock.stopwatch_ns()
        return False

    def _forget(self, port: int) -> None:
        with self._lock:
            for connection in self._idle.pop(port, []):
                connection.close()


def _lives(port: int, seconds: float) -> bool:
    """Whether the process at a port answers at all."""
    connection = HTTPConnection(LOCAL, port, timeout=seconds)
    with suppress(OSError, HTTPException):
        try:
            connection.request("GET", "/livez")
            return connection.getresponse().status == 200
        finally:
            connection.close()
    return False
