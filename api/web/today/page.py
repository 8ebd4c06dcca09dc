"""The page of the day, and the part of it that is fetched again while it is open."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from api.dependencies import CallingHolder, RunningExplorer, RunningSandbox
from api.web.page_route import PageRoute
from api.web.today.shown import today_of
from api.web.today.words import TODAY_WORDS
from api.web.visit import Visit, Visiting
from ledger.domain.key_holders import KeyHolder, KeyRole
from nodes.explorer import Explorer
from nodes.sandbox.sandbox import Sandbox

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/", response_class=HTMLResponse)
def today_page(
    visit: Visiting, sandbox: RunningSandbox, explorer: RunningExplorer, holder: CallingHolder
) -> Response:
    """The whole page."""
    return _answer(visit, "today/page.html", sandbox, explorer, holder)


@router.get("/parts/today", response_class=HTMLResponse)
def today_part(
    visit: Visiting, sandbox: RunningSandbox, explorer: RunningExplorer, holder: CallingHolder
) -> Response:
    """The part that changes."""
    return _answer(visit, "today/part.html", sandbox, explorer, holder)


def _answer(
    visit: Visit, template: str, sandbox: Sandbox, explorer: Explorer, holder: KeyHolder
) -> Response:
    with sandbox.lock:
        today = today_of(sandbox, explorer, holder)
    [head] = explorer.blocks(None, 1)
    return visit.answer(
        template,
        TODAY_WORDS,
        today=today,
        head=head,
        final_height=sandbox.consortium.engine.final_height(),
        sees_all=holder.sees_every_trade,
        is_operator=holder.role is KeyRole.OPERATOR,
        address=str(visit.request.base_url).rstrip("/"),
    )
