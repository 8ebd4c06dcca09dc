"""Trades: submit one, look one up, list them in order of capture."""

import asyncio
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response, status
from fastapi.concurrency import run_in_threadpool

from api import schemas, trade_schemas
from api.batch_views import captured_batch_view, gap_view
from api.body_guard import BodyBounds, bounded
from api.dependencies import (
    CallingHolder,
    Cursor,
    RawBody,
    RunningExplorer,
    RunningSandbox,
    only_known_parameters,
)
from api.errors import RefusedError, problems, refuse
from api.own_trades import visible_position
from api.parameters import Limit, TradeIdInPath
from api.trade_filters import TradeFilter, find_trades, trade_filter
from api.views import captured_view, trade_view
from api.waiting import Waited
from ledger.clearing.columns import TradeColumns
from ledger.domain.amounts import (
    AMOUNT_MAX,
    format_amount,
    parse_price,
    parse_quantity,
    trade_amount,
)
from ledger.domain.errors import MalformedError
from ledger.domain.identifiers import (
    encode_trade_number,
    isin_of_name,
    parse_account,
)
from ledger.domain.reasons import Reason, Rejected
from ledger.logs import logger_of
from nodes.explorer import Explorer
from nodes.network import Network
from nodes.sandbox.sandbox import Sandbox
from nodes.trade_batches import read_arrow, read_json

log = logger_of(__name__)

router = APIRouter(
    prefix="/v1/trades",
    tags=["trades"],
    dependencies=[Depends(only_known_parameters)],
    responses=problems(409, 422, 503),
)

CAPTURE_SECONDS_MAX = 30
BATCH_BYTES_MAX = 64 * 1024 * 1024
REFUSALS_SHOWN_MAX = 100
JSON = "application/json"
ARROW_STREAM = "application/vnd.apache.arrow.stream"
_FORMS = {JSON: read_json, ARROW_STREAM: read_arrow}
_BATCH_CONTENT = {
    JSON: {
        "schema": {
            "oneOf": [
                {"type": "array", "items": {"$ref": "#/components/schemas/NewTrade"}},
                {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["trades"],
                    "properties": {
                        "trades": {
                            "type": "array",
                            "items": {"$ref": "#/components/schemas/NewTrade"},
                        }
                    },
                },
            ]
        }
    },
    ARROW_STREAM: {"schema": {"type": "string", "format": "binary"}},
}


async def _batch_form(request: Request) -> Callable[[bytes, Network], TradeColumns]:
    """How to read the body, by its content type."""
    kind = request.headers.get("content-type", "none")
    form = _FORMS.get(kind.partition(";")[0].strip().lower())
    if form is None:
        expected = " or ".join(_FORMS)
        raise refuse(Reason.INVALID, f"content-type: expected {expected}, found {kind}")
    return form


BatchForm = Annotated[Callable[[bytes, Network], TradeColumns], Depends(_batch_form)]


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    operation_id="trades.create",
    summary="Capture a trade",
    responses={
        200: {"model": trade_schemas.Trade, "description": "It was captured before."},
        **problems(404, 409, 507),
    },
)
async def create_trade(
    trade: trade_schemas.NewTrade,
    sandbox: RunningSandbox,
    explorer: RunningExplorer,
    response: Response,
    waited: Waited,
) -> trade_schemas.Trade:
    """Captures a locked-in trade; it is on disk when this answers.

    The same trade again is answered with 200; the same number with other terms with 409. With
    `wait=final` the answer comes once it has settled, or the timeout is over.
    """
    network = sandbox.consortium.network
    row = _row(network, trade)
    captured = asyncio.wrap_future(sandbox.submit(row))
    try:
        answer = await asyncio.wait_for(captured, CAPTURE_SECONDS_MAX)
    except TimeoutError:
        raise refuse(Reason.UNAVAILABLE, "the capture takes too long") from None
    if isinstance(answer, Rejected):
        log.info("trade.refused", number=trade.number, reason=answer.reason.name)
        raise RefusedError(answer)
    if answer.was_known:
        response.status_code = status.HTTP_200_OK
    elif not waited.is_asked_for:
        # Said without the market's lock, which a cycle may hold: many send trades at the same time.
        shown = captured_view(network, TradeColumns.of_rows([row]), 0, answer.position)
        return _acknowledged(shown, was_known=False)
    await waited.over(answer.position)
    shown = await run_in_threadpool(_shown, sandbox, explorer, answer.position)
    return _acknowledged(shown, was_known=answer.was_known)


@router.post(
    ":batch",
    status_code=status.HTTP_201_CREATED,
    operation_id="trades.create_batch",
    summary="Capture a batch of trades",
    responses={
        200: {"model": trade_schemas.CapturedBatch, "description": "All were captured before."},
        207: {
            "model": trade_schemas.CapturedBatch,
            "description": "Some are refused; the rest stands.",
        },
        422: {
            "model": trade_schemas.BatchProblem | schemas.Problem,
            "description": "Refused whole: the first faults.",
        },
        **problems(413, 507),
    },
    openapi_extra={"requestBody": {"required": True, "content": _BATCH_CONTENT}},
)
@bounded(BodyBounds(bytes_max=BATCH_BYTES_MAX, openings_max=None))
def create_trades(
    sandbox: RunningSandbox, body: RawBody, form: BatchForm, response: Response
) -> trade_schemas.CapturedBatch:
    """Captures locked-in trades; all of the batch is on disk when this answers.

    JSON is a list of what `POST /v1/trades` takes, or an object whose `trades` is that list; Arrow
    is for volume (docs/capture.md). A batch with any malformed trade is refused whole.
    """
    trades = form(body, sandbox.consortium.network)
    try:
        answer = sandbox.submit_batch(trades).result(timeout=CAPTURE_SECONDS_MAX)
    except TimeoutError:
        raise refuse(Reason.UNAVAILABLE, "the capture takes too long") from None
    if isinstance(answer, Rejected):
        raise RefusedError(answer)
    submission = answer.submission
    log.info(
        "batch.acknowledged",
        batch=answer.batch_id,
        captured=submission.captured,
        repeated=submission.repeated,
        refused=submission.refused,
        was_known=answer.was_known,
    )
    if submission.refused:
        response.status_code = status.HTTP_207_MULTI_STATUS
    elif answer.was_known or not submission.captured:
        response.status_code = status.HTTP_200_OK
    refusals = sandbox.consortium.exchange.refusals_of(answer.batch_id, REFUSALS_SHOWN_MAX)
    return captured_batch_view(answer, refusals)


