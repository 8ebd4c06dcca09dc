"""The page of liquidity, its part that changes, and the run that resolves gridlock."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from api.dependencies import CallingHolder, RunningSandbox
from api.errors import refuse
from api.policies import roles_for
from api.web.forms import Form, only_own_pages
from api.web.liquidity.shown import Liquidity, liquidity_of
from api.web.liquidity.words import LIQUIDITY_WORDS
from api.web.page_route import PageRoute
from api.web.visit import Visit, Visiting, chosen_language
from ledger.domain.key_holders import KeyHolder
from ledger.domain.reasons import Reason
from ledger.domain.rules import Gridlock
from nodes.clearing_house.resolving import Resolution
from nodes.consortium import Consortium
from nodes.sandbox.sandbox import Sandbox

router = APIRouter(include_in_schema=False, route_class=PageRoute)

ALGORITHMS: Final = (Gridlock.FIFO, Gridlock.BYPASS, Gridlock.OPTIMUM)
RESOLVE: Final = "POST /liquidity/resolve"
Algorithm = Annotated[str | None, Query(max_length=10)]
Asset = Annotated[str | None, Query(max_length=24)]


@router.get("/liquidity", response_class=HTMLResponse)
def liquidity_page(
    visit: Visiting,
    sandbox: RunningSandbox,
    holder: CallingHolder,
    algorithm: Algorithm = None,
    asset: Asset = None,
) -> Response:
    """Who owes whom, what waits, and what a run would settle."""
    return _answer(visit, "liquidity/page.html", sandbox, holder, algorithm, asset)


@router.get("/parts/liquidity", response_class=HTMLResponse)
def liquidity_part(
    visit: Visiting,
    sandbox: RunningSandbox,
    holder: CallingHolder,
    algorithm: Algorithm = None,
    asset: Asset = None,
) -> Response:
    """The part that changes."""
    return _answer(visit, "liquidity/part.html", sandbox, holder, algorithm, asset)


@router.post(
    "/liquidity/resolve", response_class=HTMLResponse, dependencies=[Depends(only_own_pages)]
)
def resolve(
    request: Request, sandbox: RunningSandbox, holder: CallingHolder, form: Form
) -> Response:
    """One run over the queue; shows what it found, before and after."""
    visit = Visit(request, chosen_language(form.get("lang"), None))
    algorithm = _algorithm(form.get("algorithm"))
    asset = form.get("asset")

    def act(consortium: Consortium) -> tuple[Liquidity, Resolution]:
        before = liquidity_of(consortium, holder, algorithm, asset)
        return before, consortium.clearing_house.desk.resolve(algorithm)

    before, found = sandbox.change(act)
    return visit.answer(
        "liquidity/resolved.html",
        LIQUIDITY_WORDS,
        liquidity=before,
        found=found,
        algorithm=algorithm.value,
    )


def _answer(
    visit: Visit,
    template: str,
    sandbox: Sandbox,
    holder: KeyHolder,
    algorithm: str | None,
    asset: str | None,
) -> Response:
    with sandbox.lock:
        liquidity = liquidity_of(sandbox.consortium, holder, _algorithm(algorithm), asset)
    return visit.answer(
        template,
        LIQUIDITY_WORDS,
        liquidity=liquidity,
        algorithms=[each.value for each in ALGORITHMS],
        may_resolve=holder.role in roles_for(RESOLVE),
        is_own=not holder.sees_everything,
    )


def _algorithm(text: str | None) -> Gridlock:
    by_name = {each.value: each for each in ALGORITHMS}
    if text is None:
        return Gridlock.FIFO
    if text not in by_name:
        raise refuse(Reason.INVALID, f"algorithm: expected {', '.join(by_name)}, found {text}")
    return by_name[text]
