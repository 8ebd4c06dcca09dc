"""The stream of events: everybody reads from the journal at a pace of their own.

A frame has what was written down since the last one, so there are at most ten a second however much
happens. Whoever reads slowly lags, and misses nothing.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from fastapi.sse import ServerSentEvent

from api.errors import refuse
from api.event_access import visible_to
from ledger.books.interface.events import EventFilter, EventStore, KeptEvent
from ledger.domain.reasons import Reason
from nodes.journal.own_view import payload_for

STREAMS_MAX: Final = 100
STREAMS_OF_ONE_MAX: Final = 20
"""Of one holder of keys, so that nobody takes the places of all."""
FRAME_SECONDS: Final = 0.1
FRAME_EVENTS_MAX: Final = 2_000
RETRY_MS: Final = 1_000
RESEND: Final = "resend"
RESENT_MAX: Final = 1_000
MARKED_EVERY: Final = 10_000
"""Events that a reader does not want or may not see, after which it is told how far it is."""


class EventStreams:
    """The streams that are open: at most so many, and all end when the server stops.

    Used by one thread, the server's.
    """

    def __init__(self, streams_max: int = STREAMS_MAX) -> None:
        self._streams_max = streams_max
        self._open: Counter[str] = Counter()
        self.is_closing = False
        self._resent: deque[KeptEvent] = deque(maxlen=RESENT_MAX)
        self._resent_count = 0

    @property
    def count(self) -> int:
        """How many there are now."""
        return self._open.total()

    @contextmanager
    def seat(self, whose: str) -> Iterator[None]:
        """A place for one more stream of somebody. Refused when all or all theirs are taken."""
        if self.count >= self._streams_max:
            raise refuse(Reason.UNAVAILABLE, f"{self._streams_max} event streams are open already")
        if self._open[whose] >= STREAMS_OF_ONE_MAX:
            detail = f"{whose} has {STREAMS_OF_ONE_MAX} event streams open already"
            raise refuse(Reason.UNAVAILABLE, detail)
        self._open[whose] += 1
        try:
            yield
        finally:
            self._open[whose] -= 1

    def close(self) -> None:
        """Lets every stream end with its present frame."""
        self.is_closing = True

    def resend(self, events: Sequence[KeptEvent]) -> None:
        """Shows events once more to whoever follows now, in frames that are called ``resend``."""
        self._resent.extend(events)
        self._resent_count += len(events)

    def _resent_after(self, count: int) -> list[KeptEvent]:
        new = min(self._resent_count - count, len(self._resent))
        return list(self._resent)[len(self._resent) - new :]

    async def frames(
        self,
        events: EventStore,
        after: int,
        wanted: EventFilter,
        reader: str | None,
        may_read: Callable[[], bool],
    ) -> AsyncIterator[ServerSentEvent]:
        """Frames of events after a sequence, for as long as somebody reads and may."""
        # An id before the first event: who is cut off at once goes on from here too.
        yield ServerSentEvent(comment="events", id=str(after), retry=RETRY_MS)
        read, told, resent = after, after, self._resent_count
        while not self.is_closing and may_read():
            # What is not in memory is read from the disk: not in the way of the others.
            kept = (
                await asyncio.to_thread(events.after, read, FRAME_EVENTS_MAX)
                if read < events.last_sequence
                else []
            )
            if kept:
                read = kept[-1].sequence
            if frame := _frame_of(kept, wanted, reader):
                yield ServerSentEvent(raw_data=frame, id=str(read))
                told = read
            elif read - told >= MARKED_EVERY:
                yield ServerSentEvent(id=str(read))
                told = read
            again, resent = self._resent_after(resent), self._resent_count
            if frame := _frame_of(again, wanted, reader):
                yield ServerSentEvent(raw_data=frame, event=RESEND)
            await asyncio.sleep(FRAME_SECONDS)


def _frame_of(events: Sequence[KeptEvent], wanted: EventFilter, reader: str | None) -> str:
    """A frame of what is wanted and may be seen; empty when nothing is."""
    taken = [
        payload_for(reader, each)
        for each in events
        if wanted.takes(each) and visible_to(reader, each)
    ]
    return f"[{b','.join(taken).decode()}]" if taken else ""
