"""Starts the nodes of a state folder as processes, watches them, and ends them in order.

A node that dies by itself is started again, after a while that doubles each time. One that was
ended on purpose stays away until it is started. Only processes that were started here are touched,
and all of them end when this one does: their standard input closes.
"""

import select
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import TimeoutExpired
from threading import Event, RLock, Thread
from typing import Final

import msgspec

from ledger.logs import logger_of
from nodes.clock import NS, Clock, WallClock
from nodes.processes.children import Child, Children
from nodes.wire.directory import Directory, Listing, Place

START_SECONDS_MAX: Final = 120.0
STOP_SECONDS_MAX: Final = 30.0
WATCH_SECONDS: Final = 0.2
FIRST_PAUSE_SECONDS: Final = 1.0
PAUSE_SECONDS_MAX: Final = 30.0
STEADY_SECONDS: Final = 60.0
"""Who has run so long has recovered: the next pause is the first again."""

RUNNING, PAUSED, ENDED, RESTARTING = "running", "paused", "ended", "restarting"

Command = Callable[[str, int], Sequence[str]]
"""What the process of a node does, on a port (0: any free one): MODULE:FUNCTION, arguments."""

log = logger_of(__name__)


class Ready(msgspec.Struct):
    """What a process says on its standard output once it serves.

    Attributes:
        words: for people.
        contracts: addresses by name, of the one that has the chain.
    """

    port: int
    words: str = ""
    contracts: dict[str, str] = {}


class ProcessError(Exception):
    """A process is not there, or could not be started."""


@dataclass(slots=True)
class _Kept:
    """The process of one node, and how it has fared."""

    id: str
    process: Child | None = None
    port: int = 0
    state: str = ENDED
    started_ns: int = 0
    pause_seconds: float = FIRST_PAUSE_SECONDS
    start_again_ns: int = 0


