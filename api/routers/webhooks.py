"""Webhook endpoints: add, look at, switch, resend, remove."""

from threading import BoundedSemaphore
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, status

from api import webhook_schemas as schemas
from api.dependencies import CallingHolder, RunningSandbox, only_known_parameters
from api.errors import problems, refuse
from api.event_access import Events, Reader
from api.parameters import CursorText, Limit
from api.participants import require_participant
from api.said import in_path, in_query
from ledger.books.interface.events import EventFilter
from ledger.books.interface.webhooks import (
    DISABLED,
    ENABLED,
    RESENDS_WAITING_MAX,
    WebhookAttemptRow,
    WebhookEndpointRow,
    WebhookStore,
    packed_types,
    types_of,
)
from ledger.domain.errors import MalformedError
from ledger.domain.key_holders import KeyHolder, KeyRole
from ledger.domain.reasons import Reason
from nodes.keys import fresh_bytes
from nodes.webhooks.addresses import AddressRules
from nodes.webhooks.dispatch import is_for
from nodes.webhooks.signing import SECRET_BYTES, secret_text

router = APIRouter(
    prefix="/v1/webhook-endpoints",
    tags=["webhooks"],
    dependencies=[Depends(only_known_parameters)],
    responses=problems(422, 503),
)

ENDPOINTS_MAX: Final = 20
"""Of one owner."""
ID_BYTES: Final = 6
LOOK_UPS_MAX: Final = 4
"""Names of hosts that are looked up at once: each may hold its thread for many seconds."""


def webhooks_of(request: Request) -> WebhookStore:
    """The endpoints of the application."""
    store = request.app.state.webhooks
    assert isinstance(store, WebhookStore)
    return store


def address_rules_of(request: Request) -> AddressRules:
    """Where webhooks may be sent."""
    rules = request.app.state.webhook_rules
    assert isinstance(rules, AddressRules)
    return rules


def look_ups_of(request: Request) -> BoundedSemaphore:
    """Places for those who have the name of a host looked up."""
    places = request.app.state.look_ups
    assert isinstance(places, BoundedSemaphore)
    return places


Webhooks = Annotated[WebhookStore, Depends(webhooks_of)]
Rules = Annotated[AddressRules, Depends(address_rules_of)]
LookUps = Annotated[BoundedSemaphore, Depends(look_ups_of)]


def known_endpoint(
    id: Annotated[
        str, in_path("The endpoint's id.", "端点标识。", "whe-5f0c2a9d41b7", max_length=40)
    ],
    webhooks: Webhooks,
    holder: CallingHolder,
) -> WebhookEndpointRow:
    """An endpoint of the caller's. Refused when there is none of this id."""
    endpoint = webhooks.get(id)
    if endpoint is None or not _is_of(holder, endpoint):
        raise refuse(Reason.UNKNOWN, f"there is no webhook endpoint {id}")
    return endpoint


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    operation_id="webhook_endpoints.create",
    summary="Have events sent to an address",
)
def create_endpoint(  # what FastAPI hands in
    new: schemas.NewWebhookEndpoint,
    sandbox: RunningSandbox,
    events: Events,
    webhooks: Webhooks,
    rules: Rules,
    look_ups: LookUps,
    holder: CallingHolder,
    reader: Reader,
) -> schemas.CreatedWebhookEndpoint:
    """Adds an endpoint, told of what happens from now on. The secret is shown this once."""
    _check_host(rules, look_ups, new.url)
    if new.participant:
        require_participant(sandbox.consortium, new.participant)
    if sum(each.owner == holder.name for each in webhooks.all()) >= ENDPOINTS_MAX:
        detail = f"{holder.name} has {ENDPOINTS_MAX} webhook endpoints already: remove one first"
        raise refuse(Reason.UNAVAILABLE, detail)
    endpoint = WebhookEndpointRow(
        id=f"whe-{fresh_bytes(ID_BYTES).hex()}",
        url=new.url,
        types=packed_types(new.types),
        participant=new.participant or "",
        owner=holder.name,
        reader=reader or "",
        description=new.description,
        secret=secret_text(fresh_bytes(SECRET_BYTES)),
        state=ENABLED,
        sequence=events.last_sequence,
        created_at=sandbox.consortium.clock.business_time().isoformat(timespec="seconds"),
    )
    webhooks.add(endpoint)
    shown = _view(endpoint).model_dump()
    return schemas.CreatedWebhookEndpoint(**shown, secret=endpoint.secret)


@router.get("", operation_id="webhook_endpoints.list", summary="List webhook endpoints")
def list_endpoints(webhooks: Webhooks, holder: CallingHolder) -> schemas.WebhookEndpoints:
    """The caller's endpoints; secrets are not shown again."""
    shown = [each for each in webhooks.all() if _is_of(holder, each)]
    return schemas.WebhookEndpoints(data=[_view(each) for each in shown])


@router.get(
    "/{id}",
    operation_id="webhook_endpoints.read",
    summary="Look a webhook endpoint up",
    responses=problems(404),
)
def read_endpoint(
    endpoint: Annotated[WebhookEndpointRow, Depends(known_endpoint)],
) -> schemas.WebhookEndpoint:
    """One endpoint."""
    return _view(endpoint)


@router.delete(
    "/{id}",
    status_code=status.HTTP_204_NO_CONTENT,
    operation_id="webhook_endpoints.delete",
    summary="Remove a webhook endpoint",
    responses=problems(404),
)
def delete_endpoint(
    endpoint: Annotated[WebhookEndpointRow, Depends(known_endpoint)], webhooks: Webhooks
) -> None:
    """Removes an endpoint with its attempts."""
    webhooks.remove(endpoint.id)


