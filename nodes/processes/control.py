"""The way in to the supervisor: a socket in the state folder that only its owner may use.

A line of JSON each way: ``{"act": "kill", "node": "BRK-A"}`` is answered with how everybody stands,
or with why not.
"""

import os
import socket
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Final, Literal

import msgspec

from nodes.processes.supervisor import ProcessError, Processes
from nodes.wire.directory import Place

FILE: Final = "control.sock"
LINE_BYTES_MAX: Final = 1024 * 1024
ANSWER_SECONDS_MAX: Final = 180.0

Act = Literal["states", "start", "kill", "restart", "pause", "resume"]


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked for."""

    act: Act
    node: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """How everybody stands, or why it was not done."""

    nodes: dict[str, Place] = {}
    error: str = ""


class ControlServer:
    """Takes orders for some processes, one at a time."""

    def __init__(self, state: Path, processes: Processes) -> None:
        self._processes = processes
        self._file = state / FILE
        self._file.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX)
        before = os.umask(0o177)
        try:
            self._socket.bind(str(self._file))
        finally:
            os.umask(before)
        self._socket.listen()
        self._thread = Thread(target=self._serve, name="control", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Takes no more."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._file.unlink(missing_ok=True)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.settimeout(ANSWER_SECONDS_MAX)
                connection.sendall(msgspec.json.encode(self._done(_line(connection))) + b"\n")

    def _done(self, line: bytes) -> Outcome:
        try:
            order = msgspec.json.decode(line, type=Order)
            if order.act != "states":
                getattr(self._processes, order.act)(order.node)
            return Outcome(nodes=self._processes.states())
        except (msgspec.MsgspecError, ProcessError, OSError) as error:
            return Outcome(error=str(error))


class ProcessControl:
    """The supervisor of a state folder, from another process: what ``Processes`` has."""

    def __init__(self, state: Path) -> None:
        self._file = state / FILE

    def states(self) -> dict[str, Place]:
        """Where everybody is, and how it stands. Raises ProcessError."""
        return self._order(Order("states"))

    def start(self, id: str) -> None:
        """Starts a node that was ended. Raises ProcessError."""
        self._order(Order("start", id))

    def kill(self, id: str) -> None:
        """Ends a node at once; it stays away until it is started. Raises ProcessError."""
        self._order(Order("kill", id))

    def restart(self, id: str) -> None:
        """Ends a node in order, if it runs, and starts it again. Raises ProcessError."""
        self._order(Order("restart", id))

    def pause(self, id: str) -> None:
        """Lets a node stand still. Raises ProcessError."""
        self._order(Order("pause", id))

    def resume(self, id: str) -> None:
        """Lets a node go on that was paused. Raises ProcessError."""
        self._order(Order("resume", id))

    def _order(self, order: Order) -> dict[str, Place]:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(ANSWER_SECONDS_MAX)
                connection.connect(str(self._file))
                connection.sendall(msgspec.json.encode(order) + b"\n")
                outcome = msgspec.json.decode(_line(connection), type=Outcome)
        except (OSError, msgspec.MsgspecError) as error:
            raise ProcessError(f"nobody takes orders at {self._file}: {error}") from error
        if outcome.error:
            raise ProcessError(outcome.error)
        return outcome.nodes


def _line(connection: socket.socket) -> bytes:
    with connection.makefile("rb") as stream:
        return stream.readline(LINE_BYTES_MAX)
