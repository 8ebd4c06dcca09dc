"""Events: list them, look one up, follow them."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request, status
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api import event_schemas as schemas
from api.dependencies import AnySandbox, CallingHolder, only_known_parameters
from api.errors import problems, refuse
from api.event_access import Events, Reader, Wanted, known_sequence, visible_to
from api.event_stream import EventStreams
from api.parameters import CURSOR_PATTERN, CursorText, Limit
from api.routers.api_keys import MayGoOn
from api.said import in_header, in_path, in_query
from ledger.books.interface.events import KeptEvent
from ledger.domain.reasons import Reason
from nodes.journal.own_view import payload_for

router = APIRouter(
    prefix="/v1/events",
    tags=["events"],
    dependencies=[Depends(only_known_parameters)],
    responses=problems(410, 422),
)

Since = Annotated[
    str | None,
    in_query(
        "The sequence after which to begin.",
        "从该编号之后开始。",
        "17",
        pattern=CURSOR_PATTERN,
    ),
]
LastEventId = Annotated[
    str | None,
    in_header(
        "The id of the last frame that was received: the stream goes on after it.",
        "最后收到的帧的编号：事件流从其后继续。",
        "17",
        alias="Last-Event-ID",
        max_length=18,
    ),
]
LastEventIdQuery = Annotated[
    str | None,
    in_query(
        "The same, where headers cannot be set.",
        "同 Last-Event-ID，用于无法设置请求头之处。",
        "17",
        max_length=18,
    ),
]


def streams_of(request: Request) -> EventStreams:
    """The streams of the application."""
    streams = request.app.state.event_streams
    assert isinstance(streams, EventStreams)
    return streams


Streams = Annotated[EventStreams, Depends(streams_of)]


async def a_seat(streams: Streams, holder: CallingHolder) -> AsyncIterator[None]:
    """Taken for as long as the stream is open."""
    with streams.seat(holder.name):
        yield


def beginning(
    events: Events, header: LastEventId = None, last_event_id: LastEventIdQuery = None
) -> int:
    """Where a stream begins: after what was received, or with what happens from now on."""
    given = header if header is not None else last_event_id
    return events.last_sequence if given is None else known_sequence(events, given, "last-event-id")


@router.get("", operation_id="events.list", summary="List events")
def list_events(
    sandbox: AnySandbox,
    events: Events,
    wanted: Wanted,
    reader: Reader,
    since: Since = None,
    cursor: CursorText = None,
    limit: Limit = 100,
) -> schemas.JournalEvents:
    """Events that the caller may see, oldest first."""
    given = cursor if cursor is not None else since
    name = "since" if cursor is None else "cursor"
    after = 0 if given is None else known_sequence(events, given, name)
    found = events.wanted(wanted, after, limit + 1, reader)
    shown = found[:limit]
    return schemas.JournalEvents(
        as_of_block=sandbox.consortium.clearing_house.projection.height,
        first_sequence=events.first_sequence,
        last_sequence=events.last_sequence,
        data=[
            schemas.JournalEvent.model_validate_json(payload_for(reader, each)) for each in shown
        ],
        next_cursor=str(shown[-1].sequence) if len(found) > limit else None,
    )


@router.get(
    "/stream",
    operation_id="events.stream",
    summary="Follow events",
    response_class=EventSourceResponse,
    dependencies=[Depends(a_seat)],
    responses=problems(503),
)
async def stream_events(
    streams: Streams,
    events: Events,
    wanted: Wanted,
    reader: Reader,
    may_go_on: MayGoOn,
    after: Annotated[int, Depends(beginning)],
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: each frame is a JSON list of events, at most ten frames a second.

    A frame's id is the last sequence it covers; give it as Last-Event-ID to go on exactly there.
    The stream ends when its key is revoked, or the session that it was begun with is over.
    """
    async for frame in streams.frames(events, after, wanted, reader, may_go_on):
        yield frame


def known_event(
    id: Annotated[str, in_path("The event's id.", "事件标识。", "evt-3fa9c1d2-17", max_length=60)],
    sandbox: AnySandbox,
    events: Events,
    reader: Reader,
) -> KeptEvent:
    """An event that the caller may see. Refused when there is none of this id."""
    event = sandbox.journal.get(id)
    if event is None or not visible_to(reader, event):
        kept = f"{events.first_sequence} to {events.last_sequence}"
        raise refuse(Reason.UNKNOWN, f"there is no event {id}; sequences {kept} are kept")
    return event


@router.get(
    "/{id}", operation_id="events.read", summary="Look an event up", responses=problems(404)
)
def read_event(
    event: Annotated[KeptEvent, Depends(known_event)], reader: Reader
) -> schemas.JournalEvent:
    """One event by its id."""
    return schemas.JournalEvent.model_validate_json(payload_for(reader, event))


@router.post(
    "/{id}/resend",
    status_code=status.HTTP_202_ACCEPTED,
    operation_id="events.resend",
    summary="Show an event to listeners once more",
    responses=problems(404),
)
def resend_event(
    event: Annotated[KeptEvent, Depends(known_event)], streams: Streams, reader: Reader
) -> schemas.JournalEvent:
    """Whoever follows the stream now is shown it again, in a frame whose event is `resend`."""
    streams.resend([event])
    return schemas.JournalEvent.model_validate_json(payload_for(reader, event))
