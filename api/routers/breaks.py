"""Breaks: listed, looked up, and worked on by the staff of their owners."""

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Depends

from api import break_schemas as schemas
from api.break_lists import BreakAndHistory, breaks_seen_by, work_on_break
from api.break_lists import read_break as find_break
from api.break_views import break_detail, break_view
from api.dependencies import (
    CallingHolder,
    Cursor,
    RunningSandbox,
    only_known_parameters,
    page_of,
)
from api.errors import problems
from api.parameters import Limit, OnlyParticipant
from api.said import in_path, in_query
from ledger.books.break_life import Break
from ledger.books.breaks import BreakFilter
from ledger.domain.breaks import AgeBucket, BreakKind, BreakState
from ledger.domain.key_holders import KeyHolder
from ledger.domain.reasons import Rejected
from nodes.node import Node
from nodes.sandbox.sandbox import Sandbox

router = APIRouter(
    prefix="/v1",
    tags=["breaks"],
    dependencies=[Depends(only_known_parameters)],
    responses=problems(409, 422, 503),
)

Owner = Annotated[
    str, in_path("Whose records found it.", "发现差异的一方。", "BRK-A", max_length=24)
]
BreakId = Annotated[
    str,
    in_path("The break's id.", "差异编号。", "9f2b5c7d81e0a364", pattern=r"^[0-9a-f]{16}$"),
]


def wanted_breaks(
    kind: Annotated[
        schemas.KindName | None, in_query("Only of this kind.", "仅该类别的。", "quantity")
    ] = None,
    state: Annotated[
        schemas.StateName | Literal["all"] | None,
        in_query("Only in this state; all: in any.", "仅处于该状态的；all：全部。", "open"),
    ] = None,
    assignee: Annotated[
        str | None,
        in_query(
            "Only this person's; empty: nobody's.",
            "仅该负责人的；留空：无人负责的。",
            "li.na",
            max_length=60,
        ),
    ] = None,
    subject: Annotated[
        str,
        in_query(
            "Only if it is about what has this.", "仅所涉事项含此文字的。", "CNY", max_length=100
        ),
    ] = "",
    asset: Annotated[
        str | None,
        in_query(
            "Only of this ISIN or currency.", "仅该证券代码（ISIN）或币种的。", "CNY", max_length=24
        ),
    ] = None,
    as_of_block: Annotated[
        int | None,
        in_query(
            "Those that stood when this block was final, as they were then; aged until now.",
            "该区块取得最终性时仍存在的差异，按当时的记录；账龄计至当前。",
            14,
            ge=0,
            le=2**53,
        ),
    ] = None,
) -> BreakFilter:
    """Which breaks are asked for."""
    return BreakFilter(
        states=(BreakState(state),) if state and state != "all" else (),
        kind=BreakKind(kind) if kind else None,
        assignee=assignee,
        contains=subject,
        asset=asset or None,
        as_of_block=as_of_block,
    )


@router.get("/breaks", operation_id="breaks.list", summary="List breaks", responses=problems(404))
def list_breaks(
    sandbox: RunningSandbox,
    holder: CallingHolder,
    cursor: Cursor,
    wanted: Annotated[BreakFilter, Depends(wanted_breaks)],
    limit: Limit = 100,
    owner: OnlyParticipant = None,
    bucket: Annotated[
        schemas.BucketName | None,
        in_query("Only so many business days old.", "仅该账龄（营业日）的。", "2-5"),
    ] = None,
) -> schemas.Breaks:
    """Breaks, oldest first, from the nodes of their owners; `away` says whose are not known now."""
    age = AgeBucket(bucket) if bucket else None
    with sandbox.lock:
        consortium = sandbox.consortium
        seen = breaks_seen_by(consortium, holder, wanted, owner, age)
        height = consortium.clearing_house.projection.height
    found, away = seen.breaks, seen.away
    views = [break_view(each) for each in found[cursor : cursor + limit]]
    page = page_of(views, cursor, len(found), height)
    return schemas.Breaks(
        as_of_block=page.as_of_block, data=page.data, next_cursor=page.next_cursor, away=away
    )


@router.get(
    "/breaks/{owner}/{break_id}",
    operation_id="breaks.read",
    summary="Look a break up",
    responses=problems(404),
)
def read_break(
    owner: Owner, break_id: BreakId, sandbox: RunningSandbox, holder: CallingHolder
) -> schemas.BreakDetail:
    """Both versions, the likely cause, what would close it, and everything that has happened."""
    with sandbox.lock:
        return _detail(find_break(sandbox.consortium, holder, owner, break_id))


@router.post(
    "/breaks/{owner}/{break_id}/assign",
    operation_id="breaks.assign",
    summary="Assign a break",
    responses=problems(403, 404, 409, 507),
)
def assign_break(
    owner: Owner,
    break_id: BreakId,
    asked: schemas.AssignBreak,
    sandbox: RunningSandbox,
    holder: CallingHolder,
) -> schemas.BreakDetail:
    """Has somebody look after it. Only the owner's own staff."""
    return _changed(
        sandbox, holder, owner, lambda node: node.assign_break(break_id, asked.to, asked.by)
    )


@router.post(
    "/breaks/{owner}/{break_id}/comment",
    operation_id="breaks.comment",
    summary="Comment on a break",
    responses=problems(403, 404, 409, 507),
)
def comment_on_break(
    owner: Owner,
    break_id: BreakId,
    asked: schemas.CommentOnBreak,
    sandbox: RunningSandbox,
    holder: CallingHolder,
) -> schemas.BreakDetail:
    """Adds a comment to its history. Only the owner's own staff."""
    return _changed(
        sandbox, holder, owner, lambda node: node.comment_break(break_id, asked.text, asked.by)
    )


@router.post(
    "/breaks/{owner}/{break_id}/resolve",
    operation_id="breaks.resolve",
    summary="Resolve a break",
    responses=problems(403, 404, 409, 507),
)
def resolve_break(
    owner: Owner,
    break_id: BreakId,
    asked: schemas.ResolveBreak,
    sandbox: RunningSandbox,
    holder: CallingHolder,
) -> schemas.BreakDetail:
    """Notes that it is dealt with, and why; it closes by itself once the difference has gone.

    When the records come to differ otherwise it is open again. Only the owner's own staff.
    """
    return _changed(
        sandbox, holder, owner, lambda node: node.resolve_break(break_id, asked.reason, asked.by)
    )


@router.post(
    "/breaks/{owner}/{break_id}/reopen",
    operation_id="breaks.reopen",
    summary="Reopen a break",
    responses=problems(403, 404, 409, 507),
)
def reopen_break(
    owner: Owner,
    break_id: BreakId,
    asked: schemas.ReopenBreak,
    sandbox: RunningSandbox,
    holder: CallingHolder,
) -> schemas.BreakDetail:
    """Takes its resolution back. Only the owner's own staff."""
    return _changed(sandbox, holder, owner, lambda node: node.reopen_break(break_id, asked.by))


def _changed(
    sandbox: Sandbox, holder: KeyHolder, owner: str, act: Callable[[Node], Break | Rejected]
) -> schemas.BreakDetail:
    with sandbox.lock:
        return _detail(work_on_break(sandbox.consortium, holder, owner, act))


def _detail(read: BreakAndHistory) -> schemas.BreakDetail:
    return break_detail(read.found, read.history)
