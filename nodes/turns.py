"""One thing at a time at a node, but for what its own question brings back to it.

A node that asks another one keeps its turn until the answer comes. The other may have to ask back
before it can answer, directly or through a third: that is part of the same turn, or both would wait
for ever. An envelope therefore carries the ids of those that are being answered while it is sent.
In one process the same follows from calls being calls.

Of its own accord a node keeps its turn only while it asks those who never ask it: the clearing
house asks everybody, the exchange the traders, these the banks and the registrar.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock, RLock, get_ident
from types import TracebackType
from typing import Final, Self

_path: ContextVar[tuple[bytes, ...]] = ContextVar("path", default=())
_is_lent: ContextVar[bool] = ContextVar("is_lent", default=False)


TURN_SECONDS_MAX: Final = 30.0
"""How long a turn is waited for; what would wait for ever, two for each other, ends by it."""


class OverError(Exception):
    """The question that something belongs to has been given up: nothing was done."""


class _Question:
    """A question that is being asked while a turn lasts."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.is_over = False


class Turns:
    """The turn of a node, taken by ``with``; the same thread may take it again."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._owner: int | None = None
        self._depth = 0
        self._questions: dict[bytes, _Question] = {}

    def __enter__(self) -> Self:
        self._lock.acquire()
        self._owner, self._depth = get_ident(), self._depth + 1
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._depth -= 1
        if not self._depth:
            self._owner = None
        self._lock.release()

    @contextmanager
    def _in_time(self, patience_seconds: float) -> Iterator[None]:
        """A turn that is waited for no longer than so."""
        if not self._lock.acquire(timeout=patience_seconds):
            raise OverError("the node is busy")
        try:
            with self:
                yield
        finally:
            self._lock.release()

    @contextmanager
    def asking(self, id: bytes) -> Iterator[tuple[bytes, ...]]:
        """Asks a question of this id meanwhile; gives the path that it is sent with."""
        path = (*_path.get(), id)
        if not (_is_lent.get() or self._owner == get_ident()):
            # Nothing is kept from others, so nothing needs to be lent.
            yield path
            return
        question = self._questions[id] = _Question()
        try:
            yield path
        finally:
            # What came back by it and is still being done is waited for; what comes later is late.
            with question.lock:
                question.is_over = True
            del self._questions[id]

    @contextmanager
    def answering(
        self, path: Sequence[bytes], patience_seconds: float = TURN_SECONDS_MAX
    ) -> Iterator[None]:
        """Answers what came by a path: in a turn of its own, or in that of the own question.

        Raises OverError when that question has been given up, or no turn could be had.
        """
        asked = [self._questions[id] for id in path[:-1] if id in self._questions]
        path_token = _path.set(tuple(path))
        lent_token = _is_lent.set(bool(asked))
        try:
            if not asked:
                with self._in_time(patience_seconds):
                    yield
                return
            with asked[-1].lock:
                if asked[-1].is_over:
                    raise OverError("the question that this belongs to was given up")
                yield
        finally:
            _is_lent.reset(lent_token)
            _path.reset(path_token)
