"""Signing in to the pages with a key or a ticket, and out. The browser never keeps the key."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, status
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.access.access import Access
from api.access.credentials import (
    KEY_CHARS_MAX,
    cookie_name,
    session_token,
)
from api.routers.api_keys import GivenAccess
from api.web.forms import Form, only_own_pages
from api.web.sign_in.words import SIGN_IN_WORDS
from api.web.visit import Visit, Visiting, chosen_language
from ledger.books.interface.api_keys import ApiKey
from ledger.books.interface.sessions import SESSION_SECONDS_MAX

router = APIRouter(include_in_schema=False)

HOME: Final = "/"
NEXT_CHARS_MAX: Final = 500
NextPage = Annotated[str, Query(alias="next", max_length=NEXT_CHARS_MAX)]


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
        return signed_in(visit.request, access, key, HOME)
    trouble = "ticket_used" if ticket else ""
    return _page(visit, place, trouble)


@router.post("/sign-in", dependencies=[Depends(only_own_pages)])
def sign_in(request: Request, access: GivenAccess, form: Form) -> Response:
    """Opens a session with a key, and goes on to the page that was wanted."""
    place = form.get("next", HOME)
    key = access.keys.find(form.get("key", "").strip()[:KEY_CHARS_MAX])
    if key is None:
        visit = Visit(request, chosen_language(form.get("lang"), None))
        return _page(visit, place, "wrong_key", status.HTTP_401_UNAUTHORIZED)
    return signed_in(request, access, key, place)


@router.post("/sign-out", dependencies=[Depends(only_own_pages)])
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


def signed_in(request: Request, access: Access, key: ApiKey, place: str) -> Response:
    """Opens a session with a key, in place of the one there was, and goes on to a page."""
    before = session_token(request)
    if before:
        # Nobody has its token any more: it would only stay open.
        access.sessions.close(before)
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
