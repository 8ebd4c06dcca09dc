"""Whether the process lives, and whether it may be used."""

import shutil
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Request, Response, status
from pydantic import BaseModel

from api.said import said
from nodes.bus import UnreachableError
from nodes.node import Node
from nodes.sandbox.capture_queue import SPACE_RESERVE_BYTES
from nodes.sandbox.sandbox import Sandbox

router = APIRouter(tags=["health"])


class Live(BaseModel):
    """The process answers."""

    status: Annotated[str, said("alive.", "alive：进程存活。", "alive")]


class Component(BaseModel):
    """Something that has to work for the rest to work."""

    name: Annotated[
        str,
        said("market, chain, disk, or a participant's node.", "市场、链、磁盘或节点。", "BRK-A"),
    ]
    is_ready: Annotated[
        bool,
        said("Whether it does all it is for.", "是否正常工作。", True),
    ]
    detail: Annotated[str, said("How it stands.", "目前状况。", "reconciled to block 14 of 14")]


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
    components: Annotated[
        list[Component],
        said(
            "Each part, and whether it works; a node that is away does not stop the others.",
            "各组成部分及其状况；个别节点离线不影响其余部分。",
            [],
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
    standings = {node.id: _standing(node) for node in sandbox.consortium.nodes.values()}
    reconciled = {id: block for id, (block, _) in standings.items()}
    is_ready = sandbox.is_ready and min(reconciled.values()) >= 0
    head = sandbox.consortium.feed.height()
    if not is_ready:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return Ready(
        status="ready" if is_ready else sandbox.failure or "starting",
        head_block=head,
        reconciled_blocks=reconciled,
        components=[
            _market(sandbox),
            *_chain(sandbox),
            *_disk(sandbox),
            *(_node(id, block, head, is_away) for id, (block, is_away) in standings.items()),
        ],
    )


def _standing(node: Node) -> tuple[int, bool]:
    """The block that a node has reconciled, as far as it is known, and whether it is away."""
    try:
        return node.standing().reconciled_block, False
    except UnreachableError:
        return node.reconciled_block, True


def _market(sandbox: Sandbox) -> Component:
    detail = sandbox.failure or ("open" if sandbox.is_ready else "starting or stopping")
    return Component(name="market", is_ready=sandbox.is_ready, detail=detail)


def _chain(sandbox: Sandbox) -> Iterator[Component]:
    """Of a chain that is elsewhere its own node tells."""
    chain = sandbox.consortium.own_chain
    if chain is not None:
        state = chain.finality()
        detail = f"block {state.final} of {state.sealed} is final, quorum {state.quorum}"
        yield Component(name="chain", is_ready=not state.is_halted, detail=detail)


def _disk(sandbox: Sandbox) -> Iterator[Component]:
    path = sandbox.consortium.path
    if path is not None:
        free = shutil.disk_usage(path).free
        is_enough = free >= SPACE_RESERVE_BYTES
        detail = f"{free} bytes free, {SPACE_RESERVE_BYTES} needed"
        yield Component(name="disk", is_ready=is_enough, detail=detail)


def _node(id: str, block: int, head: int, is_away: bool) -> Component:  # noqa: FBT001 # of a table
    how = f"reconciled to block {block} of {head}" if block >= 0 else "not reconciled yet"
    detail = f"away; {how} when last heard of" if is_away else how
    return Component(name=id, is_ready=not is_away and block >= 0, detail=detail)
