"""Children of this process, forked from one that has imported already what they need."""

import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from subprocess import DEVNULL, Popen, TimeoutExpired
from threading import Lock
from types import TracebackType
from typing import Final, Self

import msgspec

from nodes.clock import NS, Clock, WallClock, pause
from nodes.processes.forking import LINE_BYTES_MAX, Asked, Told

POLL_SECONDS: Final = 0.01
END_SECONDS_MAX: Final = 5.0


class Child:
    """A process that was started: as ``subprocess.Popen`` has it.

    Attributes:
        stdin: it ends when this is closed.
        stdout: what it says until it is ready.
        returncode: None while it runs.
    """

    def __init__(self, parent: "_Parent", pid: int, stdin: int, stdout: int) -> None:
        self.pid = pid
        self.stdin = os.fdopen(stdin, "wb")
        self.stdout = os.fdopen(stdout, "rb")
        self.returncode: int | None = None
        self._parent = parent
        self._clock: Clock = WallClock()

    def poll(self) -> int | None:
        """How it has ended; None while it runs."""
        return self._ask(Asked("poll", pid=self.pid))

    def send_signal(self, number: signal.Signals) -> None:
        """Signals it, unless it has ended."""
        self._ask(Asked("signal", pid=self.pid, number=number))

    def wait(self, seconds: float) -> int:
        """How it has ended. Raises TimeoutExpired."""
        until_ns = self._clock.stopwatch_ns() + int(seconds * NS)
        while (status := self.poll()) is None:
            if self._clock.stopwatch_ns() > until_ns:
                raise TimeoutExpired([str(self.pid)], seconds)
            pause(POLL_SECONDS)
        return status

    def _ask(self, asked: Asked) -> int | None:
        if self.returncode is None:
            try:
                self.returncode = self._parent.ask(asked).status
            except OSError:
                # Its parent was killed. Nobody could tell any more how it fares: it ends too.
                self.stdin.close()
                with suppress(ProcessLookupError):
                    os.kill(self.pid, signal.SIGKILL)
                self.returncode = -signal.SIGKILL
        return self.returncode


class Children:
    """Starts children. ``entries`` are what they do: MODULE:FUNCTION each."""

    def __init__(self, entries: Sequence[str]) -> None:
        """The imports begin now; nobody waits for them before the first child."""
        self._entries = entries
        self._lock = Lock()
        self._parent = _Parent(entries)

    def __enter__(self) -> Self:
        """These."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Starts no more."""
        self._parent.close()

    def start(self, words: Sequence[str], inherited: Sequence[int]) -> Child:
        """Starts one: its entry and arguments, and descriptors that it keeps. Raises OSError."""
        its_input, stdin = os.pipe()
        stdout, its_output = os.pipe()
        try:
            given = (its_input, its_output, *inherited)
            parent, told = self._started(Asked("start", tuple(words)), given)
        except OSError:
            os.close(stdin)
            os.close(stdout)
            raise
        finally:
            os.close(its_input)
            os.close(its_output)
        return Child(parent, told.pid, stdin, stdout)

    def _started(self, asked: Asked, given: Sequence[int]) -> "tuple[_Parent, Told]":
        """Of the parent, or of another one after it when it is gone."""
        with self._lock:
            try:
                return self._parent, self._parent.ask(asked, given)
            except OSError:
                self._parent.close()
                self._parent = _Parent(self._entries)
                return self._parent, self._parent.ask(asked, given)


class _Parent:
    """The process that forks them, and how it is asked."""

    def __init__(self, entries: Sequence[str]) -> None:
        self._lock = Lock()
        self._line, theirs = socket.socketpair()
        with theirs:
            self._process = Popen(  # noqa: S603 # our own command
                [sys.executable, "-m", "nodes.processes.forking", *entries],
                stdin=theirs.fileno(),
                stdout=DEVNULL,
                # One thread is all that may be there when it forks.
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
                process_group=0,
            )

    def ask(self, asked: Asked, descriptors: Sequence[int] = ()) -> Told:
        """Raises OSError when it is gone."""
        with self._lock:
            content = msgspec.json.encode(asked) + b"\n"
            if descriptors:
                socket.send_fds(self._line, [content], list(descriptors))
            else:
                self._line.sendall(content)
            answer = b""
            while not answer.endswith(b"\n"):
                more = self._line.recv(LINE_BYTES_MAX)
                if not more:
                    raise OSError("the process that starts others has ended")
                answer += more
            return msgspec.json.decode(answer, type=Told)

    def close(self) -> None:
        """It ends."""
        self._line.close()
        try:
            self._process.wait(END_SECONDS_MAX)
        except TimeoutExpired:
            self._process.kill()
            self._process.wait()
