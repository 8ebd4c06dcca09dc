"""The page of the day, and the part of it that is fetched again while it is open."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response

from api.dependencies import CallingHolder, RunningExplorer, RunningSandbox
from api.web.page_route import PageRoute
from api.web.today.shown import today_of
from api.web.today.words import TODAY_WORDS
from api.web.visit import Visit, Visiting
from ledger.domain.key_holders import KeyHolder
from nodes.explorer import Explorer
from nodes.sandbox.sandbox import Sandbox

router = APIRouter(include_in_schema=False, route_class=PageRoute)

ID_CHARS_MAX: Final = 24
ShownParticipant = Annotated[str | None, Query(alias="show", max_length=ID_CHARS_MAX)]


@router.get("/", response_class=HTMLResponse)
def today_page(
    visit: Visiting,
    sandbox: RunningSandbox,
    explorer: RunningExplorer,
    holder: CallingHolder,
    show: ShownParticipant = None,
) -> Response:
    """The whole page."""
    return _answer(visit, "today/page.html", sandbox, explorer, holder, show)


@router.get("/parts/today", response_class=HTMLResponse)
def today_part(
    visit: Visiting,
    sandbox: RunningSandbox,
    explorer: RunningExplorer,
    holder: CallingHolder,
    show: ShownParticipant = None,
) -> Response:
    """The part that changes."""
    return _answer(visit, "today/part.html", sandbox, explorer, holder, show)


def _answer(
    visit: Visit,
    template: str,
    sandbox: Sandbox,
    explorer: Explorer,
    holder: KeyHolder,
    show: str | None,
) -> Response:
    with sandbox.lock:
        today = today_of(sandbox.consortium, explorer, holder, show)
    return visit.answer(template, TODAY_WORDS, today=today)
