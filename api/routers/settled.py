"""What settles, beside what own books say of it: followed row by row."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.dependencies import AnySandbox, CallingHolder, only_known_parameters
from api.errors import problems
from api.event_access import Events
from api.event_stream import FRAME_EVENTS_MAX, FRAME_SECONDS, RETRY_MS, EventStreams
from api.routers.api_keys import MayGoOn
from api.routers.events import Streams, a_seat, beginning
from api.settled_rows import SettledRows
from ledger.books.interface.events import EventStore

router = APIRouter(
    prefix="/v1/reconciliation",
    tags=["ledger"],
    dependencies=[Depends(only_known_parameters)],
    responses=problems(410, 422),
)


@router.get(
    "/stream",
    operation_id="reconciliation.stream",
    summary="Follow what settles, compared",
    response_class=EventSourceResponse,
    dependencies=[Depends(a_seat)],
    responses=problems(503),
)
async def stream_settled(
    streams: Streams,
    events: Events,
    sandbox: AnySandbox,
    holder: CallingHolder,
    may_go_on: MayGoOn,
    after: Annotated[int, Depends(beginning)],
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: each frame is a JSON list of rows, at most ten frames a second.

    A row is a trade that settled, or a holding that a final block changed, with what the ledger and
    the own book say of it: of one's own. A frame's id says up to which event all rows have come;
    after a lost connection some come again, with the same `row`. The stream ends when its key is
    revoked, or the session that it was begun with is over.
    """
    rows = SettledRows(sandbox, holder)
    async for frame in _frames(streams, events, rows, after, may_go_on):
        yield frame


async def _frames(
    streams: EventStreams,
    events: EventStore,
    settled: SettledRows,
    after: int,
    may_read: Callable[[], bool],
) -> AsyncIterator[ServerSentEvent]:
    yield ServerSentEvent(comment="settled", id=str(after), retry=RETRY_MS)
    read = after

    def goes_on() -> bool:
        return not streams.is_closing and may_read()

    while goes_on():
        if read < events.last_sequence:
            # Disks and the market's lock are waited for elsewhere: not in the way of the others.
            kept = await asyncio.to_thread(events.after, read, FRAME_EVENTS_MAX)
            parts = settled.of(kept)
            while goes_on() and (part := await asyncio.to_thread(next, parts, None)):
                yield ServerSentEvent(raw_data=msgspec.json.encode(part).decode(), id=str(read))
                await asyncio.sleep(FRAME_SECONDS)
            read = kept[-1].sequence if kept else events.last_sequence
            yield ServerSentEvent(id=str(read))
        await asyncio.sleep(FRAME_SECONDS)
