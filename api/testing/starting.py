"""Starts networks: one process for the session, which forks one a test (``api.testing.server``)."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Final, NamedTuple

from api.testing.network import Network

CYCLE_SECONDS: Final = 0.05
"""After how long a cycle is struck; for a sandbox that people look at it is ten times that."""
START_SECONDS_MAX: Final = 60.0
LINE_BYTES_MAX: Final = 64 * 1024
MEMORY: Final = Path("/dev/shm")  # noqa: S108 # in a folder of its own, which nobody else can enter
MEMORY_BYTES_MIN: Final = 512 * 1024 * 1024
ANY_PORT: Final = ("127.0.0.1", 0)


class Terms(NamedTuple):
    """What a market is founded with.

    Attributes:
        rules: NAME=VALUE over the rules of a market day, as ``novate up --rule`` takes them.
        cycle_seconds: a cycle is struck when trades have waited so long; 0: not by time.
    """

    rules: tuple[str, ...] = ()
    cycle_seconds: float = CYCLE_SECONDS


class StartError(Exception):
    """No network could be started; says why."""


class Networks:
    """Gives networks of its own to whoever asks. Nothing is started before the first."""

    def __init__(self, python: str = sys.executable) -> None:
        """``python`` is the interpreter of the environment that Novate is installed in."""
        self._python = python
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._markets: dict[Terms, _Market] = {}
        self._count = 0

    @contextmanager
    def network(
        self, rules: Sequence[str] = (), cycle_seconds: float = CYCLE_SECONDS
    ) -> Iterator[Network]:
        """A network as it was founded under some rules; it is gone at the end of the block."""
        market = self._market(Terms(tuple(rules), cycle_seconds))
        begun = time.perf_counter()
        started = market.take()
        try:
            network = started.network()
            network.setup_seconds = time.perf_counter() - begun
            market.prepare()
            yield network
        finally:
            started.end()

    def close(self) -> None:
        """Ends what was started."""
        for market in self._markets.values():
            market.close()
        if self._line is not None and self._process is not None:
            self._line.close()
            try:
                self._process.wait(START_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _market(self, terms: Terms) -> "_Market":
        """The market of these terms, founded when it is asked for the first time."""
        if terms not in self._markets:
            self._markets[terms] = self._found(terms)
        return self._markets[terms]

    def _found(self, terms: Terms) -> "_Market":
        parent, line = self._started()
        folder = parent / f"founded-{len(self._markets) + 1}"
        folder.mkdir()
        own, theirs = socket.socketpair()
        own.settimeout(START_SECONDS_MAX)
        with theirs:
            _send(line, {"folder": str(folder), **terms._asdict()}, [theirs.fileno()])
        try:
            answer = json.loads(_receive(own) or "{}")
        except TimeoutError:
            answer = {"error": f"no market was founded within {START_SECONDS_MAX:g} s"}
        if "key" not in answer:
            own.close()
            log = _read(parent / "log")
            raise StartError(answer.get("error") or f"Novate did not start:\n{log}")
        return _Market(folder, own, answer["key"])

    def _started(self) -> tuple[Path, socket.socket]:
        """The process of the session, which has imported everything once."""
        if self._folder is None or self._line is None:
            self._folder = Path(tempfile.mkdtemp(prefix="novate-tests-", dir=_place()))
            self._line, theirs = socket.socketpair()
            with theirs, (self._folder / "log").open("wb") as log:
                self._process = subprocess.Popen(  # noqa: S603 # the interpreter that was named
                    [self._python, "-m", "api.testing.server", str(self._folder)],
                    stdin=theirs.fileno(),
                    stdout=log,
                    stderr=log,
                    # Packages of the project that is tested may have the names of Novate's.
                    cwd=self._folder,
                    env=_environment(),
                    process_group=0,
                )
        return self._folder, self._line


class _Market:
    """A founded market. The next network of it begins while the last one is used."""

    def __init__(self, folder: Path, line: socket.socket, key: str) -> None:
        """``line`` is where networks are asked for, ``key`` that of the operator."""
        self._folder = folder
        self._line = line
        self._key = key
        self._next: _Started | None = None
        self._count = 0

    def take(self) -> "_Started":
        """A network that nobody has used; whoever takes it ends it."""
        taken, self._next = self._next or self._start(), None
        return taken

    def prepare(self) -> None:
        """Has the next one begin."""
        self._next = self._next or self._start()

    def close(self) -> None:
        """Starts no more."""
        if self._next is not None:
            self._next.end()
        self._line.close()

    def _start(self) -> "_Started":
        self._count += 1
        folder = self._folder / f"network-{self._count}"
        folder.mkdir()
        lifeline, own = os.pipe()
        with socket.create_server(ANY_PORT) as listener:
            host, port = listener.getsockname()[:2]
            try:
                _send(self._line, {"folder": str(folder)}, [listener.fileno(), lifeline])
            finally:
                os.close(lifeline)
        return _Started(f"http://{host}:{port}", self._key, folder / "log", own)


class _Started(NamedTuple):
    """A network that has been asked for. It ends when its lifeline, a pipe, is closed."""

    url: str
    key: str
    log: Path
    lifeline: int

    def network(self) -> Network:
        """The network, once it answers. Raises StartError."""
        try:
            return Network(self.url, self.key, self.log)
        except (OSError, HTTPException) as error:
            raise StartError(f"no network ({error!r}):\n{_read(self.log)}") from error

    def end(self) -> None:
        """It is gone, however this process ends."""
        os.close(self.lifeline)


def _environment() -> dict[str, str]:
    """One thread is all that may be there when it forks; paths are seen from another folder."""
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    absolute = os.pathsep.join(os.path.abspath(each) for each in paths if each)  # noqa: PTH100 # as text
    return {**os.environ, "PYTHONPATH": absolute, "OPENBLAS_NUM_THREADS": "1"}


def _place() -> Path | None:
    """Where networks lie: in memory when there is room, else where temporary files are."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK):
        room = os.statvfs(MEMORY)
        if room.f_bavail * room.f_frsize >= MEMORY_BYTES_MIN:
            return MEMORY
    return None


def _send(line: socket.socket, asked: object, descriptors: Sequence[int]) -> None:
    try:
        socket.send_fds(line, [json.dumps(asked).encode() + b"\n"], list(descriptors))
    except OSError as error:
        raise StartError(f"the process that starts networks has ended ({error})") from error


def _receive(line: socket.socket) -> str:
    """A line, or what there is of it when the socket ends."""
    received = b""
    while not received.endswith(b"\n"):
        more = line.recv(LINE_BYTES_MAX)
        if not more:
            break
        received += more
    return received.decode()


def _read(log: Path) -> str:
    return log.read_text(errors="replace") if log.exists() else ""
