"""The queue, its resolution, and the limits that count in it."""

from collections.abc import Callable, Collection
from typing import Annotated

from fastapi import APIRouter, Depends, Response, status

from api import queue_schemas as schemas
from api.access.owning import check_owns
from api.dependencies import CallingHolder, RunningSandbox, only_known_parameters
from api.errors import problems, refuse
from api.fields import ACCOUNT_PATTERN
from api.instruction_terms import amount_of, limit_of
from api.instruction_views import limit_view, queue_view, waiting_view
from api.paging import Key, KeyCursor, page_after
from api.parameters import Limit
from api.said import in_query
from api.schemas import Page
from ledger.domain.accounts import participant_of
from ledger.domain.amounts import format_amount
from ledger.domain.key_holders import KeyHolder
from ledger.domain.reasons import Reason
from ledger.domain.rules import Gridlock
from ledger.settlement.legs import Pot, participants_in
from nodes.clearing_house.resolving import Resolution
from nodes.clearing_house.waiting import first_of, queues, standing_aside
from nodes.consortium import Consortium

router = APIRouter(
    prefix="/v1",
    tags=["queue"],
    dependencies=[Depends(only_known_parameters)],
    responses=problems(409, 422, 503),
)

SHOWN_MAX = 100
AccountQuery = Annotated[
    str,
    in_query(
        "Whose limit it is.", "限额所属的账户。", "BRK-A", max_length=41, pattern=ACCOUNT_PATTERN
    ),
]


@router.get("/queue", operation_id="queue.read", summary="What waits, by account and asset")
def read_queue(
    sandbox: RunningSandbox, holder: CallingHolder, cursor: KeyCursor, limit: Limit = 100
) -> schemas.Queues:
    """The queues of one's own accounts, in order, with reasons and what is missing."""
    with sandbox.lock:
        house, network = sandbox.consortium.clearing_house, sandbox.consortium.network
        book = house.desk.book
        is_own = _own(sandbox.consortium, holder)
        everything = [each for each in queues(book) if is_own({participant_of(each.pot.account)})]
        live = [each for each in book.queue.live() if is_own(participants_in(each))]
        aside, aside_total = standing_aside(book, SHOWN_MAX, live)
        shown, following = page_after(everything, lambda each: _key(each.pot), cursor, limit)
        return schemas.Queues(
            as_of_block=house.projection.height,
            live=len(live),
            data=[queue_view(network, each, first_of(book, each, SHOWN_MAX)) for each in shown],
            aside_total=aside_total,
            aside=[waiting_view(network, each, "0") for each in aside],
            next_cursor=following,
        )


@router.post(
    "/queue/resolve",
    operation_id="queue.resolve",
    summary="Resolve gridlock",
    responses=problems(507),
)
def resolve_queue(asked: schemas.Resolving, sandbox: RunningSandbox) -> schemas.Resolution:
    """One run over the queue: what it selects settles together, in one transaction, or not at all.

    Another run right after it settles nothing more, unless the search had stopped early.
    """

    def act(consortium: Consortium) -> tuple[Resolution, dict[str, tuple[str, int]]]:
        desk, network = consortium.clearing_house.desk, consortium.network
        owed = {
            each.label: (network.currency(each.currency), each.open_amount)
            for each in desk.book.queue.standing()
            if each.open_amount
        }
        return desk.resolve(Gridlock(asked.algorithm)), owed

    found, owed = sandbox.change(act)
    values: dict[str, int] = {}
    for currency, amount in (owed[label] for label in found.settled if label in owed):
        values[currency] = values.get(currency, 0) + amount
    return schemas.Resolution(
        algorithm=asked.algorithm,
        settled=list(found.settled),
        values=[
            schemas.Money(currency=each, amount=format_amount(values[each], each))
            for each in sorted(values)
        ],
        is_exact=found.is_exact,
    )


@router.get("/limits", operation_id="limits.list", summary="List limits")
def list_limits(
    sandbox: RunningSandbox, holder: CallingHolder, cursor: KeyCursor, limit: Limit = 100
) -> Page[schemas.Limit]:
    """The limits of one's own accounts, and what is left under each."""
    with sandbox.lock:
        house = sandbox.consortium.clearing_house
        is_own = _own(sandbox.consortium, holder)
        every = sorted(house.desk.book.limits.all().items())
        limits = [each for each in every if is_own({participant_of(each[0].account)})]
        shown, following = page_after(limits, lambda each: _key(each[0]), cursor, limit)
        return Page(
            as_of_block=house.projection.height,
            data=[limit_view(sandbox.consortium, *each) for each in shown],
            next_cursor=following,
        )


@router.put(
    "/limits", operation_id="limits.put", summary="Set a limit", responses=problems(404, 507)
)
def put_limit(
    new: schemas.NewLimit, sandbox: RunningSandbox, holder: CallingHolder
) -> schemas.Limit:
    """Sets the most that an account pays on balance, in place of an earlier limit of that kind.

    What has been paid already counts.
    """
    network = sandbox.consortium.network
    pot = limit_of(network, new.account, new.currency, new.counterparty)
    amount = amount_of(network, new.amount, pot.asset, or_nothing=True)
    check_owns(holder, new.account)

    def act(consortium: Consortium) -> schemas.Limit:
        consortium.clearing_house.desk.book.set_limit(pot, amount)
        return limit_view(consortium, pot, amount)

    return sandbox.change(act)


@router.delete(
    "/limits",
    status_code=status.HTTP_204_NO_CONTENT,
    operation_id="limits.delete",
    summary="Take a limit away",
    responses=problems(404, 507),
)
def delete_limit(
    sandbox: RunningSandbox,
    holder: CallingHolder,
    account: AccountQuery,
    currency: Annotated[
        str | None,
        in_query(
            "If left out, the first currency of the network.",
            "币种；省略时为网络的首个币种。",
            "CNY",
            max_length=3,
        ),
    ] = None,
    counterparty: Annotated[
        str | None,
        in_query(
            "Towards this account; left out: towards everybody.",
            "对该账户的限额；省略：对所有人。",
            "BRK-B",
            max_length=41,
            pattern=ACCOUNT_PATTERN,
        ),
    ] = None,
) -> Response:
    """Takes the limit of an account away, towards one account or towards everybody."""
    pot = limit_of(sandbox.consortium.network, account, currency, counterparty)
    check_owns(holder, account)

    def act(consortium: Consortium) -> bool:
        book = consortium.clearing_house.desk.book
        is_set = pot in book.limits.all()
        if is_set:
            book.set_limit(pot, None)
        return is_set

    if not sandbox.change(act):
        raise refuse(Reason.UNKNOWN, "there is no such limit")
    return Response(status_code=status.HTTP_204_NO_CONTENT)


def _key(pot: Pot) -> Key:
    return tuple(int(part) for part in pot)


def _own(consortium: Consortium, holder: KeyHolder) -> Callable[[Collection[int]], bool]:
    """Whether what concerns some participants, by number, is what the holder of a key sees."""
    if holder.sees_everything:
        return lambda _: True
    own = holder.participant
    number = consortium.network.participant_number(own) if own else 0
    return lambda concerned: number in concerned
