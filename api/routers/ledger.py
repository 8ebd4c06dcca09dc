"""Participants, cycles, positions and reconciliation: what the nodes' books say."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response, status

from api import schemas
from api.access.owning import check_reads
from api.access.visible import (
    visible_participant,
    visible_positions,
    visible_reconciliation,
)
from api.break_schemas import Reconciliation
from api.break_views import reconciliation_view
from api.dependencies import (
    CallingHolder,
    Cursor,
    Limit,
    RunningSandbox,
    only_known_parameters,
    page_of,
)
from api.errors import problems, refuse
from api.views import cycle_view, participant_view, position_views
from ledger.domain.reasons import Reason

router = APIRouter(
    prefix="/v1",
    tags=["ledger"],
    dependencies=[Depends(only_known_parameters)],
    responses=problems(422, 503),
)

CYCLE_NUMBER_MAX = 2**31
ParticipantFilter = Annotated[
    str | None, Query(max_length=24, description="Only this participant's.", examples=["BRK-A"])
]


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
    sandbox: RunningSandbox, cursor: Cursor, limit: Limit = 100
) -> schemas.Page[schemas.Cycle]:
    """The netting cycles, oldest first."""
    with sandbox.lock:
        consortium = sandbox.consortium
        rows = consortium.clearing_house.cycles.all()
        views = [cycle_view(consortium, row) for row in rows[cursor : cursor + limit]]
        height = consortium.clearing_house.projection.height
    return page_of(views, cursor, len(rows), height)


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
    number: Annotated[int, Path(ge=1, le=CYCLE_NUMBER_MAX)], sandbox: RunningSandbox
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
    cursor: Cursor,
    limit: Limit = 100,
    participant: ParticipantFilter = None,
) -> schemas.Page[schemas.Position]:
    """Positions, from the books of their owners' own nodes.

    One's own; a bank sees the cash of those it is the settlement bank of, the registrar securities.
    """
    with sandbox.lock:
        consortium = sandbox.consortium
        if participant is not None and participant not in consortium.nodes:
            raise refuse(Reason.UNKNOWN, f"there is no participant {participant}")
        views_of_all = position_views(consortium, participant)
        everything = visible_positions(consortium.network, holder, views_of_all)
        if participant is not None and not everything:
            check_reads(holder, participant)
        height = consortium.clearing_house.projection.height
    views = everything[cursor : cursor + limit]
    return page_of(views, cursor, len(everything), height)


@router.get("/reconciliation", operation_id="reconciliation.read", summary="Reconciliation")
def read_reconciliation(sandbox: RunningSandbox, holder: CallingHolder) -> Reconciliation:
    """Own books, ledger and statements compared, node by node, with the open breaks: one's own."""
    with sandbox.lock:
        return visible_reconciliation(holder, reconciliation_view(sandbox.consortium))
