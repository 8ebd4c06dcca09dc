"""Many who write to one database, one thread, one commit for all who wait.

A commit waits for the disk; those who come meanwhile share the next one. What nobody waits for is
written a little later, many at once.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, Final, TypeVar

from ledger.books.database import Database, StorageError, UnitOfWork

T = TypeVar("T")

GROUP_MAX: Final = 500
LATER_SECONDS: Final = 0.25
LATER_AT_ONCE: Final = 500
LATER_WAITING_MAX: Final = 10_000
"""Of more than these, the oldest are lost: a disk that is full must not fill the memory too."""


@dataclass(frozen=True, slots=True)
class _Write:
    act: Callable[[UnitOfWork], Any]
    done: "Future[Any]"


class GroupCommit:
    """Writes to a database in groups. Any thread may submit; ``close`` writes what is left."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: SimpleQueue[_Write | None] = SimpleQueue()
        self._later: deque[Callable[[UnitOfWork], object]] = deque(maxlen=LATER_WAITING_MAX)
        self._lock = Lock()
        self._thread: Thread | None = None
        self._is_closed = False

    def submit(self, act: Callable[[UnitOfWork], T]) -> "Future[T]":
        """Has something written; the answer comes once it is on disk.

        The answer raises StorageError when the disk does not take it, and whatever ``act`` raises;
        then nothing of it has happened.
        """
        write = _Write(act, Future())
        # What was submitted is written: whoever does not wait any more cannot take it back.
        write.done.set_running_or_notify_cancel()
        if not self._put(write):
            write.done.set_exception(StorageError("the interface's books are closed"))
        return write.done

    def later(self, act: Callable[[UnitOfWork], object]) -> None:
        """Has something written soon; nobody waits, and a crash or a full disk may lose it."""
        was_empty = not self._later
        self._later.append(act)
        if was_empty or self._thread is None:
            self._put(None)

    def close(self) -> None:
        """Writes what is left, and takes no more."""
        with self._lock:
            self._is_closed = True
            thread = self._thread
        if thread is not None:
            self._waiting.put(None)
            thread.join()

    def _put(self, write: _Write | None) -> bool:
        with self._lock:
            if self._is_closed:
                return False
            if self._thread is None:
                self._thread = Thread(target=self._run, name="interface books", daemon=True)
                self._thread.start()
            self._waiting.put(write)
            return True

    def _run(self) -> None:
        while True:
            group = self._next_group()
            if group:
                self._commit(group)
            is_last = self._is_closed and self._waiting.empty()
            if self._later and (is_last or not group or len(self._later) >= LATER_AT_ONCE):
                self._write_later()
            if is_last:
                # What the disk has not taken now is lost: nobody waits for it.
                return

    def _next_group(self) -> list[_Write]:
        group: list[_Write] = []
        wait = LATER_SECONDS if self._later and not self._is_closed else None
        try:
            first = self._waiting.get(timeout=wait)
            while first is None and self._later and not self._is_closed:
                # Somebody has left something: what comes soon after is written with it.
                first = self._waiting.get(timeout=LATER_SECONDS)
            group += [first] if first else []
            while len(group) < GROUP_MAX:
                each = self._waiting.get_nowait()
                group += [each] if each else []
        except Empty:
            pass
        return group

    def _commit(self, group: list[_Write]) -> None:
        try:
            with self._database.transaction() as session:
                answers = [write.act(session) for write in group]
        except Exception as error:  # noqa: BLE001 # whoever waits must learn of any failure
            if len(group) == 1 or isinstance(error, StorageError):
                for write in group:
                    write.done.set_exception(error)
                return
            # One of them is at fault: the others must not fail with it.
            for write in group:
                self._commit([write])
            return
        for write, answer in zip(group, answers, strict=True):
            write.done.set_result(answer)

    def _write_later(self) -> None:
        done: Future[None] = Future()
        self._commit([_Write(self._take_later, done)])

    def _take_later(self, session: UnitOfWork) -> None:
        for _ in range(len(self._later)):
            self._later.popleft()(session)
