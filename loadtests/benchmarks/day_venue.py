"""The venue of a market day, as a process of its own: it makes the trades and sends them in.

    python -m loadtests.benchmarks.day_venue '{"trades": 1000000, ...}'

It sets itself up, says that it is ready and waits for the word to begin. Then it either writes each
batch to its standard output as an Arrow stream behind its length, or posts batches of JSON to a
server and waits for each answer. It is never far ahead of who reads: a pipe or a short queue is
between them. Its last word is how long it was busy itself.
"""

import fcntl
import http.client
import json
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from queue import Queue
from threading import Thread
from time import perf_counter
from typing import IO, Final

import msgspec

from ledger.domain.participants import Role
from loadtests.benchmarks.day_forms import ArrowForm, JsonForm
from loadtests.benchmarks.day_market import Market
from nodes.api_keys import seeded_secret
from nodes.process_memory import reuse_freed_memory

READY: Final = b"ready\n"
JSON_BATCH_TRADES: Final = 5_000
PIPE_BYTES: Final = 1 << 20
CONNECTIONS: Final = 2
BODIES_AHEAD_MAX: Final = 4
ANSWER_SECONDS_MAX: Final = 120
_LENGTH: Final = struct.Struct("<I")


class VenueError(Exception):
    """The venue did not send its day to the end; the message says why."""


class Task(msgspec.Struct, frozen=True):
    """What a venue is to do; without a port it writes Arrow streams."""

    trades: int
    participants: int
    instruments: int
    seed: int
    port: int | None = None


class Venue:
    """The process, seen from the outside."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._commands: IO[bytes] = process.stdin
        self._words: IO[bytes] = process.stdout
        self.busy_seconds = 0.0

    def begin(self) -> None:
        """Has it begin."""
        self._commands.write(b"begin\n")
        self._commands.close()

    def stop(self) -> None:
        """Ends it where it stands: whoever reads from it finds that it ended too early."""
        self._process.kill()

    def bodies(self) -> Iterator[bytes]:
        """The Arrow streams, as they come. Raises VenueError when it stops too early."""
        while length := _LENGTH.unpack(self._read(_LENGTH.size))[0]:
            yield self._read(length)
        self.finish()

    def finish(self) -> None:
        """Waits for its last word. Raises VenueError when it has none."""
        try:
            self.busy_seconds = float(self._words.readline())
        except ValueError:
            status = self._process.wait()
            raise VenueError(f"the venue ended too early, with status {status}") from None

    def _read(self, count: int) -> bytes:
        data = self._words.read(count)
        if len(data) < count:
            raise VenueError(f"the venue ended too early, with status {self._process.wait()}")
        return data


@contextmanager
def open_venue(market: Market, port: int | None = None) -> Iterator[Venue]:
    """A venue that is ready to begin; ended with the block. Raises VenueError."""
    task = Task(
        trades=market.trades,
        participants=market.participants,
        instruments=market.instruments,
        seed=market.seed,
        port=port,
    )
    text = msgspec.json.encode(task).decode()
    command = [sys.executable, "-m", __spec__.name, text]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe)  # noqa: S603 # our own command
    with process:
        try:
            assert process.stdout is not None
            fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
            if process.stdout.readline() != READY:
                raise VenueError(f"the venue did not start: status {process.wait()}")
            yield Venue(process)
        finally:
            process.kill()


def main() -> None:
    """Does one task."""
    reuse_freed_memory()
    task = msgspec.json.decode(sys.argv[1], type=Task)
    market = Market(task.trades, task.participants, task.instruments, task.seed)
    out = sys.stdout.buffer
    if task.port:
        send = partial(_post_all, market, JsonForm(market), task.port)
    else:
        send = partial(_write_all, market, ArrowForm(market))
    out.write(READY)
    out.flush()
    sys.stdin.buffer.readline()
    busy = send()
    out.write(f"{busy:.6f}\n".encode())
    out.flush()


def _write_all(market: Market, form: ArrowForm) -> float:
    """Writes the day to the standard output; returns how long making it took."""
    out, busy = sys.stdout.buffer, 0.0
    began = perf_counter()
    for trades in market.batches():
        body = form.encode(trades)
        busy += perf_counter() - began
        out.write(_LENGTH.pack(len(body)))
        out.write(body)
        out.flush()
        began = perf_counter()
    out.write(_LENGTH.pack(0))
    return busy


def _post_all(market: Market, form: JsonForm, port: int) -> float:
    """Posts the day; returns how long making it took. Raises VenueError."""
    busy = 0.0
    bodies: Queue[bytes] = Queue(BODIES_AHEAD_MAX)
    wrong: list[str] = []
    key = _key_of(market)
    posters = [Thread(target=_post, args=(bodies, port, key, wrong)) for _ in range(CONNECTIONS)]
    for poster in posters:
        poster.start()
    began = perf_counter()
    parts = (part for made in market.batches() for part in made.parts(JSON_BATCH_TRADES))
    for trades in parts:
        body = form.encode(trades)
        busy += perf_counter() - began
        bodies.put(body)
        began = perf_counter()
        if wrong:
            break
    for _ in posters:
        bodies.put(b"")
    for poster in posters:
        poster.join()
    if wrong:
        raise VenueError(wrong[0])
    return busy


def _key_of(market: Market) -> str:
    """The key of the exchange of a market, which captures trades."""
    network = market.network
    return seeded_secret(network.seed, network.sole(Role.EXCHANGE))


def _post(bodies: "Queue[bytes]", port: int, key: str, wrong: list[str]) -> None:
    """Posts bodies on one connection until an empty one comes; what is wrong is noted."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS_MAX)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    while body := bodies.get():
        if wrong:
            continue
        try:
            connection.request("POST", "/v1/trades:batch", body, headers)
            answer = connection.getresponse()
            text = answer.read()
        except OSError as error:
            wrong.append(f"the server does not answer: {error}")
            continue
        if answer.status != http.HTTPStatus.CREATED:
            wrong.append(f"a batch was answered {answer.status}: {json.loads(text)}")
    connection.close()


if __name__ == "__main__":
    main()
