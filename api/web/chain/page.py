"""The pages of the chain: blocks, a block, a transaction, a trade and where it settled."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, status
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.chain_words import cause, content, sentence
from api.dependencies import (
    CallingHolder,
    RunningExplorer,
    RunningSandbox,
)
from api.web.chain.glance import glance_of
from api.web.chain.settled_trades import SettledTrades, settled_trades
from api.web.chain.words import CHAIN_WORDS
from api.web.page_route import PageRoute
from api.web.visit import Visit, Visiting
from ledger.domain.errors import MalformedError
from ledger.domain.identifiers import TradeId, encode_trade_number
from ledger.domain.key_holders import KeyHolder
from nodes.attestation import votes_of
from nodes.explorer import Explorer
from nodes.explorer.explorer import TransactionView, parse_block_id, parse_hash
from nodes.sandbox.sandbox import Sandbox

router = APIRouter(include_in_schema=False, route_class=PageRoute)

BLOCKS_A_PAGE: Final = 25
TRANSACTIONS_A_PAGE: Final = 50
ROWS_A_PAGE: Final = 20
"""Net lines, and trades, that a page of a transaction shows at once."""

SEARCH_MAX: Final = 100
_POSITION_MAX: Final = 10**15
_DIGEST: Final = re.compile(r"(0x[0-9a-f]{8})[0-9a-f]{52}([0-9a-f]{4})")
"""What a digest is cut down to where one only has to tell it from others."""

Position = Annotated[int, Query(ge=0, le=_POSITION_MAX)]
Below = Annotated[int | None, Query(ge=1, le=_POSITION_MAX)]


@dataclass(frozen=True, slots=True)
class Places:
    """Where the parts of a transaction's page that are paged begin."""

    table: Annotated[int, Query(ge=0, le=9)] = 0
    line: Position = 0
    trade: Position = 0
    event: Position = 0


@router.get("/chain", response_class=HTMLResponse)
def blocks_page(
    visit: Visiting,
    explorer: RunningExplorer,
    sandbox: RunningSandbox,
    below: Below = None,
) -> Response:
    """The list of blocks, newest first; the first page keeps itself up to date."""
    return _answer(visit, "chain/blocks.html", _blocks(explorer, sandbox, below))


@router.get("/parts/chain", response_class=HTMLResponse)
def blocks_part(visit: Visiting, explorer: RunningExplorer, sandbox: RunningSandbox) -> Response:
    """The part of the list that changes."""
    return _answer(visit, "chain/blocks_part.html", _blocks(explorer, sandbox, None))


@router.get("/chain/search", response_class=HTMLResponse)
def search(
    visit: Visiting,
    explorer: RunningExplorer,
    q: Annotated[str, Query(max_length=SEARCH_MAX)] = "",
) -> Response:
    """Leads to what a number, hash, trade id or cycle means; else to the trades of a number."""
    text = q.strip()
    path = _path_of(explorer, text)
    if path is None and _is_trade_number(text.upper()):
        return RedirectResponse(visit.link("/trades", q=text), status.HTTP_303_SEE_OTHER)
    if path is None:
        return _missing(visit, explorer, q)
    return RedirectResponse(visit.link(path), status.HTTP_303_SEE_OTHER)


@router.get("/chain/blocks/{block}", response_class=HTMLResponse)
def block_page(
    visit: Visiting,
    explorer: RunningExplorer,
    sandbox: RunningSandbox,
    block: str,
    first: Position = 0,
) -> Response:
    """One block, with a page of its transactions."""
    id = parse_block_id(block)
    view = None if id is None else explorer.block(id, first, TRANSACTIONS_A_PAGE)
    if view is None:
        return _missing(visit, explorer, block)
    context = {
        "view": view,
        "block": view.summary,
        "first": first,
        "page": TRANSACTIONS_A_PAGE,
        "height": explorer.height(),
        "votes": votes_of(sandbox.consortium, view.summary.number),
    }
    return _answer(visit, "chain/block.html", context)


@router.get("/chain/transactions/{hash}", response_class=HTMLResponse)
def transaction_page(
    visit: Visiting,
    explorer: RunningExplorer,
    sandbox: RunningSandbox,
    holder: CallingHolder,
    hash: str,
    at: Annotated[Places, Depends()],
) -> Response:
    """One transaction, with a page of its net lines and a page of the trades it settled."""
    digest = parse_hash(hash)
    view = None if digest is None else explorer.transaction(digest)
    if view is None:
        return _missing(visit, explorer, hash)
    index = min(at.table, max(len(view.lines) - 1, 0))
    context = {
        "view": view,
        "at": at,
        "page": ROWS_A_PAGE,
        "table_index": index,
        "table": view.lines[index] if view.lines else None,
        "rows": view.lines[index].rows(at.line, ROWS_A_PAGE) if view.lines else [],
        "settled": _settled(sandbox, holder, view, at.trade),
    }
    return _answer(visit, "chain/transaction.html", context)


@router.get("/chain/trades/{trade_id}", response_class=HTMLResponse)
def trade_page(
    visit: Visiting,
    trade_id: str,
) -> Response:
    """Where a trade was shown before it had a page of its own."""
    return RedirectResponse(visit.link(f"/trades/{trade_id}"), status.HTTP_308_PERMANENT_REDIRECT)


def _path_of(explorer: Explorer, text: str) -> str | None:
    """The page that a search leads to; None when it leads nowhere."""
    try:
        return f"/trades/{TradeId.parse(text)}"
    except MalformedError:
        found = explorer.find(text)
    if found is None:
        return None
    if found.transaction is not None:
        return f"/chain/transactions/0x{found.transaction.hex()}"
    return f"/chain/blocks/{found.block}"


def _is_trade_number(text: str) -> bool:
    try:
        encode_trade_number(text)
    except MalformedError:
        return False
    return True


def _blocks(explorer: Explorer, sandbox: Sandbox, below: int | None) -> dict[str, Any]:
    blocks = explorer.blocks(below, BLOCKS_A_PAGE)
    return {
        "glance": None if below else glance_of(sandbox.consortium, blocks),
        "blocks": blocks,
        "height": explorer.height(),
        "below": below,
        "older": blocks[-1].number if blocks and blocks[-1].number else None,
    }


def _settled(
    sandbox: Sandbox, holder: KeyHolder, view: TransactionView, first: int
) -> SettledTrades | None:
    if not view.reference or not view.summary.succeeded:
        return None
    with sandbox.lock:
        return settled_trades(sandbox.consortium, holder, view.reference, first, ROWS_A_PAGE)


def _missing(visit: Visit, explorer: Explorer, asked: str) -> Response:
    network = explorer.names.network
    isin = network.instruments[0].isin if network.instruments else "ZZ0000NOVA12"
    example = f"{network.venue}.{network.business_date.isoformat()}.{isin}.1"
    shown = {"asked": asked[:SEARCH_MAX], "example": example}
    return _answer(visit, "chain/missing.html", shown, status.HTTP_404_NOT_FOUND)


def _answer(
    visit: Visit, template: str, shown: dict[str, Any], code: int = status.HTTP_200_OK
) -> Response:
    words = {
        "cause": cause,
        "sentence": lambda act: sentence(act, visit.language),
        "content": lambda block: content(block, visit.language),
        "short": lambda text: _DIGEST.sub(r"\1…\2", text),
        "register_word": lambda table: visit.word(CHAIN_WORDS, table.register.lower()),
    }
    return visit.answer(template, CHAIN_WORDS, code, **words, **shown)
