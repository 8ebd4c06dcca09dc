"""The last events of the market, as far as the visitor may see them."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from fastapi.responses import HTMLResponse, Response

from api.dependencies import RunningSandbox
from api.event_access import Events, Reader
from api.event_schemas import JournalEvent
from api.parameters import CURSOR_PATTERN
from api.routers.events import known_event, read_event
from api.web.page_route import PageRoute
from api.web.sandbox.screen import Shown
from ledger.books.interface.events import TYPE_PREFIX, EventFilter, KeptEvent
from nodes.journal.own_view import payload_for

router = APIRouter(include_in_schema=False, route_class=PageRoute)

PAGE: Final = 50
_VERSION: Final = ".v1"
FAMILIES: Final = tuple(
    f"{each}.*"
    for each in (
        *("trade", "trades", "instruction", "side", "cycle", "break", "participant", "clock"),
        *("fault", "sandbox", "chain"),
    )
)
"""What the filter offers; any type may be typed."""
Type = Annotated[str, Query(max_length=80)]
Subject = Annotated[str, Query(max_length=200)]
Participant = Annotated[str, Query(max_length=24)]
Below = Annotated[str | None, Query(pattern=CURSOR_PATTERN)]


@router.get("/sandbox/events", response_class=HTMLResponse)
def events_page(
    screen: Shown,
    events: Events,
    reader: Reader,
    _sandbox: RunningSandbox,
    type: Type = "",
    subject: Subject = "",
    participant: Participant = "",
    below: Below = None,
) -> Response:
    """The last ones, newest first."""
    wanted = EventFilter(
        type=type or None, subject=subject or None, participant=participant or None
    )
    found = events.latest(wanted, PAGE + 1, reader, below=int(below) if below else None)
    shown = [JournalEvent.model_validate_json(payload_for(reader, each)) for each in found[:PAGE]]
    return screen.answer(
        "events",
        events=shown,
        next_below=shown[-1].sequence if len(found) > PAGE else None,
        filters={"type": type, "subject": subject, "participant": participant},
        families=FAMILIES,
        short_type=short_type,
    )


@router.get("/sandbox/events/{id}", response_class=HTMLResponse)
def event_page(
    screen: Shown,
    event: Annotated[KeptEvent, Depends(known_event)],
    reader: Reader,
    _sandbox: RunningSandbox,
) -> Response:
    """One event, whole."""
    shown = read_event(event, reader)
    return screen.answer(
        "event", event=shown, payload=shown.model_dump_json(indent=2), short_type=short_type
    )


def short_type(type: str) -> str:
    """A type without what all of them have."""
    return type.removeprefix(TYPE_PREFIX).removesuffix(_VERSION)
