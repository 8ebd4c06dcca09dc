"""The chain: blocks, transactions and what they did, decoded."""

from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Response

from api import chain_schemas, schemas
from api.chain_views import block_summary_view, block_view, transaction_view
from api.dependencies import Cursor, RunningExplorer, RunningSandbox
from api.errors import problems, refuse
from api.fields import BLOCK_MAX, EXAMPLE_HASH, HASH_PATTERN
from api.parameters import PAGE_MAX
from api.said import in_path, in_query
from ledger.chain.certificate_file import certificate_file
from ledger.domain.reasons import Reason
from nodes.explorer.explorer import parse_block_id, parse_hash

router = APIRouter(prefix="/v1/chain", tags=["chain"], responses=problems(404, 422, 503))

BLOCKS_A_PAGE_MAX: Final = 100
BLOCK_PATTERN: Final = r"^(0|[1-9][0-9]{0,14}|0x[0-9a-fA-F]{64})$"

Limit = Annotated[int, in_query("Items a page.", "每页条数。", 25, ge=1, le=BLOCKS_A_PAGE_MAX)]


@router.get("/blocks", operation_id="chain.blocks.list", summary="List blocks")
def list_blocks(
    explorer: RunningExplorer, cursor: Cursor, limit: Limit = 25
) -> schemas.Page[chain_schemas.BlockSummary]:
    """Blocks, newest first; a page is what comes below the block its cursor names."""
    height = explorer.height()
    blocks = explorer.blocks(cursor or None, limit)
    last = blocks[-1].number if blocks else 0
    return schemas.Page(
        as_of_block=height,
        data=[block_summary_view(block) for block in blocks],
        next_cursor=str(last) if last else None,
    )


@router.get("/blocks/{block}", operation_id="chain.blocks.read", summary="Look a block up")
def read_block(
    block: Annotated[
        str,
        in_path("Number or hash.", "区块号或区块哈希。", "14", pattern=BLOCK_PATTERN),
    ],
    explorer: RunningExplorer,
    cursor: Cursor,
    limit: Limit = 25,
) -> chain_schemas.Block:
    """One block, with a page of its transactions."""
    id = parse_block_id(block)
    if id is None:
        raise refuse(Reason.INVALID, "block: expected a number or a hash of 64 hex digits")
    view = explorer.block(id, cursor, limit)
    if view is None:
        raise refuse(Reason.UNKNOWN, f"there is no block {block}")
    return block_view(view, cursor)


@router.get(
    "/blocks/{number}/certificate",
    operation_id="chain.certificates.read",
    summary="Take a block's finality certificate away",
    responses=problems(404),
)
def read_certificate(
    number: Annotated[int, in_path("The block's number.", "区块号。", 14, ge=1, le=BLOCK_MAX)],
    sandbox: RunningSandbox,
) -> Response:
    """Header, validators and votes, to be checked off line: ``novate chain check-certificate``."""
    chain = sandbox.consortium.own_chain
    found = certificate_file(chain.store, chain.config, number) if chain else None
    if found is None:
        raise refuse(Reason.UNKNOWN, f"block {number} has no certificate here")
    return Response(msgspec.json.encode(found), media_type="application/json")


@router.get(
    "/transactions/{hash}",
    operation_id="chain.transactions.read",
    summary="Look a transaction up",
)
def read_transaction(
    hash: Annotated[
        str,
        in_path(
            "The hash of the transaction.", "链上交易哈希。", EXAMPLE_HASH, pattern=HASH_PATTERN
        ),
    ],
    explorer: RunningExplorer,
    cursor: Cursor,
    limit: Annotated[
        int, in_query("Net lines a page.", "每页净额条数。", 100, ge=1, le=PAGE_MAX)
    ] = 100,
) -> chain_schemas.Transaction:
    """One transaction: decoded call, events, refusal, and a page of the net lines it carries."""
    digest = parse_hash(hash)
    if digest is None:
        raise refuse(Reason.INVALID, "hash: expected 0x and 64 hex digits")
    view = explorer.transaction(digest)
    if view is None:
        raise refuse(Reason.UNKNOWN, f"there is no transaction {hash}")
    return transaction_view(view, cursor, limit)
