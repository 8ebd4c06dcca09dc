"""The pages of netting cycles, the parts of them that change, and closing the next one now."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Path, Query, status
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.dependencies import CallingHolder, RunningExplorer, RunningSandbox
from api.errors import refuse
from api.web.cycles.listed import CYCLES_A_PAGE, listed
from api.web.cycles.shown import Asked, cycle_shown
from api.web.cycles.upcoming import UnderWay, under_way, upcoming
from api.web.cycles.words import CYCLES_WORDS
from api.web.forms import Form, only_own_pages
from api.web.page_route import PageRoute
from api.web.visit import Visit, Visiting, chosen_language
from ledger.domain.key_holders import KeyHolder
from ledger.domain.reasons import Reason
from nodes.consortium import Consortium
from nodes.explorer import Explorer
from nodes.sandbox.sandbox import Sandbox

router = APIRouter(include_in_schema=False, route_class=PageRoute)

NUMBER_MAX: Final = 2**31
PLACE_MAX: Final = 10**9
ID_CHARS_MAX: Final = 24
PATIENCE_MS: Final = 400
"""A cycle that is done sooner is waited for; of a longer one a page shows how far it has come."""

Below = Annotated[int | None, Query(ge=1, le=NUMBER_MAX)]
State = Annotated[Literal["settled", "submitted", "empty", "abandoned"] | None, Query()]
Number = Annotated[int, Path(ge=1, le=NUMBER_MAX)]
Place = Annotated[int, Query(ge=0, le=PLACE_MAX)]
PartyId = Annotated[str, Query(max_length=ID_CHARS_MAX)]


@router.get("/cycles", response_class=HTMLResponse)
def cycles_page(
    visit: Visiting, sandbox: RunningSandbox, below: Below = None, state: State = None
) -> Response:
    """The list, newest first; its first page keeps itself up to date."""
    return _list(visit, "cycles/list.html", sandbox, below, state)


@router.get("/parts/cycles", response_class=HTMLResponse)
def cycles_part(visit: Visiting, sandbox: RunningSandbox, state: State = None) -> Response:
    """The part of the list that changes."""
    return _list(visit, "cycles/list_part.html", sandbox, None, state)


@router.get("/cycles/open", response_class=HTMLResponse)
def open_page(visit: Visiting, sandbox: RunningSandbox, holder: CallingHolder) -> Response:
    """The next cycle: what waits to be netted."""
    return _open(visit, "cycles/open.html", sandbox, holder)


@router.get("/parts/cycles/open", response_class=HTMLResponse)
def open_part(visit: Visiting, sandbox: RunningSandbox, holder: CallingHolder) -> Response:
    """The part of it that changes."""
    return _open(visit, "cycles/open_part.html", sandbox, holder)


@router.post("/cycles/open", dependencies=[Depends(only_own_pages)])
def close_cycle(sandbox: RunningSandbox, form: Form) -> Response:
    """Strikes the next cycle now; leads to what came of it."""
    row = sandbox.strike()
    language = chosen_language(form.get("lang"), None)
    place = "/cycles/open" if row is None else f"/cycles/{row.number}"
    return RedirectResponse(f"{place}?lang={language}", status.HTTP_303_SEE_OTHER)


@router.get("/cycles/{number}", response_class=HTMLResponse)
def cycle_page(
    visit: Visiting,
    sandbox: RunningSandbox,
    explorer: RunningExplorer,
    holder: CallingHolder,
    number: Number,
    party: PartyId = "",
    line: Place = 0,
    trade: Place = 0,
) -> Response:
    """One cycle, with a page of its net lines and one of its trades."""
    going = _under_way(sandbox, holder, number)
    if going is not None:
        return visit.answer("cycles/going.html", CYCLES_WORDS, going=going)
    asked = Asked(_party(sandbox.consortium, party), line, trade)
    return _one(visit, "cycles/page.html", sandbox, explorer, holder, number, asked)


@router.get("/parts/cycles/{number}", response_class=HTMLResponse)
def cycle_part(
    visit: Visiting,
    sandbox: RunningSandbox,
    explorer: RunningExplorer,
    holder: CallingHolder,
    number: Number,
) -> Response:
    """A cycle under way, as far as it has come by now."""
    going = _under_way(sandbox, holder, number)
    if going is not None:
        return visit.answer("cycles/going_part.html", CYCLES_WORDS, going=going)
    return _one(visit, "cycles/part.html", sandbox, explorer, holder, number, Asked())


def _list(
    visit: Visit, template: str, sandbox: Sandbox, below: int | None, state: str | None
) -> Response:
    with sandbox.lock:
        shown = listed(sandbox, below, state)
    return visit.answer(
        template, CYCLES_WORDS, listed=shown, below=below, wanted=state, a_page=CYCLES_A_PAGE
    )


def _open(visit: Visit, template: str, sandbox: Sandbox, holder: KeyHolder) -> Response:
    going = _under_way(sandbox, holder, None)
    if going is not None:
        # Whoever settles it has the lock: what waits behind it is told afterwards.
        return visit.answer(template, CYCLES_WORDS, going=going, upcoming=None)
    with sandbox.lock:
        shown = upcoming(sandbox, holder)
    return visit.answer(template, CYCLES_WORDS, going=None, upcoming=shown)


def _one(
    visit: Visit,
    template: str,
    sandbox: Sandbox,
    explorer: Explorer,
    holder: KeyHolder,
    number: int,
    asked: Asked,
) -> Response:
    consortium = sandbox.consortium
    with sandbox.lock:
        row = consortium.clearing_house.cycles.get(number)
        if row is None:
            raise refuse(Reason.UNKNOWN, f"there is no cycle {number}")
        shown = cycle_shown(consortium, explorer, holder, row, asked)
    party = consortium.network.participant_id(asked.participant) if asked.participant else ""
    return visit.answer(template, CYCLES_WORDS, shown=shown, party=party)


def _under_way(sandbox: Sandbox, holder: KeyHolder, number: int | None) -> UnderWay | None:
    """The cycle under way, if it is the one of a number."""
    consortium = sandbox.consortium
    watched = consortium.clearing_house.net.watch.under_way(PATIENCE_MS)
    if watched is None or number not in (None, watched.number):
        return None
    return under_way(consortium.network, holder, watched)


def _party(consortium: Consortium, party: str) -> int | None:
    if not party:
        return None
    try:
        return consortium.network.participant_number(party)
    except KeyError:
        raise refuse(Reason.UNKNOWN, f"there is no participant {party}") from None