@router.get("", operation_id="trades.list", summary="List trades", responses=problems(404))
def list_trades(
    sandbox: RunningSandbox,
    explorer: RunningExplorer,
    holder: CallingHolder,
    cursor: Cursor,
    wanted: Annotated[TradeFilter, Depends(trade_filter)],
    limit: Limit = 100,
) -> schemas.Page[trade_schemas.Trade]:
    """Captured trades in order of capture: one's own, or all of them for who sees everything.

    A page may be shorter than asked for, even empty, as long as it has a next_cursor.
    """
    consortium = sandbox.consortium
    height = consortium.clearing_house.projection.height
    page = find_trades(consortium, holder, wanted, cursor, limit)
    # What a trade waits for is read from the queue, which the market changes meanwhile.
    with sandbox.lock:
        views = [
            trade_view(consortium, explorer, trades, row, position)
            for trades, row, position in page.rows
        ]
    following = None if page.next_position is None else str(page.next_position)
    return schemas.Page(as_of_block=height, data=views, next_cursor=following)


@router.get("/gaps", operation_id="trades.gaps", summary="List gaps in the venue's numbers")
def list_gaps(sandbox: RunningSandbox, cursor: Cursor, limit: Limit = 100) -> trade_schemas.Gaps:
    """Numbers that a venue with dense sequences must have given to trades that never came."""
    gaps = sandbox.consortium.exchange.gaps()
    shown = (gaps or [])[cursor : cursor + limit]
    end = cursor + len(shown)
    return trade_schemas.Gaps(
        dense_sequence=gaps is not None,
        missing=sum(gap.missing for gap in gaps or ()),
        data=[gap_view(sandbox.consortium.network, gap) for gap in shown],
        next_cursor=str(end) if shown and end < len(gaps or ()) else None,
    )


@router.get(
    "/{trade_id}",
    operation_id="trades.read",
    summary="Look a trade up",
    responses=problems(404),
)
async def read_trade(
    trade_id: TradeIdInPath,
    sandbox: RunningSandbox,
    explorer: RunningExplorer,
    holder: CallingHolder,
    waited: Waited,
) -> trade_schemas.Trade:
    """One trade by its id, with what has become of it.

    With `wait=final` the answer comes once it has settled, or the timeout is over.
    """
    position = await run_in_threadpool(visible_position, sandbox.consortium, holder, trade_id)
    await waited.over(position)
    return await run_in_threadpool(_shown, sandbox, explorer, position)


def _shown(sandbox: Sandbox, explorer: Explorer, position: int) -> trade_schemas.Trade:
    trades = sandbox.consortium.exchange.trades(position, position + 1)
    with sandbox.lock:
        return trade_view(sandbox.consortium, explorer, trades, 0, position)


def _acknowledged(shown: trade_schemas.Trade, *, was_known: bool) -> trade_schemas.Trade:
    """What is answered, once it stands in the log."""
    log.info(
        "trade.acknowledged",
        trade=shown.id,
        position=shown.position,
        was_known=was_known,
        state=shown.state,
        transaction=shown.transaction_hash,
    )
    return shown


def _row(network: Network, trade: trade_schemas.NewTrade) -> tuple[int, ...]:
    """The trade in the network's numbers. Refuses what it does not know."""
    try:
        isin = isin_of_name(trade.instrument)
        seller, buyer = parse_account(trade.seller), parse_account(trade.buyer)
        quantity, price = parse_quantity(trade.quantity), parse_price(trade.price)
        number = encode_trade_number(trade.number)
    except MalformedError as error:
        raise refuse(Reason.INVALID, str(error)) from error
    try:
        instrument = network.instrument_number(isin)
    except KeyError:
        raise refuse(Reason.UNKNOWN, f"instrument {trade.instrument} is not traded here") from None
    try:
        accounts = network.account_number(seller), network.account_number(buyer)
    except KeyError as error:
        raise refuse(Reason.UNKNOWN, f"there is no account {error.args[0]}") from None
    for account in (seller, buyer):
        if not network.trades(account):
            raise refuse(Reason.INVALID, f"{account} does not trade: name a broker or bank")
    currency = network.instrument(instrument).currency
    return (
        network.business_date.toordinal(),
        instrument,
        number,
        *accounts,
        quantity,
        price,
        network.currency_number(currency),
        _amount(quantity, price, currency),
        0,
        0,
    )


def _amount(quantity: int, price: int, currency: str) -> int:
    amount = trade_amount(quantity, price, currency)
    if amount == 0:
        unit = format_amount(1, currency)
        raise refuse(Reason.INVALID, f"quantity times price is below {unit} {currency}")
    if amount > AMOUNT_MAX:
        raise refuse(Reason.INVALID, f"quantity times price is above {AMOUNT_MAX} minor units")
    return amount