@router.post(
    "/{id}/enable",
    operation_id="webhook_endpoints.enable",
    summary="Send to an endpoint again",
    responses=problems(404),
)
def enable_endpoint(
    endpoint: Annotated[WebhookEndpointRow, Depends(known_endpoint)], webhooks: Webhooks
) -> schemas.WebhookEndpoint:
    """It is told of everything since it was disabled, as far as events are kept."""
    webhooks.change(
        endpoint.id, state=ENABLED, why_disabled="", attempts=0, due_at=0, exhausted_in_a_row=0
    )
    return _view(webhooks.get(endpoint.id) or endpoint)


@router.post(
    "/{id}/disable",
    operation_id="webhook_endpoints.disable",
    summary="Send nothing to an endpoint for now",
    responses=problems(404),
)
def disable_endpoint(
    endpoint: Annotated[WebhookEndpointRow, Depends(known_endpoint)], webhooks: Webhooks
) -> schemas.WebhookEndpoint:
    """Nothing is sent until it is enabled again, but for resends."""
    webhooks.change(endpoint.id, state=DISABLED)
    return _view(webhooks.get(endpoint.id) or endpoint)


@router.get(
    "/{id}/attempts",
    operation_id="webhook_endpoints.attempts",
    summary="See what was sent and answered",
    responses=problems(404),
)
def list_attempts(
    endpoint: Annotated[WebhookEndpointRow, Depends(known_endpoint)],
    webhooks: Webhooks,
    outcome: Annotated[
        str | None,
        in_query(
            "Only these.",
            "仅该结果的。",
            "exhausted",
            pattern="^(delivered|failed|exhausted)$",
        ),
    ] = None,
    cursor: CursorText = None,
    limit: Limit = 100,
) -> schemas.WebhookAttempts:
    """Attempts of an endpoint, newest first; those that are exhausted are its dead letters."""
    below = None if cursor is None else int(cursor)
    found = webhooks.attempts(endpoint.id, below, limit + 1, outcome)
    shown = found[:limit]
    following = str(shown[-1].number) if len(found) > limit else None
    return schemas.WebhookAttempts(data=list(map(_attempt_view, shown)), next_cursor=following)


@router.post(
    "/{id}/resend",
    status_code=status.HTTP_202_ACCEPTED,
    operation_id="webhook_endpoints.resend",
    summary="Send events once more",
    responses=problems(404),
)
def resend_events(
    asked: schemas.Resend,
    endpoint: Annotated[WebhookEndpointRow, Depends(known_endpoint)],
    sandbox: RunningSandbox,
    webhooks: Webhooks,
    events: Events,
) -> schemas.Resending:
    """Sends an event, or those of a range that the endpoint wants, once more and before others."""
    if asked.event is not None and asked.first_sequence is asked.last_sequence is None:
        event = sandbox.journal.get(asked.event)
        if event is None or not is_for(endpoint, event):
            raise refuse(Reason.UNKNOWN, f"there is no event {asked.event} for {endpoint.id}")
        sequences = [event.sequence]
    elif asked.event is None and asked.first_sequence and asked.last_sequence:
        count = asked.last_sequence - asked.first_sequence + 1
        if not 1 <= count <= schemas.EVENTS_A_RESEND_MAX:
            expected = f"1 to {schemas.EVENTS_A_RESEND_MAX} sequences"
            raise refuse(Reason.INVALID, f"body: expected {expected}, found {count}")
        found = events.wanted(EventFilter(), asked.first_sequence - 1, count)
        wanted = [each.sequence for each in found if is_for(endpoint, each)]
        sequences = [each for each in wanted if each <= asked.last_sequence]
    else:
        expected = "either event, or first_sequence and last_sequence"
        raise refuse(Reason.INVALID, f"body: expected {expected}")
    if not webhooks.resend(endpoint.id, sequences):
        detail = f"{endpoint.id} is to be sent {RESENDS_WAITING_MAX} events once more already"
        raise refuse(Reason.BUSY, detail)
    return schemas.Resending(events=len(sequences))


def _is_of(holder: KeyHolder, endpoint: WebhookEndpointRow) -> bool:
    """Where somebody is told of events is its own affair; the operator of the sandbox sees all."""
    return holder.role is KeyRole.OPERATOR or endpoint.owner == holder.name


def _check_host(rules: AddressRules, look_ups: BoundedSemaphore, url: str) -> None:
    """Refuses a URL that webhooks may not be sent to."""
    if not look_ups.acquire(blocking=False):
        raise refuse(Reason.BUSY, "too many names of hosts are being looked up")
    try:
        rules.check_host(url)
    except MalformedError as error:
        raise refuse(Reason.INVALID, f"url: {error}") from error
    finally:
        look_ups.release()


def _view(endpoint: WebhookEndpointRow) -> schemas.WebhookEndpoint:
    return schemas.WebhookEndpoint(
        id=endpoint.id,
        url=endpoint.url,
        types=types_of(endpoint),
        participant=endpoint.participant or None,
        description=endpoint.description,
        state=endpoint.state,
        why_disabled=endpoint.why_disabled,
        sequence=endpoint.sequence,
        attempts=endpoint.attempts,
        created_at=endpoint.created_at,
    )


def _attempt_view(row: WebhookAttemptRow) -> schemas.WebhookAttempt:
    values = row.model_dump(exclude={"endpoint"})
    return schemas.WebhookAttempt(**values)
