"""Errors over HTTP: problem+json, with the numbered reason, its cause and its remedy."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from api.schemas import Problem
from ledger.domain.reasons import Reason, Rejected

PROBLEM_JSON = "application/problem+json"


class RefusedError(Exception):
    """A request that is refused for a reason; the handler answers it."""

    def __init__(self, refusal: Rejected) -> None:
        super().__init__(refusal.detail)
        self.refusal = refusal


def refuse(reason: Reason, detail: str) -> RefusedError:
    """The error for a reason; raise it."""
    return RefusedError(Rejected(reason, detail))


def install(app: FastAPI) -> None:
    """Makes an application answer every error as a problem."""
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RefusedError)
    return problem_response(error.refusal)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    words = [f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors()]
    return problem_response(Rejected(Reason.INVALID, "; ".join(words)))


def problem_response(refusal: Rejected) -> JSONResponse:
    """The answer to a request that is refused."""
    explanation, status = refusal.reason.explanation, refusal.reason.http_status
    problem = Problem(
        type=f"urn:novate:reason:{refusal.reason.value}",
        title=explanation.cause,
        status=status,
        detail=refusal.detail,
        code=refusal.reason.value,
        reason=refusal.reason.name,
        remedy=explanation.remedy,
        remedy_zh=explanation.remedy_zh,
    )
    return JSONResponse(problem.model_dump(), status_code=status, media_type=PROBLEM_JSON)
