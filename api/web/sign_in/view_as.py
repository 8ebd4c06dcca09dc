"""Looking as somebody else: the operator of a sandbox sees, and may do, what another one does.

No key of the other one is needed, and nothing is added to what it may do. The session knows both:
signing out ends it, and the way back is to choose one's own name.
"""

from fastapi import APIRouter, Depends, Request, status
from fastapi.responses import RedirectResponse, Response

from api.access.credentials import session_token
from api.errors import RefusedError
from api.routers.api_keys import GivenAccess
from api.web.forms import Form, only_own_pages
from api.web.page_route import PageRoute
from api.web.sign_in.page import HOME, own_path

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.post("/view-as", dependencies=[Depends(only_own_pages)])
def view_as(request: Request, access: GivenAccess, form: Form) -> Response:
    """Lets the session look as the holder that was chosen, and shows the page again."""
    refusal = access.view_as(session_token(request) or "", form.get("holder", ""))
    if refusal is not None:
        raise RefusedError(refusal)
    return RedirectResponse(own_path(form.get("next", HOME)), status.HTTP_303_SEE_OTHER)
