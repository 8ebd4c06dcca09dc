"""Instructions: enter one for both sides, see what becomes of it, and say things about it.

Entering one binds both sides, so that only the operator of a sandbox, who speaks for everybody, may
do it for two. Participants each enter their own side (``api.routers.sides``).
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Response, status

from api import instruction_schemas as schemas
from api.body_guard import BodyBounds, bounded
from api.dependencies import (
    CallingHolder,
    Cursor,
    JsonText,
    RunningSandbox,
    only_known_parameters,
)
from api.errors import RefusedError, problems, refuse
from api.instruction_batches import ITEMS_MAX, InstructionBatch, enter_all, items_of, read_items
from api.instruction_filters import first_wanted, instruction_filter
from api.instruction_rights import (
    bound_refusal,
    check_binds,
    check_sees,
    check_speaks,
    stranger,
)
from api.instruction_terms import entry_of
from api.instruction_views import instruction_view
from api.parameters import LabelInPath, Limit, OnlyInstrument, OnlySide
from api.said import in_query
from api.schemas import Page
from ledger.domain.instructions import Priority, State
from ledger.domain.reasons import Reason, Rejected
from nodes.consortium import Consortium
from nodes.entering import (
    Entered,
    WaitsForOther,
    cancel,
    enter,
    hold,
    release,
    replace,
)
from nodes.sandbox.sandbox import Sandbox

router = APIRouter(
    prefix="/v1/instructions",
    tags=["instructions"],
    dependencies=[Depends(only_known_parameters)],
    responses=problems(409, 422, 503),
)

BATCH_BYTES_MAX = 2 * 1024 * 1024
BATCH_OPENINGS_MAX = 4 * ITEMS_MAX
_NEW_INSTRUCTIONS = ("NewDvp", "NewFreeDelivery", "NewPayment")
_BATCH_CONTENT = {
    "application/json": {
        "schema": {
            "type": "array",
            "minItems": 1,
            "maxItems": ITEMS_MAX,
            "items": {
                "anyOf": [
                    *({"$ref": f"#/components/schemas/{each}"} for each in _NEW_INSTRUCTIONS),
                    {"description": "Anything else is refused by itself; the others stand."},
                ],
            },
        }
    }
}
Say = Callable[[Consortium], Rejected | None]


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    operation_id="instructions.create",
    summary="Enter an instruction",
    responses={
        200: {"model": schemas.Instruction, "description": "It was entered before."},
        **problems(403, 404, 409, 507),
    },
)
def create_instruction(
    instruction: schemas.NewInstruction,
    sandbox: RunningSandbox,
    holder: CallingHolder,
    response: Response,
) -> schemas.Instruction:
    """Enters an instruction for both its sides; it is on disk when this answers.

    It settles as soon as it can. The same again is answered with 200; the same label with other
    terms with 409.
    """
    entry = entry_of(sandbox.consortium.network, sandbox.consortium.clock, instruction)
    check_binds(sandbox.consortium.network, holder, entry)
    answer = sandbox.change(lambda consortium: enter(consortium, entry))
    if isinstance(answer, Rejected):
        raise RefusedError(answer)
    if answer.was_known:
        response.status_code = status.HTTP_200_OK
    return _read(sandbox, entry.label)


@router.post(
    ":batch",
    status_code=status.HTTP_201_CREATED,
    operation_id="instructions.create_batch",
    summary="Enter a batch of instructions",
    responses={
        200: {"model": InstructionBatch, "description": "All were entered before."},
        207: {"model": InstructionBatch, "description": "Some are refused; the rest stands."},
        **problems(413, 507),
    },
    openapi_extra={"requestBody": {"required": True, "content": _BATCH_CONTENT}},
)
@bounded(BodyBounds(bytes_max=BATCH_BYTES_MAX, openings_max=BATCH_OPENINGS_MAX))
def create_instructions(
    sandbox: RunningSandbox, holder: CallingHolder, body: JsonText, response: Response
) -> InstructionBatch:
    """Enters up to 1,000 instructions, a JSON list of what `POST /v1/instructions` takes.

    Each is judged by itself, in order: one that is refused does not keep the others out. All are on
    disk when this answers; the same batch again changes nothing.
    """
    network = sandbox.consortium.network
    entries = [
        each if isinstance(each, Rejected) else bound_refusal(network, holder, each) or each
        for each in read_items(sandbox.consortium, items_of(body))
    ]
    batch = sandbox.change(lambda consortium: enter_all(consortium, entries))
    if batch.refused:
        response.status_code = status.HTTP_207_MULTI_STATUS
    elif not batch.entered:
        response.status_code = status.HTTP_200_OK
    return batch


@router.get(
    "",
    operation_id="instructions.list",
    summary="List instructions",
    responses=problems(404),
)
def list_instructions(
    sandbox: RunningSandbox,
    holder: CallingHolder,
    cursor: Cursor,
    limit: Limit = 100,
    state: Annotated[
        State | None, in_query("Only those in this state.", "仅处于该状态的。", "queued")
    ] = None,
    participant: OnlySide = None,
    instrument: OnlyInstrument = None,
    reason: Annotated[
        str | None,
        in_query(
            "Only for this reason.",
            "仅因该原因的。",
            "MONY",
            Reason.__members__,
            max_length=24,
        ),
    ] = None,
) -> Page[schemas.Instruction]:
    """One's own instructions by arrival, with the reason why they wait as of now."""
    with sandbox.lock:
        consortium = sandbox.consortium
        is_wanted = instruction_filter(consortium, holder, state, participant, instrument, reason)
        found = first_wanted(consortium.clearing_house.desk, cursor, limit + 1, is_wanted)
        following = str(found[limit].arrival) if len(found) > limit else None
        views = [instruction_view(consortium.network, each) for each in found[:limit]]
        height = consortium.clearing_house.projection.height
    return Page(as_of_block=height, data=views, next_cursor=following)


