"""Two-sided entry: each participant enters its own side, and the clearing house matches them."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Response, status

from api import side_schemas as schemas
from api.access.owning import check_owns, check_reads
from api.dependencies import (
    CallingHolder,
    Cursor,
    RunningSandbox,
    only_known_parameters,
)
from api.errors import RefusedError, problems, refuse
from api.parameters import Limit, TraderInPath
from api.participants import require_trader
from api.said import in_path, in_query
from api.schemas import Page
from api.side_search import first_sides
from api.side_terms import participant_of, side_of, wishes_of
from api.side_views import allegement_view, found_view, side_view
from ledger.domain.instructions import State
from ledger.domain.key_holders import KeyHolder
from ledger.domain.reasons import Reason, Rejected
from nodes.consortium import Consortium
from nodes.sandbox.sandbox import Sandbox

router = APIRouter(
    prefix="/v1",
    tags=["sides"],
    dependencies=[Depends(only_known_parameters)],
    responses=problems(409, 422, 503),
)

Reference = Annotated[
    str,
    in_path(
        "The participant's own name of its side.",
        "参与方为其单方录入自定的编号。",
        "S1",
        max_length=24,
    ),
]


@router.post(
    "/sides",
    status_code=status.HTTP_201_CREATED,
    operation_id="sides.create",
    summary="Enter a side",
    responses={
        200: {"model": schemas.SideFound, "description": "It was entered before."},
        **problems(403, 404, 409, 507),
    },
)
def create_side(
    new: schemas.NewSide, sandbox: RunningSandbox, holder: CallingHolder, response: Response
) -> schemas.SideFound:
    """Enters a participant's own side through its own node; it is on disk when this answers.

    With the side of the counterparty it becomes an instruction, which settles as soon as it can.
    The same again is answered with 200; the same reference with other content with 409.
    """
    network = sandbox.consortium.network
    participant = participant_of(network, new)
    check_owns(holder, new.account)
    side, wishes = side_of(network, new), wishes_of(new)

    def enter(consortium: Consortium) -> bool | Rejected:
        was_known = _is_known(consortium, participant, new.reference)
        refusal = consortium.trader(participant).enter_side(new.reference, side, wishes)
        return refusal or was_known

    return _entered(sandbox, response, participant, new.reference, enter)


@router.get("/sides", operation_id="sides.list", summary="List sides", responses=problems(404))
def list_sides(
    sandbox: RunningSandbox,
    holder: CallingHolder,
    cursor: Cursor,
    limit: Limit = 100,
    participant: Annotated[
        str | None,
        in_query("Only those that it has entered.", "仅其录入的。", "BRK-A", max_length=24),
    ] = None,
    state: Annotated[
        State | None, in_query("Only those in this state.", "仅处于该状态的。", "unmatched")
    ] = None,
) -> Page[schemas.Side]:
    """One's own sides in the order in which they came in."""
    if participant is None and not holder.sees_everything:
        # Who has no account can have entered none.
        participant = holder.participant or ""
    elif participant is not None:
        check_reads(holder, participant)
    with sandbox.lock:
        network, desk = sandbox.consortium.network, sandbox.consortium.clearing_house.matching
        if participant is not None and participant != holder.participant:
            require_trader(sandbox.consortium, participant)
        found = first_sides(desk, cursor, limit + 1, participant, state)
        following = str(found[limit].place) if len(found) > limit else None
        views = [side_view(network, desk, each) for each in found[:limit]]
        height = sandbox.consortium.clearing_house.projection.height
    return Page(as_of_block=height, data=views, next_cursor=following)


@router.get(
    "/sides/{participant}/{reference}",
    operation_id="sides.read",
    summary="Look a side up",
    responses=problems(404),
)
def read_side(
    participant: TraderInPath,
    reference: Reference,
    sandbox: RunningSandbox,
    holder: CallingHolder,
) -> schemas.SideFound:
    """One side: its instruction once it has matched; before, what is nearest and what differs."""
    _check_sees(holder, participant, reference)
    return _read(sandbox, participant, reference)


