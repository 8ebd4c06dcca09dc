"""Signing in to the pages with a key or a ticket, and out. The browser never keeps the key."""

from typing import Annotated, Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Query, Request, status
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.access.credentials import (
    KEY_CHARS_MAX,
    cookie_name,
    is_same_origin,
    session_token,
)
from api.errors import refuse
from api.routers.api_keys import GivenAccess
from api.web.sign_in.words import SIGN_IN_WORDS
from api.web.visit import Visit, Visiting, chosen_language
from ledger.books.interface.api_keys import ApiKey
from ledger.books.interface.sessions import SESSION_SECONDS_MAX
from ledger.domain.reasons import Reason

router = APIRouter(include_in_schema=False)

HOME: Final = "/"
NEXT_CHARS_MAX: Final = 500
FIELDS_MAX: Final = 10
NextPage = Annotated[str, Query(alias="next", max_length=NEXT_CHARS_MAX)]


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form as browsers send it; of a field given twice, the last."""
    body = (await request.body()).decode("utf-8", "replace")
    try:
        fields = parse_qs(body, max_num_fields=FIELDS_MAX)
    except ValueError as error:
        raise refuse(Reason.INVALID, f"form: {error}") from error
    return {name: values[-1] for name, values in fields.items()}


def _only_own_pages(request: Request) -> None:
    """Refuses forms of other origins: they could sign a reader in as somebody else, or out."""
    if not is_same_origin(request.headers):
        raise refuse(Reason.UNAUTHORISED, "a page of another origin may not sign anybody in or out")


@router.get("/sign-in", response_class=HTMLResponse)
def sign_in_page(
    visit: Visiting,
    access: GivenAccess,
    place: NextPage = HOME,
    ticket: Annotated[str, Query(max_length=KEY_CHARS_MAX)] = "",
) -> Response:
    """Asks for a key; whoever comes with a ticket that nobody has used is in."""
    key = access.of_ticket(ticket) if ticket else None
    if key is not None:
        return _signed_in(visit.request, access, key, HOME)
    trouble = "ticket_used" if ticket else ""
    return _page(visit, place, trouble)


@router.post("/sign-in", dependencies=[Depends(_only_own_pages)])
def sign_in(
    request: Request, access: GivenAccess, form: Annotated[dict[str, str], Depends(_form)]
) -> Response:
    """Opens a session with a key, and goes on to the page that was wanted."""
    place = form.get("next", HOME)
    key = access.keys.find(form.get("key", "").strip()[:KEY_CHARS_MAX])
    if key is None:
        visit = Visit(request, chosen_language(form.get("lang"), None))
        return _page(visit, place, "wrong_key", status.HTTP_401_UNAUTHORIZED)
    return _signed_in(request, access, key, place)


@router.post("/sign-out", dependencies=[Depends(_only_own_pages)])
def sign_out(request: Request, access: GivenAccess) -> Response:
    """Ends the session."""
    token = session_token(request)
    if token:
        access.sessions.close(token)
    answer = RedirectResponse("/sign-in", status.HTTP_303_SEE_OTHER)
    answer.delete_cookie(cookie_name(request.scope), httponly=True, samesite="strict")
    return answer


def own_path(place: str) -> str:
    """A place to go on to that is a path of this server, whatever was asked for."""
    is_path = place.startswith("/") and not place.startswith("//")
    return place if is_path and place.isprintable() and "\\" not in place else HOME


def _signed_in(request: Request, access: GivenAccess, key: ApiKey, place: str) -> Response:
    answer = RedirectResponse(own_path(place), status.HTTP_303_SEE_OTHER)
    answer.set_cookie(
        cookie_name(request.scope),
        access.sign_in(key),
        max_age=SESSION_SECONDS_MAX,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


def _page(visit: Visit, place: str, trouble: str, code: int = status.HTTP_200_OK) -> Response:
    shown = {"place": own_path(place), "trouble": trouble}
    return visit.answer("sign_in/page.html", SIGN_IN_WORDS, code, **shown)