@router.get(
    "/{label}",
    operation_id="instructions.read",
    summary="Look an instruction up",
    responses=problems(404),
)
def read_instruction(
    label: LabelInPath, sandbox: RunningSandbox, holder: CallingHolder
) -> schemas.Instruction:
    """One instruction by its label: where it stands, why, and what is still open."""
    check_sees(sandbox, holder, label)
    return _read(sandbox, label)


@router.post(
    "/{label}/hold",
    operation_id="instructions.hold",
    summary="Put an instruction on hold",
    responses=problems(403, 404, 409, 507),
)
def hold_instruction(
    label: LabelInPath, asking: schemas.Asking, sandbox: RunningSandbox, holder: CallingHolder
) -> schemas.Instruction:
    """For one side: it is not tried, and blocks nobody, until that side releases it."""
    check_sees(sandbox, holder, label)
    check_speaks(holder, asking.by)
    return _said(sandbox, label, asking.by, lambda consortium: hold(consortium, label, asking.by))


@router.post(
    "/{label}/release",
    operation_id="instructions.release",
    summary="Release an instruction",
    responses=problems(403, 404, 409, 507),
)
def release_instruction(
    label: LabelInPath, asking: schemas.Asking, sandbox: RunningSandbox, holder: CallingHolder
) -> schemas.Instruction:
    """Takes the hold of one side away."""
    check_sees(sandbox, holder, label)
    check_speaks(holder, asking.by)
    return _said(
        sandbox, label, asking.by, lambda consortium: release(consortium, label, asking.by)
    )


@router.post(
    "/{label}/cancel",
    operation_id="instructions.cancel",
    summary="Ask for cancellation",
    responses=problems(403, 404, 409, 507),
)
def cancel_instruction(
    label: LabelInPath, asking: schemas.Asking, sandbox: RunningSandbox, holder: CallingHolder
) -> schemas.Instruction:
    """A payment or free delivery by its debtor; a delivery versus payment once both have asked."""
    check_sees(sandbox, holder, label)
    check_speaks(holder, asking.by)
    return _said(sandbox, label, asking.by, lambda consortium: cancel(consortium, label, asking.by))


