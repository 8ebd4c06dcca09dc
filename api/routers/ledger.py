"""Participants, cycles, positions and reconciliation: what the nodes' books say."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Response, status

from api import schemas
from api.access.owning import check_reads
from api.access.visible import sees_holding, visible_participant, visible_reconciliation
from api.break_schemas import Reconciliation
from api.break_views import reconciliation_view
from api.dependencies import (
    CallingHolder,
    Cursor,
    RunningSandbox,
    only_known_parameters,
    page_of,
)
from api.errors import problems, refuse
from api.paging import KeyCursor, page_after
from api.parameters import Limit, OnlyParticipant
from api.participants import require_participant
from api.positions import position_view, positions_at, positions_now
from api.said import in_path, in_query
from api.views import cycle_view, participant_view
from ledger.domain.reasons import Reason

router = APIRouter(
    prefix="/v1",
    tags=["ledger"],
    dependencies=[Depends(only_known_parameters)],
    responses=problems(409, 422, 503),
)

CYCLE_NUMBER_MAX = 2**31
CycleState = Literal["settled", "submitted", "empty", "abandoned"]


@router.get("/participants", operation_id="participants.list", summary="List participants")
def list_participants(
    sandbox: RunningSandbox, holder: CallingHolder, cursor: Cursor, limit: Limit = 100
) -> schemas.Page[schemas.Participant]:
    """The institutions, each as of the block its own books are at."""
    with sandbox.lock:
        consortium = sandbox.consortium
        nodes = list(consortium.nodes.values())
        shown = nodes[cursor : cursor + limit]
        views = [visible_participant(holder, participant_view(consortium, n)) for n in shown]
        height = consortium.clearing_house.projection.height
    return page_of(views, cursor, len(nodes), height)


@router.get("/cycles", operation_id="cycles.list", summary="List netting cycles")
def list_cycles(
    sandbox: RunningSandbox,
    cursor: Cursor,
    limit: Limit = 100,
    state: Annotated[
        CycleState | None, in_query("Only those in this state.", "仅处于该状态的。", "settled")
    ] = None,
) -> schemas.Page[schemas.Cycle]:
    """The netting cycles, oldest first."""
    with sandbox.lock:
        consortium = sandbox.consortium
        rows = consortium.clearing_house.cycles.all()[cursor:]
        wanted = [row for row in rows if state in (None, row.state)]
        views = [cycle_view(consortium, row) for row in wanted[:limit]]
        height = consortium.clearing_house.projection.height
    # Numbers are dense from 1: the last one shown is where the next page begins.
    following = str(wanted[limit - 1].number) if len(wanted) > limit else None
    return schemas.Page(as_of_block=height, data=views, next_cursor=following)


@router.post(
    "/cycles",
    status_code=status.HTTP_201_CREATED,
    operation_id="cycles.create",
    summary="Strike a cycle now",
    response_model=schemas.Cycle,
    responses={204: {"description": "No trade is waiting."}, **problems(507)},
)
def strike_cycle(sandbox: RunningSandbox) -> schemas.Cycle | Response:
    """Strikes a cycle over the trades captured so far and settles it; later trades wait.

    The answer is the cycle as it came out: settled, empty (all its trades left it) or abandoned.
    """
    with sandbox.lock:
        row = sandbox.strike()
        if row is None:
            return Response(status_code=status.HTTP_204_NO_CONTENT)
        return cycle_view(sandbox.consortium, row)


@router.get(
    "/cycles/{number}",
    operation_id="cycles.read",
    summary="Look a cycle up",
    responses=problems(404),
)
def read_cycle(
    number: Annotated[
        int, in_path("The cycle's number.", "批次号。", 1, ge=1, le=CYCLE_NUMBER_MAX)
    ],
    sandbox: RunningSandbox,
) -> schemas.Cycle:
    """One netting cycle."""
    with sandbox.lock:
        row = sandbox.consortium.clearing_house.cycles.get(number)
        if row is None:
            raise refuse(Reason.UNKNOWN, f"there is no cycle {number}")
        return cycle_view(sandbox.consortium, row)


@router.get(
    "/positions",
    operation_id="positions.list",
    summary="List positions",
    responses=problems(404),
)
def list_positions(
    sandbox: RunningSandbox,
    holder: CallingHolder,
    cursor: KeyCursor,
    limit: Limit = 100,
    participant: OnlyParticipant = None,
    as_of_block: Annotated[
        int | None,
        in_query(
            "As they were when this block was final; else as of now.",
            "该区块取得最终性时的持仓；省略则为当前。",
            14,
            ge=0,
            le=2**53,
        ),
    ] = None,
) -> schemas.Page[schemas.Position]:
    """Positions, from the books of their owners' own nodes; of one that is away, from the ledger.

    One's own; a bank sees the cash of those it is the settlement bank of, the registrar securities.
    As of an earlier block, they are what the chain says: all its blocks up to that one, once more.
    """
    with sandbox.lock:
        consortium = sandbox.consortium
        if participant is not None:
            require_participant(consortium, participant)
        height = consortium.clearing_house.projection.height
        is_now = as_of_block in (None, height)
        found = positions_now(consortium, participant) if is_now else []
    if as_of_block is not None and not is_now:
        found, height = positions_at(sandbox, participant, as_of_block), as_of_block
    network = consortium.network
    own = [each for each in found if sees_holding(network, holder, each.node.id, each.register)]
    if participant is not None and not own:
        check_reads(holder, participant)
    page, following = page_after(own, lambda each: each.sort_key, cursor, limit)
    views = [position_view(each) for each in page]
    return schemas.Page(as_of_block=height, data=views, next_cursor=following)


@router.get("/reconciliation", operation_id="reconciliation.read", summary="Reconciliation")
def read_reconciliation(sandbox: RunningSandbox, holder: CallingHolder) -> Reconciliation:
    """Own books, ledger and statements compared, node by node, with the open breaks: one's own."""
    with sandbox.lock:
        return visible_reconciliation(holder, reconciliation_view(sandbox.consortium))
