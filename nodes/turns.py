"""One thing at a time at a node, but for what its own question brings back to it.

A node that asks another one keeps its turn until the answer comes. The other may have to ask back
before it can answer, directly or through a third: that is part of the same turn, or both would wait
for ever. An envelope therefore carries the ids of those that are being answered while it is sent.
In one process the same follows from calls being calls.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock, RLock, get_ident
from types import TracebackType
from typing import Self

_path: ContextVar[tuple[bytes, ...]] = ContextVar("path", default=())
_is_lent: ContextVar[bool] = ContextVar("is_lent", default=False)


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
    def answering(self, path: Sequence[bytes]) -> Iterator[None]:
        """Answers what came by a path: in a turn of its own, or in that of the own question.

        Raises OverError when that question has been given up.
        """
        asked = [self._questions[id] for id in path[:-1] if id in self._questions]
        path_token = _path.set(tuple(path))
        lent_token = _is_lent.set(bool(asked))
        try:
            if not asked:
                with self:
                    yield
                return
            with asked[-1].lock:
                if asked[-1].is_over:
                    raise OverError("the question that this belongs to was given up")
                yield
        finally:
            _is_lent.reset(lent_token)
            _path.reset(path_token)
