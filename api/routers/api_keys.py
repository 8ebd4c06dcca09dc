"""Keys: make one, list them, revoke one. They are never shown again."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request, status

from api import key_schemas as schemas
from api.access.access import Access
from api.access.credentials import session_token
from api.dependencies import CallingKey, Cursor, RunningSandbox, only_known_parameters
from api.errors import RefusedError, problems, refuse
from api.parameters import Limit
from api.said import in_path
from ledger.books.interface.api_keys import ApiKey
from ledger.domain.reasons import Reason, Rejected
from nodes.api_keys import fresh_key, holders

router = APIRouter(
    prefix="/v1/api-keys",
    tags=["keys"],
    dependencies=[Depends(only_known_parameters)],
    responses=problems(422, 503),
)


def access_of(request: Request) -> Access:
    """Access to the running sandbox."""
    access = request.app.state.access
    assert isinstance(access, Access)
    return access


GivenAccess = Annotated[Access, Depends(access_of)]


def may_go_on_of(request: Request, access: GivenAccess, key: CallingKey) -> Callable[[], bool]:
    """Whether what a request has begun may still go on, when it is asked.

    It ends when the key is revoked, and when the session is over or looks as somebody else.
    """
    token = session_token(request) if request.state.begun_with else None
    if token is None:
        return lambda: access.keys.is_good(key)

    def is_still_so() -> bool:
        signed_in = access.of_session(token)
        return signed_in is not None and signed_in.key == key

    return is_still_so


MayGoOn = Annotated[Callable[[], bool], Depends(may_go_on_of)]


@router.get("", operation_id="keys.list", summary="List keys")
def list_keys(access: GivenAccess, cursor: Cursor, limit: Limit = 100) -> schemas.ApiKeys:
    """Every key by its id, revoked ones too; the keys themselves nobody knows."""
    keys = access.keys.all()
    shown = keys[cursor : cursor + limit]
    end = cursor + len(shown)
    following = str(end) if shown and end < len(keys) else None
    return schemas.ApiKeys(data=[key_view(key) for key in shown], next_cursor=following)


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    operation_id="keys.create",
    summary="Make a key",
    responses=problems(404, 409, 507),
)
def create_key(
    new: schemas.NewKey, access: GivenAccess, sandbox: RunningSandbox
) -> schemas.MadeKey:
    """Makes another key for a holder; this answer is the only one that shows it."""
    holder = holders(sandbox.consortium.network).get(new.holder)
    if holder is None:
        raise refuse(Reason.UNKNOWN, f"holder: there is no participant {new.holder}")
    secret = fresh_key(holder.name)
    key = access.keys.add(secret, holder, access.now())
    if isinstance(key, Rejected):
        raise RefusedError(key)
    return schemas.MadeKey(**key_view(key).model_dump(), api_key=secret)


@router.post(
    "/{key_id}/revoke",
    operation_id="keys.revoke",
    summary="Revoke a key",
    responses=problems(404, 409, 507),
)
def revoke_key(
    key_id: Annotated[
        str,
        in_path(
            "Names the key, and is not it.",
            "密钥的编号，并非密钥本身。",
            "key_0123456789abcdef",
            max_length=40,
        ),
    ],
    access: GivenAccess,
) -> schemas.ApiKey:
    """From now on it is good for nothing, and whoever signed in with it is signed out."""
    key = access.keys.revoke(key_id, access.now())
    if isinstance(key, Rejected):
        raise RefusedError(key)
    return key_view(key)


def key_view(key: ApiKey) -> schemas.ApiKey:
    """What is known of a key."""
    return schemas.ApiKey(
        id=key.id,
        holder=key.holder.name,
        role=key.holder.role.value,
        participant=key.holder.participant,
        is_from_seed=key.is_from_seed,
        made_at=key.made_at,
        revoked_at=key.revoked_at,
    )
