"""Faults of nodes and desks: what is wrong, what to make go wrong, and what to make right again."""

from typing import get_args

from fastapi import APIRouter, Depends

from api import fault_schemas as schemas
from api.dependencies import RunningSandbox, only_known_parameters
from api.errors import RefusedError, problems, refuse
from api.parameters import NodeInPath
from ledger.domain.reasons import Reason
from nodes.faults.desk_faults import RUNNING_FAULTS, DeskFault, running_fault
from nodes.faults.node_faults import NodeFault
from nodes.sandbox.sandbox import Sandbox

router = APIRouter(
    prefix="/v1/sandbox/faults",
    tags=["sandbox"],
    dependencies=[Depends(only_known_parameters)],
    responses=problems(409, 422, 503),
)


@router.get("", operation_id="sandbox.faults", summary="What is wrong with nodes and desks now")
def faults(sandbox: RunningSandbox) -> schemas.Faults:
    """And every fault that there is."""
    return _standing(sandbox)


@router.post(
    "",
    operation_id="sandbox.faults.inject",
    summary="Make something go wrong with a node or its desk, or heal it",
    responses=problems(404, 507),
)
def inject(asked: schemas.NewFault, sandbox: RunningSandbox) -> schemas.Faults:
    """The others go on; the node catches up when it is restarted or healed.

    A desk with a fault reports its trades to its own node wrongly, or not at all, until it is
    healed; then it reports what it has withheld. The same again changes nothing. The clearing house
    can be killed and cut off only where nodes are processes of their own.
    """
    fault = running_fault(asked.fault)
    takes_milliseconds = RUNNING_FAULTS[asked.fault].takes_milliseconds
    if takes_milliseconds is not (asked.milliseconds is not None):
        expected = "a number with slow" if takes_milliseconds else f"none with {asked.fault}"
        found = "null" if asked.milliseconds is None else str(asked.milliseconds)
        raise refuse(Reason.INVALID, f"milliseconds: expected {expected}, found {found}")
    _inject(sandbox, fault, asked.participant, asked.milliseconds or 0)
    return _standing(sandbox)


@router.delete(
    "/{participant}",
    operation_id="sandbox.faults.heal",
    summary="Make everything right again with a node and its desk",
    status_code=204,
    responses=problems(404, 507),
)
def heal(participant: NodeInPath, sandbox: RunningSandbox) -> None:
    """It begins again if it was killed, and catches up. Nothing happens to one that is well."""
    _inject(sandbox, NodeFault.HEAL, participant, 0)


def _inject(
    sandbox: Sandbox, fault: NodeFault | DeskFault, participant: str, milliseconds: int
) -> None:
    refusal = sandbox.inject(fault, participant, milliseconds)
    if refusal is not None:
        raise RefusedError(refusal)


def _standing(sandbox: Sandbox) -> schemas.Faults:
    with sandbox.lock:
        standing = sandbox.standing_faults()
    return schemas.Faults(
        standing=[
            schemas.StandingFault(
                participant=each.participant,
                fault=each.fault.value,
                milliseconds=each.milliseconds or None,
            )
            for each in standing
        ],
        faults=[
            schemas.FaultForm(
                fault=fault,
                what=RUNNING_FAULTS[fault].what,
                what_zh=RUNNING_FAULTS[fault].what_zh,
                takes_milliseconds=RUNNING_FAULTS[fault].takes_milliseconds,
            )
            for fault in get_args(schemas.FaultName)
        ],
    )
