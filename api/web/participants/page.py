"""The address book of participants, and the page of one."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from fastapi.responses import HTMLResponse, Response

from api.dependencies import CallingHolder, RunningSandbox
from api.policies import Caller
from api.web.page_route import PageRoute
from api.web.participants.shown import (
    POSITIONS_A_PAGE,
    PositionSearch,
    address_book,
    profile_of,
)
from api.web.participants.words import (
    CALLER_WORDS,
    EVENT_WORDS,
    PARTICIPANTS_WORDS,
    TOLD_WORDS,
)
from api.web.visit import Visit, Visiting
from api.web.words import BREAK_KINDS
from ledger.domain.key_holders import KeyHolder
from ledger.domain.reasons import Reason
from nodes.journal.event import Event
from nodes.sandbox.sandbox import Sandbox

router = APIRouter(include_in_schema=False, route_class=PageRoute)

TEXT_MAX: Final = 40
FIRST_MAX: Final = 10**9
Text = Annotated[str, Query(max_length=TEXT_MAX)]


@router.get("/participants", response_class=HTMLResponse)
def participants_page(visit: Visiting, sandbox: RunningSandbox, holder: CallingHolder) -> Response:
    """Everybody; the page keeps itself up to date."""
    return _book(visit, "participants/page.html", sandbox, holder)


@router.get("/parts/participants", response_class=HTMLResponse)
def participants_part(visit: Visiting, sandbox: RunningSandbox, holder: CallingHolder) -> Response:
    """The part that changes."""
    return _book(visit, "participants/part.html", sandbox, holder)


def _search(
    asset: Text = "",
    kind: Text = "",
    differing: Text = "",
    first: Annotated[int, Query(ge=0, le=FIRST_MAX)] = 0,
) -> PositionSearch:
    return PositionSearch(asset.strip(), kind, bool(differing), first)


@router.get("/participants/{participant}", response_class=HTMLResponse)
def participant_page(
    visit: Visiting,
    sandbox: RunningSandbox,
    holder: CallingHolder,
    participant: str,
    search: Annotated[PositionSearch, Depends(_search)],
) -> Response:
    """One participant: what it holds, what it may do, and what it did last."""
    with sandbox.lock:
        profile = profile_of(sandbox, holder, participant, search)
    return visit.answer(
        "participants/participant.html",
        PARTICIPANTS_WORDS,
        profile=profile,
        who=profile.entry.participant,
        search=search,
        page=POSITIONS_A_PAGE,
        told=lambda event: _told(visit, event),
        what=lambda event: _what(visit, event),
        caller=lambda each: _caller(visit, each),
    )


def _book(visit: Visit, template: str, sandbox: Sandbox, holder: KeyHolder) -> Response:
    with sandbox.lock:
        book = address_book(sandbox.consortium, holder)
    return visit.answer(template, PARTICIPANTS_WORDS, book=book)


def _caller(visit: Visit, caller: Caller) -> str:
    return visit.word(CALLER_WORDS, caller.name.lower())


def _what(visit: Visit, event: Event) -> str:
    """What an event is, in two words: what it is of, and what has happened to it."""
    family, act = event.type.split(".")[-3:-1]
    return f"{visit.word(EVENT_WORDS, family)} {visit.word(EVENT_WORDS, act)}"


def _told(visit: Visit, event: Event) -> str:
    """What of an event's data fits into a line: why, how many, in which cycle."""
    data = event.data
    said = [
        visit.word(TOLD_WORDS, name).format(data[name]) for name in TOLD_WORDS if data.get(name)
    ]
    if data.get("kind") in BREAK_KINDS:
        said.append(visit.word(BREAK_KINDS, data["kind"]))
    if data.get("reason") in Reason.__members__:
        said.append(f"{data['reason']}: {visit.cause(data['reason'])}")
    return ", ".join(said)
