"""What endpoints are given: the sandbox, and where a page begins.

None of it waits for anything, so that none of it needs a thread of its own.
"""

from typing import Annotated, TypeVar

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant

from api.errors import refuse
from api.parameters import CursorText
from api.schemas import Page
from ledger.books.interface.api_keys import ApiKey
from ledger.domain.key_holders import KeyHolder
from ledger.domain.reasons import Reason
from nodes.explorer import Explorer
from nodes.sandbox.sandbox import Sandbox

T = TypeVar("T")


async def sandbox_of(request: Request) -> Sandbox:
    """The running sandbox; refused while it is not ready."""
    sandbox = await any_sandbox_of(request)
    if not sandbox.is_ready:
        raise refuse(Reason.UNAVAILABLE, sandbox.failure or "the sandbox is starting or stopping")
    return sandbox


async def any_sandbox_of(request: Request) -> Sandbox:
    """The sandbox, whatever state it is in."""
    sandbox = request.app.state.sandbox
    assert isinstance(sandbox, Sandbox)
    return sandbox


def key_of(request: Request) -> ApiKey:
    """The key that a request carries; the guard has let nobody in without one."""
    key = request.state.key
    assert isinstance(key, ApiKey), "the guard let somebody in without a key"
    return key


async def calling_key(request: Request) -> ApiKey:
    """The key that a request carries."""
    return key_of(request)


async def calling_holder(request: Request) -> KeyHolder:
    """On whose behalf a request is made."""
    return key_of(request).holder


async def explorer_of(request: Request) -> Explorer:
    """The explorer of the running sandbox's chain."""
    explorer = request.app.state.explorer
    assert isinstance(explorer, Explorer)
    return explorer


async def raw_body(request: Request) -> bytes:
    """The body as it came; the guard has bounded it."""
    return await request.body()


async def json_text(request: Request) -> bytes:
    """The body as it came, which is said to be JSON; the guard has bounded it."""
    kind = request.headers.get("content-type", "none")
    if kind.partition(";")[0].strip().lower() != "application/json":
        raise refuse(Reason.INVALID, f"content-type: expected application/json, found {kind}")
    return await request.body()


async def only_known_parameters(request: Request) -> None:
    """Refuses query parameters that the endpoint does not have: a misspelt one must not be lost."""
    known = _query_names(request.scope["route"].dependant)
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        expected = ", ".join(sorted(known)) or "none"
        raise refuse(Reason.INVALID, f"query: expected {expected}, found {', '.join(unknown)}")


def _query_names(dependant: Dependant) -> set[str]:
    names = {parameter.alias for parameter in dependant.query_params}
    return names.union(*(_query_names(each) for each in dependant.dependencies))


async def cursor_position(cursor: CursorText = None) -> int:
    """Where a page begins."""
    return int(cursor or 0)


def page_of(items: list[T], cursor: int, total: int, as_of_block: int) -> Page[T]:
    """A page that begins at ``cursor`` of a list of ``total`` items."""
    end = cursor + len(items)
    following = str(end) if items and end < total else None
    return Page(as_of_block=as_of_block, data=items, next_cursor=following)


RunningSandbox = Annotated[Sandbox, Depends(sandbox_of)]
RunningExplorer = Annotated[Explorer, Depends(explorer_of)]
CallingHolder = Annotated[KeyHolder, Depends(calling_holder)]
CallingKey = Annotated[ApiKey, Depends(calling_key)]
AnySandbox = Annotated[Sandbox, Depends(any_sandbox_of)]
JsonText = Annotated[bytes, Depends(json_text)]
RawBody = Annotated[bytes, Depends(raw_body)]
Cursor = Annotated[int, Depends(cursor_position)]
