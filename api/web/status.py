"""The line above every page: whether the market runs, its last final block, business time."""

from fastapi import APIRouter, status
from fastapi.responses import HTMLResponse, Response

from api.dependencies import AnySandbox
from api.web.visit import Visiting

router = APIRouter(include_in_schema=False)


@router.get("/parts/status", response_class=HTMLResponse)
def status_part(visit: Visiting, sandbox: AnySandbox) -> Response:
    """The line as of now."""
    clock = sandbox.time.clock
    code = status.HTTP_200_OK if sandbox.is_ready else status.HTTP_503_SERVICE_UNAVAILABLE
    return visit.answer(
        "status_part.html",
        {},
        code,
        failure=not sandbox.is_ready,
        block=sandbox.consortium.clearing_house.projection.height,
        business_time=sandbox.consortium.clock.business_time().strftime("%Y-%m-%d %H:%M:%S"),
        is_frozen=clock is not None and clock.is_frozen,
    )
