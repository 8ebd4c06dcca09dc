"""The business clock: what it shows, and how it is set."""

from typing import Any, Final

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse, Response

from api.clock_schemas import Clock, ClockChange
from api.dependencies import RunningSandbox
from api.routers.clock import MIDNIGHT, clock_view, set_clock
from api.web.forms import Form, only_own_pages
from api.web.outcomes import Outcome
from api.web.page_route import PageRoute
from api.web.sandbox.screen import Screen, Shown, whole_number
from nodes.business_clock import OPENING
from nodes.sandbox.sandbox import Sandbox

router = APIRouter(include_in_schema=False, route_class=PageRoute)

PLACE: Final = "/sandbox/clock"
MINUTE: Final = 60
STEPS: Final = (MINUTE, 15 * MINUTE, 60 * MINUTE)
"""By how many seconds the clock is moved with one button."""


@router.get("/sandbox/clock", response_class=HTMLResponse)
def clock_page(screen: Shown, sandbox: RunningSandbox) -> Response:
    """What it shows, and what can be done to it."""
    return _answer(screen, "clock", sandbox)


@router.get("/parts/sandbox/clock", response_class=HTMLResponse)
def clock_part(screen: Shown, sandbox: RunningSandbox) -> Response:
    """What it shows now."""
    return _answer(screen, "clock_part", sandbox)


@router.post("/sandbox/clock", dependencies=[Depends(only_own_pages)])
def set_clock_by_form(screen: Shown, sandbox: RunningSandbox, form: Form) -> Response:
    """Freezes it, moves it, lets it run, or ends the day."""

    def act() -> Outcome:
        shown = set_clock(ClockChange.model_validate(_change(form)), sandbox)
        state = "done_clock_frozen" if shown.frozen else "done_clock_running"
        return Outcome(said=state, values={"time": shown.business_time.replace("T", " ")})

    return screen.carry_out(PLACE, form, act)


def _change(form: Form) -> dict[str, Any]:
    """What is asked of the clock, as the interface has it; nothing for what is no act."""
    act, time = form.get("act", ""), form.get("time", "")
    changes = {
        "freeze": {"frozen": True},
        "run": {"frozen": False},
        "advance": {"advance": whole_number(form, "seconds")},
        "to": {"time": time},
        "end_of_day": {"end_of_day": True},
        "next_day": {"next_day": True},
        "end_of_day_at": {"end_of_day_at": time or MIDNIGHT},
    }
    return changes.get(act, {})


def _answer(screen: Screen, template: str, sandbox: Sandbox) -> Response:
    with sandbox.lock:
        clock = clock_view(sandbox)
        is_set_by_hand = sandbox.time.clock is not None
    return screen.answer(
        template,
        clock=clock,
        is_set_by_hand=is_set_by_hand,
        has_day_ended=_has_ended(clock),
        steps=STEPS,
        opening=OPENING.isoformat("minutes"),
    )


def _has_ended(clock: Clock) -> bool:
    """Whether the business date that is shown has had its end."""
    return clock.last_day_ended is not None and clock.last_day_ended >= clock.business_date
