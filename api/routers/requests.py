"""The log of requests: what was asked of the interface, and how it was answered."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request

from api.conventions.callers import seen_only_by
from api.dependencies import AnySandbox, Cursor, only_known_parameters
from api.errors import problems, refuse
from api.parameters import Limit
from api.request_schemas import SeenRequest, SeenRequestWithBodies
from api.said import in_path, in_query
from api.schemas import Page
from ledger.books.interface.requests import (
    RequestFilter,
    RequestRow,
    request_id,
    request_number,
)
from ledger.domain.reasons import Reason
from nodes.clock import utc_of_micros

router = APIRouter(
    prefix="/v1/requests",
    tags=["requests"],
    dependencies=[Depends(only_known_parameters)],
    responses=problems(422, 503),
)

REQUEST_ID_PATTERN: Final = r"^req_[0-9]{1,9}_[1-9][0-9]{0,8}$"
STATUS_CLASS: Final = "^[1-5]xx$"


async def wanted_requests(
    request: Request,
    cursor: Cursor,
    status: Annotated[
        str | None,
        in_query("2xx, 4xx, ...", "状态码类别：2xx、4xx 等。", "4xx", pattern=STATUS_CLASS),
    ] = None,
    method: Annotated[
        str | None, in_query("The HTTP method.", "HTTP 方法。", "POST", pattern="^[A-Z]{3,7}$")
    ] = None,
    path: Annotated[
        str | None,
        in_query("How the path begins.", "路径的开头。", "/v1/trades", max_length=200),
    ] = None,
    caller: Annotated[
        str | None, in_query("On whose behalf.", "请求方。", "BRK-A", max_length=64)
    ] = None,
    since: Annotated[
        str | None,
        in_query(
            "Only those after this request.",
            "仅该请求之后的。",
            "req_1_42",
            pattern=REQUEST_ID_PATTERN,
        ),
    ] = None,
) -> RequestFilter | None:
    """What is asked for; None: nothing that the caller may see."""
    own = seen_only_by(request.scope)
    if own is not None and caller not in (None, own):
        return None
    return RequestFilter(
        status_class=int(status[0]) if status else None,
        method=method,
        path_prefix=path,
        caller=own or caller,
        since=_number(since, "since") if since else None,
        below=cursor or None,
    )


@router.get("", operation_id="requests.list", summary="List requests")
def list_requests(
    sandbox: AnySandbox,
    wanted: Annotated[RequestFilter | None, Depends(wanted_requests)],
    limit: Limit = 100,
) -> Page[SeenRequest]:
    """The last 10,000 requests, newest first. Participants see their own."""
    rows = sandbox.interface.requests.find(wanted, limit + 1) if wanted else []
    return Page(
        as_of_block=sandbox.consortium.clearing_house.projection.height,
        data=[SeenRequest(**_fields(row)) for row in rows[:limit]],
        next_cursor=str(rows[limit - 1].number) if len(rows) > limit else None,
    )


@router.get(
    "/{id}",
    operation_id="requests.read",
    summary="Look a request up",
    responses=problems(404),
)
def read_request(
    id: Annotated[
        str,
        in_path("Names the request.", "请求编号。", "req_1_42", pattern=REQUEST_ID_PATTERN),
    ],
    request: Request,
    sandbox: AnySandbox,
) -> SeenRequestWithBodies:
    """One request, with the beginnings of both bodies."""
    row = sandbox.interface.requests.get(_number(id, "id"))
    own = seen_only_by(request.scope)
    if row is None or own not in (None, row.caller):
        raise refuse(Reason.UNKNOWN, f"there is no request {id}")
    return SeenRequestWithBodies(**_fields(row), body=row.body, answer=row.answer)


def _number(id: str, name: str) -> int:
    number = request_number(id)
    if number is None:
        raise refuse(Reason.INVALID, f"{name}: expected a Request-Id such as req_1_42, found {id}")
    return number


def _fields(row: RequestRow) -> dict[str, Any]:
    return {
        "id": request_id(row.number),
        "at": utc_of_micros(row.at).isoformat(timespec="microseconds"),
        "method": row.method,
        "path": row.path,
        "query": row.query,
        "caller": row.caller,
        "status": row.status,
        "duration_us": row.duration,
        "bytes_in": row.bytes_in,
        "bytes_out": row.bytes_out,
        "idempotency_key": row.key,
        "is_replayed": row.replayed,
        "problem": row.problem,
    }
