"""The page of one break: every version of it, its history, and what its owner's staff may do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Path, Query, status
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError

from api.break_lists import BreakAndHistory, read_break, work_on_break
from api.break_schemas import AssignBreak, CommentOnBreak, ReopenBreak, ResolveBreak
from api.dependencies import CallingHolder, RunningSandbox
from api.errors import RefusedError, refuse
from api.expected_forms import faults_in_words
from api.schemas import Wire
from api.web.forms import Form, only_own_pages
from api.web.page_route import PageRoute
from api.web.reconciliation.lists import shown_break
from api.web.reconciliation.versions import Side, sides_of_version
from api.web.reconciliation.words import BREAK_ACTS, BREAK_STATES, RECONCILIATION_WORDS
from api.web.visit import Visit, Visiting
from ledger.books.break_life import Break, BreakEntry
from ledger.domain.break_actions import BreakSubject
from ledger.domain.breaks import BreakAct
from ledger.domain.key_holders import KeyHolder
from ledger.domain.reasons import Reason, Rejected
from nodes.node import Node
from nodes.trade_words import CANCEL_MARK, is_trade_name

router = APIRouter(include_in_schema=False, route_class=PageRoute)

Owner = Annotated[str, Path(max_length=24)]
BreakId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]
ActName = Literal["assign", "comment", "resolve", "reopen"]
SEQUENCE_DIGITS_MAX: Final = 18

Work = Callable[[Node, str, Mapping[str, str]], Break | Rejected]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that has happened to a break, and the versions that it led to, if it did."""

    entry: BreakEntry
    before: list[Side]
    after: list[Side]


@router.get("/reconciliation/breaks/{owner}/{break_id}", response_class=HTMLResponse)
def break_page(
    owner: Owner,
    break_id: BreakId,
    visit: Visiting,
    sandbox: RunningSandbox,
    holder: CallingHolder,
    done: Annotated[ActName | None, Query()] = None,
) -> Response:
    """The page."""
    with sandbox.lock:
        read = read_break(sandbox.consortium, holder, owner, break_id)
    return _answer(visit, holder, read, done=done)


@router.post(
    "/reconciliation/breaks/{owner}/{break_id}",
    response_class=HTMLResponse,
    dependencies=[Depends(only_own_pages)],
)
def act_on_break(
    owner: Owner,
    break_id: BreakId,
    visit: Visiting,
    sandbox: RunningSandbox,
    holder: CallingHolder,
    form: Form,
) -> Response:
    """Does what a form asks for, once however often it is sent, and shows the break again."""
    with sandbox.lock:
        consortium = sandbox.consortium
        try:
            act, fields = _asked(form)
            seen = form.get("seen", "")
            work_on_break(
                consortium,
                holder,
                owner,
                lambda node: _done_once(node, break_id, act, fields, seen),
            )
        except RefusedError as error:
            read = read_break(consortium, holder, owner, break_id)
            refusal = error.refusal
            return _answer(
                visit, holder, read, code=refusal.reason.http_status, refusal=refusal, form=form
            )
    place = visit.link(f"/reconciliation/breaks/{owner}/{break_id}", done=act)
    return RedirectResponse(place, status.HTTP_303_SEE_OTHER)


def _asked(form: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """What a form asks for, and what that needs; a field that is left empty is not sent."""
    act = form.get("act", "")
    if act not in _WORK:
        raise refuse(Reason.INVALID, f"act: expected {', '.join(_WORK)}, found {act[:20]!r}")
    schema, _ = _WORK[act]
    fields = {name: form.get(name, "").strip() for name in schema.model_fields}
    try:
        schema.model_validate(fields)
    except ValidationError as error:
        raise refuse(Reason.INVALID, faults_in_words(error.errors(), schema)) from error
    return act, fields


def _done_once(
    node: Node, key: str, act: str, fields: Mapping[str, str], seen: str
) -> Break | Rejected:
    """Does it, unless the same form has been sent before: ``seen`` says how far its page knew."""
    _, work = _WORK[act]
    found = node.find_break(key)
    if act == "comment" and found is not None:
        is_number = seen.isascii() and seen.isdigit() and len(seen) <= SEQUENCE_DIGITS_MAX
        known = int(seen) if is_number else 0
        new = [each for each in node.break_history(key) if each.sequence > known]
        said = (BreakAct.COMMENTED, fields["by"], fields["text"])
        if is_number and any((each.act, each.actor, each.text) == said for each in new):
            return found
    return work(node, key, fields)


_WORK: Final[Mapping[str, tuple[type[Wire], Work]]] = {
    "assign": (AssignBreak, lambda node, key, its: node.assign_break(key, its["to"], its["by"])),
    "comment": (
        CommentOnBreak,
        lambda node, key, its: node.comment_break(key, its["text"], its["by"]),
    ),
    "resolve": (
        ResolveBreak,
        lambda node, key, its: node.resolve_break(key, its["reason"], its["by"]),
    ),
    "reopen": (ReopenBreak, lambda node, key, its: node.reopen_break(key, its["by"])),
}


def _answer(
    visit: Visit,
    holder: KeyHolder,
    read: BreakAndHistory,
    *,
    code: int = status.HTTP_200_OK,
    refusal: Rejected | None = None,
    form: Mapping[str, str] | None = None,
    done: str | None = None,
) -> Response:
    found = read.found
    shown = {
        "each": shown_break(found),
        "is_standing": found.is_standing,
        "history": _events(read),
        "about": _about(found),
        "may_act": holder.acts_for(found.owner),
        "last_sequence": max((entry.sequence for entry in read.history), default=0),
        "refusal": refusal,
        "form": form or {},
        "done": done,
        "act_word": lambda act: visit.word(BREAK_ACTS, act.value),
        "break_state": lambda key: visit.word(BREAK_STATES, key),
    }
    return visit.answer("reconciliation/break.html", RECONCILIATION_WORDS, code, **shown)


def _events(read: BreakAndHistory) -> list[Event]:
    """The history, the latest first."""
    subject = BreakSubject.of(read.found.id)
    return [
        Event(
            entry,
            sides_of_version(subject, entry.before) if entry.before else [],
            sides_of_version(subject, entry.after) if entry.after else [],
        )
        for entry in reversed(read.history)
    ]


def _about(found: Break) -> str:
    """The path of what a break is about; empty where it has no page."""
    match BreakSubject.of(found.id):
        case BreakSubject.TRADE | BreakSubject.INSTRUCTION:
            # An instruction of a trade has its name; others have no page.
            is_of_trade = is_trade_name(found.subject)
            return f"/trades/{found.subject.removesuffix(CANCEL_MARK)}" if is_of_trade else ""
        case BreakSubject.CYCLE:
            return f"/cycles/{found.subject.removeprefix('cycle ')}"
        case _:
            return f"/participants/{found.owner}"
