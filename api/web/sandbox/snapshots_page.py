"""Snapshots: the market kept under a name, gone back to, dropped, or begun anew."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from api.access.access import Access
from api.access.credentials import session_token
from api.dependencies import RunningSandbox
from api.errors import RefusedError, refuse
from api.hosting import Hosting
from api.routers.sandbox_controls import (
    AnyHosting,
    drop,
    hosting_of,
    list_snapshots,
    reset,
    restore,
    save,
)
from api.sandbox_schemas import NewSnapshot, ResetMarket, Snapshot
from api.views import captured_end
from api.web.forms import Form, only_own_pages
from api.web.outcomes import Outcome, Outcomes
from api.web.page_route import PageRoute
from api.web.sandbox.screen import Shown
from api.web.sign_in.page import signed_in
from api.web.visit import Visit
from ledger.domain.reasons import Reason
from nodes.sandbox.home import SNAPSHOTS_MAX

router = APIRouter(include_in_schema=False, route_class=PageRoute)

PLACE: Final = "/sandbox/snapshots"
RESET, RESTORE, DROP = "reset", "restore", "drop"
_CHARS_MAX: Final = 64
Text = Annotated[str, Query(max_length=_CHARS_MAX)]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be confirmed."""

    act: str
    name: str
    seed: str
    snapshot: Snapshot | None


@router.get("/sandbox/snapshots", response_class=HTMLResponse)
def snapshots_page(screen: Shown, request: Request, sandbox: RunningSandbox) -> Response:
    """What is kept, for the operator of the sandbox; and where nothing can be, why."""
    hosting, obstacle = _hosting(request)
    may_see = screen.may("GET /v1/sandbox/snapshots")
    kept = list_snapshots(hosting).data if hosting is not None and may_see else None
    return screen.answer(
        "snapshots",
        kept=kept,
        obstacle=obstacle,
        snapshots_max=SNAPSHOTS_MAX,
        seed=sandbox.consortium.network.seed if may_see else "",
    )


@router.get("/sandbox/snapshots/confirm", response_class=HTMLResponse)
def confirm_page(
    screen: Shown,
    hosting: AnyHosting,
    sandbox: RunningSandbox,
    act: Text,
    name: Text = "",
    seed: Text = "",
) -> Response:
    """Says in words what is about to be gone, and asks once more."""
    if act not in (RESET, RESTORE, DROP):
        raise refuse(Reason.INVALID, f"act: expected {RESET}, {RESTORE} or {DROP}, found {act}")
    found = next((each for each in list_snapshots(hosting).data if each.name == name), None)
    if act != RESET and found is None:
        raise refuse(Reason.UNKNOWN, f"there is no snapshot {name}")
    with sandbox.lock:
        block = sandbox.consortium.clearing_house.projection.height
        trades = captured_end(sandbox.consortium)
    own_seed = sandbox.consortium.network.seed
    return screen.answer(
        "confirm",
        asked=_Asked(act, name, seed or own_seed, found),
        has_other_keys=_seed_after(act, seed or own_seed, found) != own_seed,
        block=block,
        trades=trades,
    )


@router.post("/sandbox/snapshots", dependencies=[Depends(only_own_pages)])
async def save_by_form(
    screen: Shown, hosting: AnyHosting, sandbox: RunningSandbox, form: Form
) -> Response:
    """Keeps the market under a name."""

    async def act() -> Outcome:
        kept = await save(NewSnapshot(name=form.get("name", "")), hosting, sandbox)
        return Outcome(said="done_save", values={"name": kept.name, "block": f"{kept.block:,}"})

    return await screen.carry_out_later(PLACE, form, act, lambda: _outcomes(hosting))


@router.post("/sandbox/snapshots/drop", dependencies=[Depends(only_own_pages)])
def drop_by_form(screen: Shown, hosting: AnyHosting, form: Form) -> Response:
    """Drops a snapshot."""
    name = form.get("name", "")

    def act() -> Outcome:
        drop(name, hosting)
        return Outcome(said="done_drop", values={"name": name})

    return screen.carry_out(PLACE, form, act)


@router.post("/sandbox/snapshots/restore", dependencies=[Depends(only_own_pages)])
async def restore_by_form(
    screen: Shown, hosting: AnyHosting, sandbox: RunningSandbox, form: Form
) -> Response:
    """Goes back to a snapshot."""
    name = form.get("name", "")

    async def act() -> Outcome:
        market = await restore(name, hosting, sandbox)
        return Outcome(said="done_restore", values={"name": name, "block": f"{market.block:,}"})

    led_on = await screen.carry_out_later(PLACE, form, act, lambda: _outcomes(hosting))
    return _with_new_key(screen.visit, hosting, led_on)


@router.post("/sandbox/snapshots/reset", dependencies=[Depends(only_own_pages)])
async def reset_by_form(
    screen: Shown, hosting: AnyHosting, sandbox: RunningSandbox, form: Form
) -> Response:
    """Begins anew."""

    async def act() -> Outcome:
        market = await reset(ResetMarket(seed=form.get("seed") or None), hosting, sandbox)
        return Outcome(said="done_reset", values={"seed": market.seed})

    led_on = await screen.carry_out_later(PLACE, form, act, lambda: _outcomes(hosting))
    return _with_new_key(screen.visit, hosting, led_on)


def _hosting(request: Request) -> tuple[Hosting | None, RefusedError | None]:
    """Who can put another market in the place of this one, or why nobody can."""
    try:
        return hosting_of(request), None
    except RefusedError as error:
        return None, error


def _outcomes(hosting: Hosting) -> Outcomes:
    """Those of the application that is served now: what it replaced has its own, and is gone."""
    outcomes = hosting.application.state.outcomes
    assert isinstance(outcomes, Outcomes)
    return outcomes


def _seed_after(act: str, seed: str, snapshot: Snapshot | None) -> str:
    """The seed of the market that will run."""
    return seed if act == RESET or snapshot is None else snapshot.seed or seed


def _with_new_key(visit: Visit, hosting: Hosting, led_on: Response) -> Response:
    """Where the seed is another one, all keys are: whoever chose it is signed in with the new one.

    A session that is still good goes on.
    """
    access, token = hosting.application.state.access, session_token(visit.request)
    assert isinstance(access, Access)
    if visit.begun_with is None or (token and access.of_session(token)):
        return led_on
    key = access.of_ticket(access.ticket() or "")
    assert key is not None, "the seed gives the operator a key"
    return signed_in(visit.request, access, key, led_on.headers["location"])