@router.post(
    "/sides/{participant}/{reference}/withdraw",
    operation_id="sides.withdraw",
    summary="Take a side back",
    responses={
        202: {"model": schemas.SideFound, "description": "The other side has to ask as well."},
        **problems(403, 404, 409, 507),
    },
)
def withdraw_side(
    participant: TraderInPath,
    reference: Reference,
    sandbox: RunningSandbox,
    holder: CallingHolder,
    response: Response,
) -> schemas.SideFound:
    """Takes an unmatched side back; of one that has matched, asks for cancellation."""
    _check_sees(holder, participant, reference)
    require_trader(sandbox.consortium, participant)
    refusal = sandbox.change(
        lambda consortium: consortium.trader(participant).withdraw_side(reference)
    )
    if refusal is not None:
        raise RefusedError(refusal)
    found = _read(sandbox, participant, reference)
    if found.state != State.CANCELLED.value:
        response.status_code = status.HTTP_202_ACCEPTED
    return found


@router.post(
    "/sides/{participant}/{reference}/amend",
    status_code=status.HTTP_201_CREATED,
    operation_id="sides.amend",
    summary="Amend: take back and enter another",
    responses={
        200: {"model": schemas.SideFound, "description": "It was amended before."},
        202: {
            "model": schemas.SideFound,
            "description": "The old one: its other side has to ask as well, then send this again.",
        },
        **problems(403, 404, 409, 507),
    },
)
def amend_side(
    participant: TraderInPath,
    reference: Reference,
    asked: schemas.Amending,
    sandbox: RunningSandbox,
    holder: CallingHolder,
    response: Response,
) -> schemas.SideFound:
    """Takes a side back and enters another under a new reference, once the old one is cancelled.

    What could not be entered is refused before anything is taken back.
    """
    _check_sees(holder, participant, reference)
    network, new = sandbox.consortium.network, asked.replacement
    if participant_of(network, new) != participant:
        raise refuse(Reason.UNAUTHORISED, f"{new.account} is no account of {participant}")
    side, wishes = side_of(network, new), wishes_of(new)

    def amend(consortium: Consortium) -> bool | Rejected:
        was_known = _is_known(consortium, participant, new.reference)
        trader = consortium.trader(participant)
        return trader.amend_side(reference, new.reference, side, wishes) or was_known

    try:
        return _entered(sandbox, response, participant, new.reference, amend)
    except RefusedError as error:
        if error.refusal.reason is not Reason.UNMATCHED:
            raise
    response.status_code = status.HTTP_202_ACCEPTED
    return _read(sandbox, participant, reference)


@router.get(
    "/allegements",
    operation_id="allegements.list",
    summary="What others have entered that lacks one's own side",
    responses=problems(404),
)
def list_allegements(
    sandbox: RunningSandbox,
    holder: CallingHolder,
    participant: Annotated[
        str, in_query("To whom they are alleged.", "被提示的参与方。", "BRK-A", max_length=24)
    ],
) -> schemas.Allegements:
    """Unmatched sides of others, with the own side that is nearest and the fields that differ."""
    check_reads(holder, participant)
    with sandbox.lock:
        consortium = sandbox.consortium
        require_trader(consortium, participant)
        network, house = consortium.network, consortium.clearing_house
        alleged = consortium.trader(participant).allegements()
        return schemas.Allegements(
            as_of_block=house.projection.height,
            total=alleged.total,
            data=[
                allegement_view(network, house.matching, participant, each)
                for each in alleged.sides
            ],
        )


def _entered(
    sandbox: Sandbox,
    response: Response,
    participant: str,
    reference: str,
    act: Callable[[Consortium], bool | Rejected],
) -> schemas.SideFound:
    """Lets a side be entered; 200 when it was known before."""
    answer = sandbox.change(act)
    if isinstance(answer, Rejected):
        raise RefusedError(answer)
    if answer:
        response.status_code = status.HTTP_200_OK
    return _read(sandbox, participant, reference)


def _check_sees(holder: KeyHolder, participant: str, reference: str) -> None:
    """Refuses sides of others as if there were none; those who only look on are let in to read."""
    if not holder.may_see(participant):
        raise _unknown(participant, reference)


def _unknown(participant: str, reference: str) -> RefusedError:
    return refuse(Reason.UNKNOWN, f"{participant} has entered no side {reference}")


def _read(sandbox: Sandbox, participant: str, reference: str) -> schemas.SideFound:
    with sandbox.lock:
        desk = sandbox.consortium.clearing_house.matching
        found = desk.get(participant, reference)
        if found is None:
            raise _unknown(participant, reference)
        return found_view(sandbox.consortium.network, desk, found)


def _is_known(consortium: Consortium, participant: str, reference: str) -> bool:
    return consortium.clearing_house.matching.get(participant, reference) is not None
