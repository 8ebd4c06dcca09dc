"""Scenarios: the bundled ones, one's own, and what became of one that was played."""

from collections.abc import Iterable
from itertools import groupby
from threading import BoundedSemaphore
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import HTMLResponse, Response

from api.body_guard import BodyBounds, bounded
from api.dependencies import RunningSandbox
from api.errors import refuse
from api.routers.sandbox_controls import SCENARIO_BYTES_MAX, ScenarioTurn, in_turn
from api.web.forms import Form, only_own_pages
from api.web.outcomes import Outcome
from api.web.page_route import PageRoute
from api.web.sandbox.screen import Shown
from ledger.domain.reasons import Reason
from nodes.scenario.bundled import PackEntry, pack_file, pack_index
from nodes.scenario.told import play_and_tell, steps_of

router = APIRouter(include_in_schema=False, route_class=PageRoute)

PLACE: Final = "/sandbox/scenarios"
_NAME_CHARS_MAX: Final = 80
_ENCODED_MAX: Final = 3
"""A form says a character of a file in up to so many of its own, and a little around it."""
EXAMPLE: Final = """\
scenario: my-first
title: "A buys from B, and both sides settle at once"
participants:
- {id: A, role: broker}
- {id: B, role: broker}
instruments:
- {isin: X}
opening:
  cash: {A: '1000.00'}
  securities: {B: {X: 10}}
events:
- instruct: {id: I1, kind: dvp, seller: B, buyer: A, isin: X, quantity: 10, amount: '250.00'}
expect:
  instructions: {I1: settled}
  cash: {A: '750.00', B: '250.00'}
  breaks: 0
"""
"""With which one's own begins."""
Name = Annotated[str, Path(max_length=_NAME_CHARS_MAX)]


@router.get("/sandbox/scenarios", response_class=HTMLResponse)
def scenarios_page(
    screen: Shown,
    _sandbox: RunningSandbox,
    q: Annotated[str, Query(max_length=_NAME_CHARS_MAX)] = "",
) -> Response:
    """The bundled scenarios that a search finds, by topic; and a form for one's own."""
    found = [each for each in pack_index() if _is_about(each, q)]
    return screen.answer(
        "scenarios",
        q=q,
        example=EXAMPLE,
        total=len(pack_index()),
        found=len(found),
        topics=_by_topic(found),
        told_scenario=screen.outcome.result,
    )


@router.post("/sandbox/scenarios", dependencies=[Depends(only_own_pages)])
@bounded(BodyBounds(bytes_max=_ENCODED_MAX * SCENARIO_BYTES_MAX + 4_096, openings_max=None))
def play_by_form(screen: Shown, turn: ScenarioTurn, form: Form) -> Response:
    """Plays a scenario of one's own on a network of its own."""

    def act() -> Outcome:
        content = form.get("scenario", "").replace("\r\n", "\n").encode()
        if len(content) > SCENARIO_BYTES_MAX:
            found = f"expected at most {SCENARIO_BYTES_MAX} bytes, found {len(content)}"
            raise refuse(Reason.INVALID, f"scenario: {found}")
        return _played(turn, content, form)

    return screen.carry_out(PLACE, form, act)


@router.get("/sandbox/scenarios/{name}", response_class=HTMLResponse)
def scenario_page(screen: Shown, _sandbox: RunningSandbox, name: Name) -> Response:
    """One bundled scenario: its steps, its file, and what became of it when it was played."""
    content = _content(name)
    return screen.answer(
        "scenario",
        entry=next(each for each in pack_index() if each.name == name),
        steps=steps_of(content),
        text=content.decode(),
        told_scenario=screen.outcome.result,
    )


@router.post("/sandbox/scenarios/{name}/run", dependencies=[Depends(only_own_pages)])
def play_bundled_by_form(screen: Shown, turn: ScenarioTurn, name: Name) -> Response:
    """Plays a bundled scenario on a network of its own."""
    content = _content(name)
    return screen.carry_out(f"{PLACE}/{name}", {}, lambda: _played(turn, content, {}))


def _played(turn: BoundedSemaphore, content: bytes, form: Form) -> Outcome:
    told = in_turn(turn, lambda: play_and_tell(content))
    return Outcome(result=told, form=form)


def _content(name: str) -> bytes:
    file = pack_file(name)
    if file is None:
        raise refuse(Reason.UNKNOWN, f"there is no scenario {name}")
    return file.read_bytes()


def _is_about(entry: PackEntry, q: str) -> bool:
    """Whether every word that is searched for stands in its name, topic or title."""
    text = f"{entry.name} {entry.topic} {entry.title}".lower()
    return all(word in text for word in q.lower().split())


def _by_topic(entries: Iterable[PackEntry]) -> dict[str, list[PackEntry]]:
    return {topic: list(of_it) for topic, of_it in groupby(entries, lambda each: each.topic)}
