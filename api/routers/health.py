"""Whether the process lives, and whether it may be used."""

from typing import Annotated

from fastapi import APIRouter, Request, Response, status
from pydantic import BaseModel

from api.said import said
from nodes.sandbox.sandbox import Sandbox

router = APIRouter(tags=["health"])


class Live(BaseModel):
    """The process answers."""

    status: Annotated[str, said("alive.", "alive：进程存活。", "alive")]


class Ready(BaseModel):
    """Whether every node has reconciled since the start, and up to which block."""

    status: Annotated[
        str,
        said(
            "ready, starting, or what has failed.",
            "ready 就绪，starting 启动中，或故障说明。",
            "ready",
        ),
    ]
    head_block: Annotated[int, said("The latest block.", "最新区块。", 14)]
    reconciled_blocks: Annotated[
        dict[str, int],
        said(
            "By participant: the last block its node has reconciled.",
            "各参与方节点已对账至的区块。",
            {"BRK-A": 14, "BANK-1": 14},
        ),
    ]


@router.get("/livez", operation_id="health.live", summary="Is the process alive?")
def live() -> Live:
    """Always, when it answers."""
    return Live(status="alive")


@router.get(
    "/readyz",
    operation_id="health.ready",
    summary="May it be used?",
    responses={503: {"model": Ready, "description": "Not yet."}},
)
def ready(request: Request, response: Response) -> Ready:
    """Ready only after every node has reconciled."""
    sandbox: Sandbox = request.app.state.sandbox
    nodes = sandbox.consortium.nodes.values()
    reconciled = {node.id: node.reconciled_block for node in nodes}
    is_ready = sandbox.is_ready and min(reconciled.values()) >= 0
    if not is_ready:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return Ready(
        status="ready" if is_ready else sandbox.failure or "starting",
        head_block=sandbox.consortium.feed.height(),
        reconciled_blocks=reconciled,
    )
