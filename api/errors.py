"""Errors over HTTP: problem+json, with the numbered reason, its cause and its remedy."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.expected_forms import faults_of_request
from api.schemas import Problem
from api.trade_schemas import BatchFault, BatchProblem
from ledger.books.database import BooksLostError, StorageError
from ledger.domain.reasons import Reason, Rejected
from nodes.bus import UnreachableError
from nodes.trade_batches import MalformedBatchError


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do, where there is more to say than the reason does."""

    text: str
    text_zh: str


PROBLEM_JSON: Final = "application/problem+json"
_REASON_BY_STATUS: Final = {
    404: Reason.UNKNOWN,
    410: Reason.UNKNOWN,
    503: Reason.UNAVAILABLE,
    507: Reason.STORAGE,
}
NO_PATH: Final = Remedy("See GET /v1 for what is served.", "可用路径见 GET /v1。")
"""Where a path leads nowhere."""
_STATUS_INSTEAD: Final = {400: Reason.INVALID.http_status}
"""A body that is no text is refused as any other that is malformed."""
RETRY_SECONDS: Final = 1
"""After which it may be otherwise, where nobody knows better."""
_DESCRIPTION_BY_STATUS: Final = {
    401: "There is no key, or it is not valid here.",
    403: "Somebody who has to permit, ask for or sign it has not.",
    404: "It names something that is not known here.",
    409: "It contradicts what is on record, or needs a node that is away.",
    410: "It is not kept any more.",
    413: "The body is too large.",
    422: "It is not of the form it must have.",
    429: "Too many requests; Retry-After says when to ask again.",
    503: "The system is starting, stopping, or has met a fault.",
    507: "The disk is full or does not take what is written.",
}


class RefusedError(Exception):
    """A request that is refused for a reason; the handler answers it."""

    def __init__(self, refusal: Rejected, remedy: Remedy | None = None) -> None:
        super().__init__(refusal.detail)
        self.refusal = refusal
        self.remedy = remedy


def refuse(reason: Reason, detail: str, remedy: Remedy | None = None) -> RefusedError:
    """The error for a reason; raise it."""
    return RefusedError(Rejected(reason, detail), remedy)


def install(app: FastAPI) -> None:
    """Makes an application answer every error as a problem."""
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(MalformedBatchError, _malformed_batch)
    app.add_exception_handler(StorageError, _no_room)
    app.add_exception_handler(BooksLostError, _lost)
    app.add_exception_handler(UnreachableError, _away)
    app.add_exception_handler(HTTPException, _not_routed)
    app.add_exception_handler(RecursionError, _too_deep)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What an endpoint may answer besides its result, for the description of the interface."""
    return {
        status: {"model": Problem, "description": _DESCRIPTION_BY_STATUS[status]}
        for status in statuses
    }


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RefusedError)
    return problem_of(error.refusal, remedy=error.remedy)


async def _malformed_batch(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, MalformedBatchError)
    detail = f"{error.total} faults; the batch is refused whole, nothing of it was captured"
    problem = BatchProblem(
        **problem_body(Rejected(Reason.INVALID, detail)).model_dump(),
        faults=[BatchFault(row=f.row, field=f.field, detail=f.detail) for f in error.faults],
        faults_total=error.total,
    )
    return JSONResponse(problem.model_dump(), status_code=problem.status, media_type=PROBLEM_JSON)


async def _no_room(_: Request, error: Exception) -> JSONResponse:
    return problem_of(Rejected(Reason.STORAGE, str(error)))


async def _lost(_: Request, error: Exception) -> JSONResponse:
    """Whether it was kept is not known here; the next process knows."""
    return problem_of(Rejected(Reason.UNAVAILABLE, str(error)))


async def _away(_: Request, error: Exception) -> JSONResponse:
    """A node that is needed for this does not answer."""
    detail = f"{error}: send the same again when it is back"
    return problem_of(Rejected(Reason.SILENT, detail))


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    kind = request.headers.get("content-type", "none")
    if request.method in ("POST", "PUT") and not kind.startswith("application/json"):
        detail = f"content-type: expected application/json, found {kind}"
        return problem_of(Rejected(Reason.INVALID, detail))
    dependant = getattr(request.scope.get("route"), "dependant", None)
    return problem_of(Rejected(Reason.INVALID, faults_of_request(error.errors(), dependant)))


async def _not_routed(_: Request, error: Exception) -> JSONResponse:
    """No such path or method, or a body that cannot be read."""
    assert isinstance(error, HTTPException)
    reason = _REASON_BY_STATUS.get(error.status_code, Reason.INVALID)
    status = _STATUS_INSTEAD.get(error.status_code, error.status_code)
    return problem_of(Rejected(reason, str(error.detail)), status, error.headers)


async def _too_deep(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RecursionError)
    return problem_of(Rejected(Reason.INVALID, "the body is nested too deeply"))


def problem_of(
    refusal: Rejected,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
    remedy: Remedy | None = None,
) -> JSONResponse:
    """The answer for a refusal; status and remedy are the reason's own unless others are given."""
    problem = problem_body(refusal, status, remedy)
    if remedy is None and refusal.reason in (Reason.UNAVAILABLE, Reason.BUSY):
        headers = {"Retry-After": str(RETRY_SECONDS), **(headers or {})}
    return JSONResponse(
        problem.model_dump(), status_code=problem.status, headers=headers, media_type=PROBLEM_JSON
    )


def problem_body(
    refusal: Rejected, status: int | None = None, remedy: Remedy | None = None
) -> Problem:
    """What an answer says of a refusal."""
    explanation, status = refusal.reason.explanation, status or refusal.reason.http_status
    return Problem(
        type=f"urn:novate:reason:{refusal.reason.value}",
        title=explanation.cause,
        title_zh=explanation.cause_zh,
        status=status,
        detail=refusal.detail,
        code=refusal.reason.value,
        reason=refusal.reason.name,
        remedy=remedy.text if remedy else explanation.remedy,
        remedy_zh=remedy.text_zh if remedy else explanation.remedy_zh,
    )
