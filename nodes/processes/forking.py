"""``python -m nodes.processes.forking MODULE:FUNCTION...``: what nodes are forked from.

It has imported once what each of them would, and then does three things only, as asked by a socket
in the place of its standard input: it forks a child, says whether one has ended, and signals one.
It is the parent of all of them, so no signal can reach another process of the same number. It has
one thread, opens nothing, and ends when the socket does.
"""

import gc
import os
import socket
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Final, Literal

import msgspec

LINE_BYTES_MAX: Final = 64 * 1024
DESCRIPTORS_MAX: Final = 8


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked for. With ``start`` come descriptors: standard input, output, and what to keep.

    Attributes:
        words: MODULE:FUNCTION, which has to be one that was imported, and its arguments.
    """

    act: Literal["start", "poll", "signal"]
    words: tuple[str, ...] = ()
    pid: int = 0
    number: int = 0


class Told(msgspec.Struct, frozen=True):
    """How the child is. ``status`` is that of its end, negative for a signal; None: it runs."""

    pid: int
    status: int | None = None


def main() -> None:
    """Serves its socket; in a child, does what the child is for."""
    entries = {name: _function(name) for name in sys.argv[1:]}
    # What is there now is never looked through again, by nobody: its pages stay shared.
    gc.freeze()
    line = socket.socket(fileno=os.dup(0))
    words = _Forking(line).serve()
    if words is not None:
        sys.argv = list(words)
        sys.exit(entries[words[0]]())


class _Forking:
    """One end of the socket."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._status_by_pid: dict[int, int | None] = {}

    def serve(self) -> Sequence[str] | None:
        """Until the socket ends: None. It returns in every child as well: with its words."""
        while True:
            content, descriptors = _received(self._line)
            if not content:
                return None
            asked = msgspec.json.decode(content, type=Asked)
            if asked.act == "start":
                pid = os.fork()
                if not pid:
                    self._become(descriptors)
                    return asked.words
                self._status_by_pid[pid] = None
                for each in descriptors:
                    os.close(each)
                told = Told(pid)
            else:
                told = self._told(asked)
            self._line.sendall(msgspec.json.encode(told) + b"\n")

    def _become(self, descriptors: Sequence[int]) -> None:
        """A child of its own: what a terminal sends to its parents does not reach it."""
        self._line.close()
        os.setpgid(0, 0)
        for number, each in enumerate(descriptors[:2]):
            os.dup2(each, number)
            os.close(each)

    def _told(self, asked: Asked) -> Told:
        status = self._status_by_pid[asked.pid]
        if status is None:
            ended, code = os.waitpid(asked.pid, os.WNOHANG)
            if ended:
                status = self._status_by_pid[asked.pid] = os.waitstatus_to_exitcode(code)
            elif asked.act == "signal":
                os.kill(asked.pid, asked.number)
        return Told(asked.pid, status)


def _received(line: socket.socket) -> tuple[bytes, list[int]]:
    """A line, and the descriptors that came with it; nothing at the end."""
    content, descriptors, _, _ = socket.recv_fds(line, LINE_BYTES_MAX, DESCRIPTORS_MAX)
    while content and not content.endswith(b"\n"):
        more = line.recv(LINE_BYTES_MAX)
        if not more:
            return b"", descriptors
        content += more
    return content, descriptors


def _function(name: str) -> Callable[[], int | None]:
    module, _, function = name.partition(":")
    found: Callable[[], int | None] = getattr(import_module(module), function)
    return found


if __name__ == "__main__":
    main()