@router.post(
    "/{label}/prioritise",
    operation_id="instructions.prioritise",
    summary="Change the priority",
    responses=problems(403, 404, 409, 507),
)
def prioritise_instruction(
    label: LabelInPath,
    asking: schemas.Prioritising,
    sandbox: RunningSandbox,
    holder: CallingHolder,
) -> schemas.Instruction:
    """Gives it another priority; within that its arrival decides as before."""
    check_sees(sandbox, holder, label)
    check_speaks(holder, asking.by)
    priority = Priority[asking.priority.upper()]

    def prioritise(consortium: Consortium) -> Rejected | None:
        return consortium.clearing_house.desk.prioritise(label, priority, asking.by)

    return _said(sandbox, label, asking.by, prioritise)


@router.post(
    "/{label}/settle",
    operation_id="instructions.settle",
    summary="Try to settle now",
    responses=problems(403, 404, 409, 507),
)
def settle_instruction(
    label: LabelInPath, asking: schemas.Asking, sandbox: RunningSandbox, holder: CallingHolder
) -> schemas.Instruction:
    """Tries it once. It has settled when the answer says so; else the answer says why not."""
    check_sees(sandbox, holder, label)
    check_speaks(holder, asking.by)

    def settle(consortium: Consortium) -> Rejected | None:
        desk = consortium.clearing_house.desk
        known = desk.get(label)
        if known is not None and known.state is not State.SETTLED:
            desk.settle(label)
            known = desk.get(label)
        ended = known is not None and not known.state.is_live and known.state is not State.SETTLED
        return Rejected(Reason.FINAL, f"{label} has ended") if ended else None

    return _said(sandbox, label, asking.by, settle)


@router.post(
    "/{label}/replace",
    status_code=status.HTTP_201_CREATED,
    operation_id="instructions.replace",
    summary="Amend: cancel and replace",
    responses={
        200: {"model": schemas.Instruction, "description": "It was replaced before."},
        202: {
            "model": schemas.Instruction,
            "description": "The old one: its other side has to ask as well, then send this again.",
        },
        **problems(403, 404, 409, 507),
    },
)
def replace_instruction(
    label: LabelInPath,
    asked: schemas.Replacing,
    sandbox: RunningSandbox,
    holder: CallingHolder,
    response: Response,
) -> schemas.Instruction:
    """Asks for cancellation, and enters the new terms under their label once it is cancelled.

    What could not be entered is refused before anything is asked for.
    """
    entry = entry_of(sandbox.consortium.network, sandbox.consortium.clock, asked.instruction)
    check_sees(sandbox, holder, label)
    check_speaks(holder, asked.by)
    check_binds(sandbox.consortium.network, holder, entry)

    def act(consortium: Consortium) -> Entered | WaitsForOther | Rejected:
        refusal = stranger(consortium, label, asked.by)
        return refusal or replace(consortium, label, asked.by, entry)

    answer = sandbox.change(act)
    if isinstance(answer, Rejected):
        raise RefusedError(answer)
    if isinstance(answer, WaitsForOther):
        response.status_code = status.HTTP_202_ACCEPTED
    elif answer.was_known:
        response.status_code = status.HTTP_200_OK
    return _read(sandbox, answer.label)


def _read(sandbox: Sandbox, label: str) -> schemas.Instruction:
    with sandbox.lock:
        consortium = sandbox.consortium
        found = consortium.clearing_house.desk.get(label)
        if found is None:
            raise refuse(Reason.UNKNOWN, f"there is no instruction {label}")
        return instruction_view(consortium.network, found)


def _said(sandbox: Sandbox, label: str, by: str, say: Say) -> schemas.Instruction:
    """Says something about an instruction on behalf of one of its sides."""
    refusal = sandbox.change(lambda consortium: stranger(consortium, label, by) or say(consortium))
    if refusal is not None:
        raise RefusedError(refusal)
    return _read(sandbox, label)
