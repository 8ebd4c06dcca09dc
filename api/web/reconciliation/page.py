"""The page of reconciliation: how far all books agree, and the breaks; now, or as of a block."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import HTMLResponse, Response

from api.break_schemas import BucketName, KindName, StateName
from api.dependencies import CallingHolder, RunningSandbox
from api.web.page_route import PageRoute
from api.web.reconciliation.lists import (
    AskedBreaks,
    known_block,
    page_of_breaks,
    positions_then,
)
from api.web.reconciliation.shown import overview_of
from api.web.reconciliation.words import BREAK_STATES, BUCKETS, RECONCILIATION_WORDS
from api.web.visit import Visit, Visiting
from api.web.words import BREAK_KINDS

router = APIRouter(include_in_schema=False, route_class=PageRoute)

ID_CHARS_MAX: Final = 24
PERSON_CHARS_MAX: Final = 60
TEXT_CHARS_MAX: Final = 100
FIRST_MAX: Final = 10**9
BLOCK_MAX: Final = 2**53
Anything = Literal[""]
AsOfBlock = Annotated[int | None, Query(alias="block", ge=0, le=BLOCK_MAX)]
First = Annotated[int, Query(alias="from", ge=0, le=FIRST_MAX)]
ShownParticipant = Annotated[str | None, Query(alias="show", max_length=ID_CHARS_MAX)]


async def asked_breaks(
    state: StateName | Literal["all"] | Anything = "",
    kind: KindName | Anything = "",
    owner: Annotated[str, Query(max_length=ID_CHARS_MAX)] = "",
    assignee: Annotated[str, Query(max_length=PERSON_CHARS_MAX)] = "",
    bucket: BucketName | Anything = "",
    asset: Annotated[str, Query(max_length=ID_CHARS_MAX)] = "",
    text: Annotated[str, Query(max_length=TEXT_CHARS_MAX)] = "",
    block: AsOfBlock = None,
) -> AskedBreaks:
    """Which breaks the address asks for; the same as at ``GET /v1/breaks``."""
    return AskedBreaks(state, kind, owner, assignee.strip(), bucket, asset.strip(), text, block)


Asked = Annotated[AskedBreaks, Depends(asked_breaks)]


@router.get("/reconciliation", response_class=HTMLResponse)
def reconciliation_page(
    visit: Visiting,
    sandbox: RunningSandbox,
    holder: CallingHolder,
    asked: Asked,
    first: First = 0,
    show: ShownParticipant = None,
) -> Response:
    """The whole page."""
    with sandbox.lock:
        consortium = sandbox.consortium
        if asked.block is not None:
            known_block(consortium, asked.block)
        overview = overview_of(consortium, holder, asked.block)
        page = page_of_breaks(consortium, holder, asked, first)
        past = (
            positions_then(consortium, holder, asked.block, show)
            if asked.block is not None
            else None
        )
        owners = [each for each in consortium.nodes if holder.may_see(each)]
    shown = {"overview": overview, "page": page, "past": past, "owners": owners, "asked": asked}
    return _answer(visit, "reconciliation/page.html", **shown)


@router.get("/parts/reconciliation", response_class=HTMLResponse)
def overview_part(visit: Visiting, sandbox: RunningSandbox, holder: CallingHolder) -> Response:
    """How things stand, which changes."""
    with sandbox.lock:
        overview = overview_of(sandbox.consortium, holder)
    return _answer(visit, "reconciliation/part.html", overview=overview, asked=AskedBreaks())


@router.get("/parts/reconciliation/breaks", response_class=HTMLResponse)
def breaks_part(
    visit: Visiting,
    sandbox: RunningSandbox,
    holder: CallingHolder,
    asked: Asked,
    first: First = 0,
) -> Response:
    """The list, which changes."""
    with sandbox.lock:
        page = page_of_breaks(sandbox.consortium, holder, asked, first)
    return _answer(visit, "reconciliation/breaks.html", page=page, asked=asked)


def _answer(visit: Visit, template: str, **shown: Any) -> Response:  # noqa: ANN401 # anything is shown
    names: dict[str, Any] = {
        "kinds_known": BREAK_KINDS,
        "states_known": BREAK_STATES,
        "buckets_known": BUCKETS,
        "break_state": lambda key: visit.word(BREAK_STATES, key),
        "bucket": lambda key: visit.word(BUCKETS, key),
    }
    return visit.answer(template, RECONCILIATION_WORDS, **names, **shown)
