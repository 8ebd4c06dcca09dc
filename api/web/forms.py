"""Forms of pages: read as browsers send them, and taken from the own pages only."""

from typing import Annotated, Final, TypeAlias
from urllib.parse import parse_qs

from fastapi import Depends, Request

from api.access.credentials import is_same_origin
from api.errors import refuse
from ledger.domain.reasons import Reason

FIELDS_MAX: Final = 40


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form; of a field given twice, the last."""
    body = (await request.body()).decode("utf-8", "replace")
    try:
        fields = parse_qs(body, max_num_fields=FIELDS_MAX)
    except ValueError as error:
        raise refuse(Reason.INVALID, f"form: {error}") from error
    return {name: values[-1] for name, values in fields.items()}


def only_own_pages(request: Request) -> None:
    """Refuses forms of other origins: they could act in the name of who is signed in."""
    if not is_same_origin(request.headers):
        raise refuse(Reason.UNAUTHORISED, "a page of another origin may not send this form")


Form: TypeAlias = Annotated[dict[str, str], Depends(form_of)]
