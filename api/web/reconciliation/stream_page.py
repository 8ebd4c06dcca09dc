"""The page on which everything that settles runs by, beside what own books say."""

from collections import deque
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from api.dependencies import CallingHolder, RunningSandbox
from api.event_access import Events
from api.settled_rows import SettledRow, SettledRows
from api.web.page_route import PageRoute
from api.web.reconciliation.words import RECONCILIATION_WORDS
from api.web.visit import Visiting
from ledger.books.interface.events import EventStore

router = APIRouter(include_in_schema=False, route_class=PageRoute)

EVENTS_BEFORE: Final = 60
"""So many events before the page was opened it begins with."""
ROWS_WITHOUT_SCRIPT: Final = 40


@router.get("/reconciliation/stream", response_class=HTMLResponse)
def stream_page(
    visit: Visiting, sandbox: RunningSandbox, events: Events, holder: CallingHolder
) -> Response:
    """The page; without a script it shows what has settled last."""
    after = max(events.last_sequence - EVENTS_BEFORE, events.first_sequence - 1, 0)
    latest = _latest(events, SettledRows(sandbox, holder), after)
    return visit.answer(
        "reconciliation/stream.html", RECONCILIATION_WORDS, after=after, latest=latest
    )


def _latest(events: EventStore, settled: SettledRows, after: int) -> list[SettledRow]:
    """The rows that came last, the newest first."""
    last: deque[SettledRow] = deque(maxlen=ROWS_WITHOUT_SCRIPT)
    for part in settled.of(events.after(after, EVENTS_BEFORE), most=ROWS_WITHOUT_SCRIPT):
        last.extend(part)
    return [*reversed(last)]
