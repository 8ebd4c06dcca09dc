"""Webhook endpoints: where events are sent, what was sent and answered, and sending once more."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse, Response

from api.dependencies import CallingHolder, RunningSandbox
from api.event_access import Events, reader_of
from api.routers import webhooks as interface
from api.routers.webhooks import LookUps, Rules, Webhooks, known_endpoint
from api.web.forms import Form, only_own_pages
from api.web.outcomes import Outcome
from api.web.page_route import PageRoute
from api.web.sandbox.screen import Shown
from api.webhook_schemas import NewWebhookEndpoint, Resend
from ledger.books.interface.webhooks import WebhookEndpointRow

router = APIRouter(include_in_schema=False, route_class=PageRoute)

PLACE: Final = "/sandbox/webhooks"
ATTEMPTS: Final = 50


@router.get("/sandbox/webhooks", response_class=HTMLResponse)
def webhooks_page(
    screen: Shown, webhooks: Webhooks, holder: CallingHolder, sandbox: RunningSandbox
) -> Response:
    """One's own endpoints; the operator of the sandbox sees everybody's."""
    secret = screen.outcome.result
    answer = screen.answer(
        "webhooks",
        endpoints=interface.list_endpoints(webhooks, holder).data,
        participants=[each.id for each in sandbox.consortium.network.participants],
        secret=secret,
    )
    if secret is not None:
        screen.forget()
    return answer


@router.post("/sandbox/webhooks", dependencies=[Depends(only_own_pages)])
def add_by_form(
    screen: Shown,
    sandbox: RunningSandbox,
    events: Events,
    webhooks: Webhooks,
    rules: Rules,
    look_ups: LookUps,
    holder: CallingHolder,
    form: Form,
) -> Response:
    """Has events sent to an address; the secret is shown on the page that follows, and nowhere."""

    def act() -> Outcome:
        asked = NewWebhookEndpoint(
            url=form.get("url", ""),
            types=form.get("types", "").replace(",", " ").split(),
            participant=form.get("participant") or None,
            description=form.get("description", ""),
        )
        made = interface.create_endpoint(
            asked, sandbox, events, webhooks, rules, look_ups, holder, reader_of(holder)
        )
        return Outcome(said="done_webhook", values={"id": made.id}, result=made.secret)

    return screen.carry_out(PLACE, form, act)


@router.get("/sandbox/webhooks/{id}", response_class=HTMLResponse)
def webhook_page(
    screen: Shown,
    endpoint: Annotated[WebhookEndpointRow, Depends(known_endpoint)],
    webhooks: Webhooks,
    _sandbox: RunningSandbox,
) -> Response:
    """One endpoint with its last attempts."""
    attempts = interface.list_attempts(endpoint, webhooks, limit=ATTEMPTS)
    return screen.answer(
        "webhook", endpoint=interface.read_endpoint(endpoint), attempts=attempts.data
    )


@router.post("/sandbox/webhooks/{id}", dependencies=[Depends(only_own_pages)])
def change_by_form(
    screen: Shown,
    endpoint: Annotated[WebhookEndpointRow, Depends(known_endpoint)],
    webhooks: Webhooks,
    events: Events,
    sandbox: RunningSandbox,
    form: Form,
) -> Response:
    """Enables, disables or removes it, or sends an event once more."""
    is_removed = form.get("act") == "remove"

    def act() -> Outcome:
        values: dict[str, object] = {"id": endpoint.id}
        match form.get("act"):
            case "enable":
                interface.enable_endpoint(endpoint, webhooks)
                return Outcome(said="done_enable", values=values)
            case "disable":
                interface.disable_endpoint(endpoint, webhooks)
                return Outcome(said="done_disable", values=values)
            case "remove":
                interface.delete_endpoint(endpoint, webhooks)
                return Outcome(said="done_remove", values=values)
            case _:
                asked = Resend(event=form.get("event", ""))
                interface.resend_events(asked, endpoint, sandbox, webhooks, events)
                return Outcome(said="done_resend", values={"event": asked.event})

    return screen.carry_out(PLACE if is_removed else f"{PLACE}/{endpoint.id}", form, act)
