"""Proofs that trades are in settled cycles."""

from fastapi import APIRouter, Depends

from api import proof_schemas
from api.dependencies import CallingHolder, RunningSandbox, only_known_parameters
from api.errors import problems, refuse
from api.own_trades import visible_position
from api.parameters import TradeIdInPath
from ledger.clearing.proof import document_of
from ledger.domain.reasons import Reason
from nodes.signed_trade import SideSignature, signed_trade_of

router = APIRouter(
    prefix="/v1/trades",
    tags=["trades"],
    dependencies=[Depends(only_known_parameters)],
    responses=problems(409, 422, 503),
)


@router.get(
    "/{trade_id}/proof",
    operation_id="trades.proof",
    summary="Prove that a trade is in a settled cycle",
    responses=problems(404, 409),
)
def prove_trade(
    trade_id: TradeIdInPath,
    sandbox: RunningSandbox,
    holder: CallingHolder,
) -> proof_schemas.TradeProof:
    """The proof of a trade's inclusion in the cycle that it settled in, as a file to keep.

    A trade that has not settled in a cycle has none, and is answered with 409.
    """
    consortium = sandbox.consortium
    position = visible_position(consortium, holder, trade_id)
    proof = consortium.proofs.proof(position)
    if proof is None:
        standing = consortium.clearing_house.standing_of(position)
        reason = f", {standing.reason.name}" if standing.reason else ""
        detail = f"{trade_id} is in no settled cycle: it is {standing.state}{reason}"
        raise refuse(Reason.UNPROVEN, detail)
    return proof_schemas.TradeProof.model_validate(document_of(proof))


@router.get(
    "/{trade_id}/signatures",
    operation_id="trades.signatures",
    summary="Show what both brokers of a trade signed",
    responses=problems(403, 404),
)
def show_signatures(
    trade_id: TradeIdInPath,
    sandbox: RunningSandbox,
    holder: CallingHolder,
) -> proof_schemas.SignedTrade:
    """The typed data of a trade (EIP-712) and the signatures of both its brokers.

    Any library for typed data recovers the signers; their addresses are on the chain. Where trades
    are not signed one by one (rule signed_trades) there are none, and the answer is 403.
    """
    consortium = sandbox.consortium
    position = visible_position(consortium, holder, trade_id)
    signed = signed_trade_of(consortium.clearing_house, position)
    if signed is None:
        raise refuse(
            Reason.UNSIGNED, f"{trade_id} does not have the signatures of both its brokers"
        )
    return proof_schemas.SignedTrade(
        typed_data=signed.typed_data,
        seller=_side(signed.seller),
        buyer=_side(signed.buyer),
    )


def _side(side: SideSignature) -> proof_schemas.SideSignature:
    return proof_schemas.SideSignature(
        participant=side.participant,
        address="0x" + side.address.hex(),
        signature="0x" + side.signature.hex(),
    )
