"""Forms of pages: their fields, and that they come from a page of this server."""

from typing import Annotated, Final
from urllib.parse import parse_qs

from fastapi import Depends, Request

from api.access.credentials import is_same_origin
from api.errors import refuse
from ledger.domain.reasons import Reason

FIELDS_MAX: Final = 12
HOME: Final = "/"


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form as browsers send it; of a field given twice, the last."""
    body = (await request.body()).decode("utf-8", "replace")
    try:
        fields = parse_qs(body, max_num_fields=FIELDS_MAX)
    except ValueError as error:
        raise refuse(Reason.INVALID, f"form: {error}") from error
    return {name: values[-1] for name, values in fields.items()}


def only_own_pages(request: Request) -> None:
    """Refuses forms of other origins: they could sign a reader in as somebody else, or out."""
    if not is_same_origin(request.headers):
        raise refuse(Reason.UNAUTHORISED, "a page of another origin may not send this form")


def own_path(place: str) -> str:
    """A place to go on to that is a path of this server, whatever was asked for."""
    is_path = place.startswith("/") and not place.startswith("//")
    return place if is_path and place.isprintable() and "\\" not in place else HOME


Form = Annotated[dict[str, str], Depends(form_of)]
OwnPages = Depends(only_own_pages)