class Processes:
    """The processes of a state folder. ``first`` is the node that has the chain of the others."""

    def __init__(
        self,
        state: Path,
        ids: Sequence[str],
        first: str,
        children: Children,
        command: Command,
        say: Callable[[str], None],
        inherited: Sequence[int] = (),
    ) -> None:
        """``inherited`` are descriptors that all of them keep open: the folder's lock.

        ``say`` is told what they say to people.
        """
        self._directory = Directory(state)
        self._forked = children
        self._command = command
        self._contracts: dict[str, str] = {}
        self._say = say
        self._inherited = tuple(inherited)
        self._clock: Clock = WallClock()
        self._lock = RLock()
        self._first = first
        self._children = {id: _Kept(id) for id in sorted(ids, key=lambda id: id != first)}
        self._stopping = Event()
        self._watcher = Thread(target=self._watch, name="watcher", daemon=True)

    def start_all(self) -> None:
        """Starts everybody, the first one first; they are watched from then on.

        Raises ProcessError when one of them does not come up.
        """
        first, *others = self._children.values()
        self._launch(first)
        self._await(first)
        for each in others:
            self._launch(each)
        for each in others:
            self._await(each)
        self._watcher.start()

    def states(self) -> dict[str, Place]:
        """Where everybody is, and how it stands."""
        with self._lock:
            return self._listing().nodes

    def start(self, id: str) -> None:
        """Starts a node that was ended. Raises ProcessError when it runs, or does not come up."""
        with self._lock:
            child = self._child(id)
            if child.state in (RUNNING, PAUSED):
                raise ProcessError(f"{id} is {child.state}")
            self._require_chain(child)
            self._launch(child)
            self._await(child)

    def kill(self, id: str) -> None:
        """Ends a node at once, as a crash does; it stays away until it is started."""
        with self._lock:
            child = self._running(id)
            self._end(child, signal.SIGKILL)

    def restart(self, id: str) -> None:
        """Ends a node in order, if it runs, and starts it again. Raises ProcessError."""
        with self._lock:
            child = self._child(id)
            self._require_chain(child)
            if child.process is not None:
                self._end(child, signal.SIGTERM)
            self.start(id)

    def pause(self, id: str) -> None:
        """Lets a node stand still: it is there and answers nothing."""
        with self._lock:
            child = self._running(id)
            self._signal(child, signal.SIGSTOP)
            self._stand(child, PAUSED)

    def resume(self, id: str) -> None:
        """Lets a node go on that was paused."""
        with self._lock:
            child = self._child(id)
            if child.state != PAUSED:
                raise ProcessError(f"{id} is {child.state}, not paused")
            self._signal(child, signal.SIGCONT)
            self._stand(child, RUNNING)

    def stop_all(self) -> None:
        """Ends everybody in order: the one that has the chain last."""
        self._stopping.set()
        if self._watcher.is_alive():
            self._watcher.join()
        with self._lock:
            *others, first = reversed(self._children.values())
            for each in others:
                self._ask_to_end(each)
            for each in others:
                # It was asked already: a second signal would end it at once.
                self._end(each, None)
            self._end(first, signal.SIGTERM)
            self._directory.clear()

    def _child(self, id: str) -> _Kept:
        if id not in self._children:
            raise ProcessError(f"there is no node {id}")
        return self._children[id]

    def _running(self, id: str) -> _Kept:
        child = self._child(id)
        if child.process is None:
            raise ProcessError(f"{id} is {child.state}")
        return child

    def _require_chain(self, child: _Kept) -> None:
        """Raises ProcessError while there is nobody whose chain a process could follow."""
        first = self._children[self._first]
        if child is not first and first.state != RUNNING:
            raise ProcessError(f"{first.id} has the chain and is {first.state}: start it first")

    def _launch(self, child: _Kept) -> None:
        """Begins a process; on the port that it had, so that others find it where it was."""
        words = self._command(child.id, child.port)
        try:
            child.process = self._forked.start(words, self._inherited)
        except OSError as error:
            raise ProcessError(f"{child.id} could not be started: {error}") from error
        child.started_ns = self._clock.stopwatch_ns()
        self._stand(child, RESTARTING)

    def _await(self, child: _Kept) -> None:
        """Until it serves. Raises ProcessError, and has ended it, when it does not."""
        process = child.process
        assert process is not None
        has_said, _, _ = select.select([process.stdout], [], [], START_SECONDS_MAX)
        line = process.stdout.readline() if has_said else b""
        process.stdout.close()
        try:
            ready = msgspec.json.decode(line, type=Ready)
        except msgspec.MsgspecError:
            self._end(child, signal.SIGKILL)
            raise ProcessError(
                f"{child.id} did not come up: see what it says where novate up runs"
            ) from None
        child.port = ready.port
        log.info("process.started", node=child.id, pid=process.pid, port=child.port)
        self._contracts = ready.contracts or self._contracts
        self._stand(child, RUNNING)
        if ready.words:
            self._say(ready.words)

    def _end(self, child: _Kept, how: signal.Signals | None) -> None:
        process, child.process = child.process, None
        if process is not None:
            if how is not None:
                process.send_signal(how)
            if child.state == PAUSED:
                process.send_signal(signal.SIGCONT)
            try:
                process.wait(STOP_SECONDS_MAX)
            except TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait(STOP_SECONDS_MAX)
            log.info("process.ended", node=child.id, pid=process.pid, status=process.returncode)
            _let_go(process)
        self._stand(child, ENDED)

    def _ask_to_end(self, child: _Kept) -> None:
        if child.process is not None:
            child.process.send_signal(signal.SIGTERM)
            child.process.send_signal(signal.SIGCONT)

    def _signal(self, child: _Kept, what: signal.Signals) -> None:
        assert child.process is not None
        child.process.send_signal(what)

    def _stand(self, child: _Kept, state: str) -> None:
        child.state = state
        self._directory.write(self._listing())

    def _listing(self) -> Listing:
        return Listing(
            contracts=self._contracts,
            nodes={
                each.id: Place(
                    pid=each.process.pid if each.process else 0,
                    port=each.port if each.process else 0,
                    state=each.state,
                )
                for each in self._children.values()
            },
        )

    def _watch(self) -> None:
        """Starts again who has died by itself."""
        while not self._stopping.wait(WATCH_SECONDS):
            with self._lock:
                for child in self._children.values():
                    if child.process is not None and child.process.poll() is not None:
                        self._mourn(child)
                    is_due = self._clock.stopwatch_ns() >= child.start_again_ns
                    if child.state == RESTARTING and child.process is None and is_due:
                        self._try_again(child)

    def _mourn(self, child: _Kept) -> None:
        assert child.process is not None
        now = self._clock.stopwatch_ns()
        log.warning("process.died", node=child.id, status=child.process.returncode)
        _let_go(child.process)
        child.process = None
        if now - child.started_ns > STEADY_SECONDS * NS:
            child.pause_seconds = FIRST_PAUSE_SECONDS
        self._start_later(child)

    def _try_again(self, child: _Kept) -> None:
        try:
            self._launch(child)
            self._await(child)
        except ProcessError as error:
            log.warning("process.not_started", node=child.id, error=str(error))
            self._start_later(child)

    def _start_later(self, child: _Kept) -> None:
        child.start_again_ns = self._clock.stopwatch_ns() + int(child.pause_seconds * NS)
        child.pause_seconds = min(2 * child.pause_seconds, PAUSE_SECONDS_MAX)
        self._stand(child, RESTARTING)


def _let_go(process: Child) -> None:
    process.stdin.close()
    process.stdout.close()
