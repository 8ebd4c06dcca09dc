"""Once is once: an envelope that comes again is answered as it was, and nothing is done again."""

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

WINDOW: Final = 1_024
"""How far behind the latest of a sender one may come and still be taken."""
ANSWERS_BYTES_MAX: Final = 32 * 1024 * 1024
"""How much of the answers to one sender is kept to be given again."""


class StaleError(Exception):
    """It came before, and its answer is forgotten; or so late that nobody knows."""


@dataclass(slots=True)
class _Sender:
    """What one start of a sender has sent."""

    latest: int = -1
    kept_bytes: int = 0
    answers: "OrderedDict[int, Future[bytes]]" = field(default_factory=OrderedDict)
    seen: set[int] = field(default_factory=set)


class Deliveries:
    """What has been delivered in this session, by sender and by its numbers."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._senders: dict[tuple[str, bytes], _Sender] = {}

    def once(self, sender: tuple[str, bytes], number: int, act: Callable[[], bytes]) -> bytes:
        """The answer to a number of a sender: acts once, however often it comes.

        One that comes again while the first is being dealt with waits for its answer. Raises
        StaleError.
        """
        with self._lock:
            known = self._senders.setdefault(sender, _Sender())
            answer = known.answers.get(number)
            is_new = answer is None
            if answer is None:
                if number in known.seen or number <= known.latest - WINDOW:
                    raise StaleError(f"number {number} came before")
                answer = Future()
                self._note(known, number, answer)
        if is_new:
            try:
                answer.set_result(act())
            except BaseException as error:
                answer.set_exception(error)
                raise
            with self._lock:
                self._bound(known, len(answer.result()))
        return answer.result()

    def _note(self, known: _Sender, number: int, answer: "Future[bytes]") -> None:
        known.answers[number] = answer
        known.seen.add(number)
        known.latest = max(known.latest, number)
        if len(known.seen) > 2 * WINDOW:
            known.seen = {each for each in known.seen if each > known.latest - WINDOW}

    def _bound(self, known: _Sender, size: int) -> None:
        known.kept_bytes += size
        while known.answers and (
            len(known.answers) > WINDOW or known.kept_bytes > ANSWERS_BYTES_MAX
        ):
            first, answer = next(iter(known.answers.items()))
            if not answer.done():
                break
            known.kept_bytes -= 0 if answer.exception() else len(answer.result())
            del known.answers[first]
