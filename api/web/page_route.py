"""Routes of pages: whoever looks at a page reads a refusal as a page, not as JSON."""

from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from api.errors import RefusedError
from api.expected_forms import faults_of_request
from api.web.visit import Visit, chosen_language
from ledger.domain.reasons import Reason, Rejected
from nodes.bus import UnreachableError

_PARTS: Final = "/parts/"


class PageRoute(APIRoute):
    """Answers with a page, or with a part of one, whatever happens."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of the framework, with refusals made into pages."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except RefusedError as error:
                return _refused(request, error.refusal)
            except UnreachableError as error:
                return _refused(request, Rejected(Reason.SILENT, str(error)))
            except RequestValidationError as error:
                detail = faults_of_request(error.errors(), self.dependant)
                return _refused(request, Rejected(Reason.INVALID, detail))

        return answer


def _refused(request: Request, refusal: Rejected) -> Response:
    query, accepted = request.query_params, request.headers.get("accept-language")
    visit = Visit(request, chosen_language(query.get("lang"), accepted))
    is_part = request.url.path.startswith(_PARTS)
    template = "refused_part.html" if is_part else "refused.html"
    reason = refusal.reason
    return visit.answer(
        template,
        {},
        reason.http_status,
        reason=reason,
        detail=refusal.detail,
        is_stopped=reason is Reason.UNAVAILABLE,
        remedy=visit.remedy(reason),
    )
