"""Proofs that trades are in settled cycles."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from api import proof_schemas
from api.dependencies import RunningSandbox, only_known_parameters
from api.errors import problems, refuse
from api.views import known_position
from ledger.clearing.proof import document_of
from ledger.domain.reasons import Reason

router = APIRouter(
    prefix="/v1/trades",
    tags=["trades"],
    dependencies=[Depends(only_known_parameters)],
    responses=problems(422, 503),
)


@router.get(
    "/{trade_id}/proof",
    operation_id="trades.proof",
    summary="Prove that a trade is in a settled cycle",
    responses=problems(404, 409),
)
def prove_trade(
    trade_id: Annotated[str, Path(max_length=60)], sandbox: RunningSandbox
) -> proof_schemas.TradeProof:
    """The proof of a trade's inclusion in the cycle that it settled in, as a file to keep.

    A trade that has not settled in a cycle has none, and is answered with 409.
    """
    consortium = sandbox.consortium
    position = known_position(consortium, trade_id)
    proof = consortium.proofs.proof(position)
    if proof is None:
        standing = consortium.clearing_house.standing_of(position)
        reason = f", {standing.reason.name}" if standing.reason else ""
        detail = f"{trade_id} is in no settled cycle: it is {standing.state}{reason}"
        raise refuse(Reason.UNPROVEN, detail)
    return proof_schemas.TradeProof.model_validate(document_of(proof))
