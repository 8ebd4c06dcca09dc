"""Once is once: an envelope that comes again is answered as it was, and nothing is done again."""

from collections import OrderedDict, defaultdict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

WINDOW: Final = 1_024
"""How far behind the latest of a sender one may come and still be taken."""
ANSWERS_BYTES_MAX: Final = 32 * 1024 * 1024
"""How much of the answers to one sender is kept to be given again."""


STARTS_MAX: Final = 8
"""So many starts of one sender are listened to; of more, those that have spoken last."""
PAST_STARTS_MAX: Final = 100_000
"""Starts of one sender in one session; whoever begins anew more often is heard no more."""


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
        self._live: dict[str, OrderedDict[bytes, _Sender]] = defaultdict(OrderedDict)
        self._past: dict[str, set[bytes]] = defaultdict(set)

    def once(self, sender: str, start: bytes, number: int, act: Callable[[], bytes]) -> bytes:
        """The answer to a number of one start of a sender: acts once, however often it comes.

        One that comes again while the first is being dealt with waits for its answer. Raises
        StaleError.
        """
        with self._lock:
            known = self._known(sender, start)
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

    def _known(self, sender: str, start: bytes) -> _Sender:
        """What one start of a sender has sent. Raises StaleError for one that is over."""
        live, past = self._live[sender], self._past[sender]
        if start in past:
            raise StaleError("it has begun anew since")
        if start not in live:
            if len(past) >= PAST_STARTS_MAX:
                raise StaleError("it has begun anew too often")
            live[start] = _Sender()
            if len(live) > STARTS_MAX:
                # Its name is known for good, so that nothing of it is done again.
                past.add(live.popitem(last=False)[0])
        live.move_to_end(start)
        return live[start]

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
