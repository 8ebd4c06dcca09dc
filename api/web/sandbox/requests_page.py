"""The log of requests: what was asked of the interface, by whom, and what was answered."""

import json
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse, Response

from api.dependencies import AnySandbox, RunningSandbox
from api.parameters import CURSOR_PATTERN
from api.routers.requests import (
    REQUEST_ID_PATTERN,
    list_requests,
    read_request,
    wanted_requests,
)
from api.web.page_route import PageRoute
from api.web.sandbox.screen import Shown
from ledger.domain.reasons import Reason

router = APIRouter(include_in_schema=False, route_class=PageRoute)

INTERFACE: Final = "/v1"
PAGE: Final = 50
STATUSES: Final = ("2xx", "3xx", "4xx", "5xx")
METHODS: Final = ("GET", "POST", "PUT", "DELETE")
_NAME_BY_PROBLEM: Final = {reason.value: reason.name for reason in Reason}
Status = Annotated[str, Query(pattern=r"^([1-5]xx)?$")]
Method = Annotated[str, Query(pattern=r"^([A-Z]{3,7})?$")]
PathBegins = Annotated[str, Query(max_length=200)]
Caller = Annotated[str, Query(max_length=64)]
Cursor = Annotated[str | None, Query(pattern=CURSOR_PATTERN)]


@router.get("/sandbox/requests", response_class=HTMLResponse)
async def requests_page(
    screen: Shown,
    sandbox: RunningSandbox,
    request: Request,
    status: Status = "",
    method: Method = "",
    path: PathBegins = "",
    caller: Caller = "",
    cursor: Cursor = None,
) -> Response:
    """The last ones, newest first."""
    wanted = await wanted_requests(
        request, int(cursor or 0), status or None, method or None, path or None, caller or None
    )
    found = list_requests(sandbox, wanted, PAGE)
    return screen.answer(
        "requests",
        requests=found.data,
        next_cursor=found.next_cursor,
        filters={"status": status, "method": method, "path": path, "caller": caller},
        statuses=STATUSES,
        methods=METHODS,
        name_by_problem=_NAME_BY_PROBLEM,
    )


@router.get("/sandbox/requests/{id}", response_class=HTMLResponse)
def request_page(
    screen: Shown,
    sandbox: AnySandbox,
    request: Request,
    id: Annotated[str, Path(pattern=REQUEST_ID_PATTERN)],
) -> Response:
    """One request with both bodies."""
    seen = read_request(id, request, sandbox)
    sent = content_of(seen.body)
    return screen.answer(
        "request",
        seen=seen,
        body=indented(seen.body),
        answer=indented(seen.answer),
        sent=sent,
        # What was cut off, or is no JSON, cannot be told as a request to send.
        may_repeat=seen.path.startswith(INTERFACE) and (sent is not None or not seen.bytes_in),
        problem=_NAME_BY_PROBLEM.get(seen.problem or 0, ""),
    )


def indented(text: str | None) -> str | None:
    """JSON for people; what is none, or was cut off, as it came."""
    content = content_of(text)
    return text if content is None else json.dumps(content, indent=2, ensure_ascii=False)


def content_of(text: str | None) -> Any:  # noqa: ANN401 # JSON
    """What JSON says; None for what is none, or was cut off."""
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
