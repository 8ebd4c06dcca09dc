"""The line between a node's process and its supervisor: ready, and the end when it is gone."""

import os
import sys
from collections.abc import Callable
from threading import Thread, Timer
from typing import Final

import msgspec

from nodes.processes.supervisor import Ready

END_SECONDS_MAX: Final = 20.0


def say_ready(port: int, words: str = "", contracts: dict[str, str] | None = None) -> None:
    """Tells the supervisor that this process serves; nothing more is said on standard output."""
    sys.stdout.write(msgspec.json.encode(Ready(port, words, contracts or {})).decode() + "\n")
    sys.stdout.flush()
    # The supervisor listens no more: what is said from now on is for people.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


def end_with_supervisor(end: Callable[[], object]) -> None:
    """Has this process end when its standard input does: nobody is there any more to end it."""

    def wait() -> None:
        # Not through the buffer of sys.stdin, which the end of this process wants for itself.
        while os.read(sys.stdin.fileno(), 1):
            pass
        end()
        timer = Timer(END_SECONDS_MAX, os._exit, [1])
        timer.daemon = True
        timer.start()

    Thread(target=wait, name="lifeline", daemon=True).start()
