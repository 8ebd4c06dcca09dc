"""Trades: submit one, look one up, list them in order of capture."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response, status

from api import schemas
from api.dependencies import (
    Cursor,
    Limit,
    RunningExplorer,
    RunningSandbox,
    only_known_parameters,
    page_of,
)
from api.errors import RefusedError, problems, refuse
from api.views import known_position, trade_view
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
from nodes.network import Network

router = APIRouter(
    prefix="/v1/trades",
    tags=["trades"],
    dependencies=[Depends(only_known_parameters)],
    responses=problems(422, 503),
)

CAPTURE_SECONDS_MAX = 30


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    operation_id="trades.create",
    summary="Capture a trade",
    responses={
        200: {"model": schemas.Trade, "description": "It was captured before."},
        **problems(404, 409),
    },
)
def create_trade(
    trade: schemas.NewTrade,
    sandbox: RunningSandbox,
    explorer: RunningExplorer,
    response: Response,
) -> schemas.Trade:
    """Captures a locked-in trade; it is on disk when this answers.

    The same trade again is answered with 200; the same number with other terms with 409.
    """
    network = sandbox.consortium.network
    row = _row(network, trade)
    try:
        answer = sandbox.submit(row).result(timeout=CAPTURE_SECONDS_MAX)
    except TimeoutError:
        raise refuse(Reason.UNAVAILABLE, "the capture takes too long") from None
    if isinstance(answer, Rejected):
        raise RefusedError(answer)
    if answer.was_known:
        response.status_code = status.HTTP_200_OK
    trades = sandbox.consortium.exchange.captured.trades(answer.position, answer.position + 1)
    return trade_view(sandbox.consortium, explorer, trades, 0, answer.position)


@router.get("", operation_id="trades.list", summary="List trades")
def list_trades(
    sandbox: RunningSandbox, explorer: RunningExplorer, cursor: Cursor, limit: Limit = 100
) -> schemas.Page[schemas.Trade]:
    """Captured trades in order of capture."""
    consortium = sandbox.consortium
    end = consortium.exchange.captured.end_position
    last = min(cursor + limit, end)
    trades = consortium.exchange.captured.trades(cursor, last)
    views = [
        trade_view(consortium, explorer, trades, row, cursor + row) for row in range(len(trades))
    ]
    return page_of(views, cursor, end, consortium.clearing_house.projection.height)


@router.get(
    "/{trade_id}",
    operation_id="trades.read",
    summary="Look a trade up",
    responses=problems(404),
)
def read_trade(
    trade_id: Annotated[str, Path(max_length=60)],
    sandbox: RunningSandbox,
    explorer: RunningExplorer,
) -> schemas.Trade:
    """One trade by its id, with what has become of it."""
    position = known_position(sandbox.consortium, trade_id)
    trades = sandbox.consortium.exchange.captured.trades(position, position + 1)
    return trade_view(sandbox.consortium, explorer, trades, 0, position)


def _row(network: Network, trade: schemas.NewTrade) -> tuple[int, ...]:
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
