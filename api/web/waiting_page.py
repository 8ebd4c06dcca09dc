"""What somebody in a browser is shown while one market is replaced by another."""

import base64
import hashlib
from typing import Any, Final

from fastapi import status
from fastapi.responses import Response
from starlette.requests import Request
from starlette.types import Scope

from api.web.visit import Visit, chosen_language

RETRY_SECONDS: Final = 2
STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{margin:0;min-height:100vh;display:grid;place-items:center;text-align:center;"
    'font:16px/1.6 system-ui,"Noto Sans","Noto Sans CJK SC",sans-serif}'
    "main{padding:1.5rem;max-width:34rem}h1{font-size:1.3rem;margin:0 0 .5rem}p{margin:0}"
)
"""In the page itself: meanwhile nothing else is served."""
POLICY: Final = (
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'"
)


def is_looked_at(scope: Scope) -> bool:
    """Whether a person waits for this answer: a browser asks for a whole page."""
    request = Request(scope)
    accepted = request.headers.get("accept", "")
    is_part = "hx-request" in request.headers
    return scope["method"] == "GET" and "text/html" in accepted and not is_part


def waiting_page(scope: Scope) -> Response:
    """A page that loads itself again until the market is back."""
    request = Request(scope)
    asked, accepted = request.query_params.get("lang"), request.headers.get("accept-language")
    visit = Visit(request, chosen_language(asked, accepted))
    shown: dict[str, Any] = {"seconds": RETRY_SECONDS, "style": STYLE}
    answer = visit.answer("waiting.html", {}, status.HTTP_503_SERVICE_UNAVAILABLE, **shown)
    answer.headers["Retry-After"] = str(RETRY_SECONDS)
    answer.headers["Content-Security-Policy"] = POLICY
    return answer
