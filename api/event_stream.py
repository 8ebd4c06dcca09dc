"""The stream of events: everybody reads from the journal at a pace of their own.

A frame has what was written down since the last one, so there are at most ten a second however much
happens. Whoever reads slowly lags, and misses nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Final

from fastapi.sse import ServerSentEvent

from api.errors import refuse
from api.event_access import visible_to
from ledger.books.interface.events import EventFilter, EventStore
from ledger.domain.reasons import Reason

STREAMS_MAX: Final = 100
FRAME_SECONDS: Final = 0.1
FRAME_EVENTS_MAX: Final = 2_000
RETRY_MS: Final = 1_000
MARKED_EVERY: Final = 10_000
"""Events that a reader does not want or may not see, after which it is told how far it is."""


class EventStreams:
    """The streams that are open: at most so many, and all end when the server stops.

    Attributes:
        count: how many there are now.
    """

    def __init__(self, streams_max: int = STREAMS_MAX) -> None:
        self._streams_max = streams_max
        self.count = 0
        self.is_closing = False

    @contextmanager
    def seat(self) -> Iterator[None]:
        """A place for one more stream. Refused when all are taken."""
        if self.count >= self._streams_max:
            raise refuse(Reason.UNAVAILABLE, f"{self._streams_max} event streams are open already")
        self.count += 1
        try:
            yield
        finally:
            self.count -= 1

    def close(self) -> None:
        """Lets every stream end with its present frame."""
        self.is_closing = True

    async def frames(
        self, events: EventStore, after: int, wanted: EventFilter, reader: str | None
    ) -> AsyncIterator[ServerSentEvent]:
        """Frames of events after a sequence, for as long as somebody reads."""
        # An id before the first event: who is cut off at once goes on from here too.
        yield ServerSentEvent(comment="events", id=str(after), retry=RETRY_MS)
        read, told = after, after
        while not self.is_closing:
            # What is not in memory is read from the disk: not in the way of the others.
            kept = (
                await asyncio.to_thread(events.after, read, FRAME_EVENTS_MAX)
                if read < events.last_sequence
                else []
            )
            taken = [
                event.payload for event in kept if wanted.takes(event) and visible_to(reader, event)
            ]
            if kept:
                read = kept[-1].sequence
            if taken:
                frame = b"[" + b",".join(taken) + b"]"
                yield ServerSentEvent(raw_data=frame.decode(), id=str(read))
                told = read
            elif read - told >= MARKED_EVERY:
                yield ServerSentEvent(id=str(read))
                told = read
            await asyncio.sleep(FRAME_SECONDS)
