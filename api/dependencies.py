"""What endpoints are given: the sandbox, paging, and the policy of who may call."""

from typing import Annotated, TypeVar

from fastapi import Depends, Query, Request

from api.errors import refuse
from api.schemas import Page
from ledger.domain.reasons import Reason
from nodes.explorer import Explorer
from nodes.sandbox.sandbox import Sandbox

PAGE_MAX = 500

T = TypeVar("T")


def sandbox_of(request: Request) -> Sandbox:
    """The running sandbox; refused while it is not ready."""
    sandbox = request.app.state.sandbox
    assert isinstance(sandbox, Sandbox)
    return sandbox


def explorer_of(request: Request) -> Explorer:
    """The explorer of the running sandbox's chain."""
    explorer = request.app.state.explorer
    assert isinstance(explorer, Explorer)
    return explorer


def cursor_position(cursor: Annotated[str | None, Query(max_length=20)] = None) -> int:
    """Where a page begins."""
    if cursor is None:
        return 0
    if not cursor.isascii() or not cursor.isdigit():
        raise refuse(
            Reason.INVALID, f"cursor: expected the next_cursor of a page, found {cursor!r}"
        )
    return int(cursor)


def page_of(items: list[T], cursor: int, total: int, as_of_block: int) -> Page[T]:
    """A page that begins at ``cursor`` of a list of ``total`` items."""
    end = cursor + len(items)
    following = str(end) if items and end < total else None
    return Page(as_of_block=as_of_block, data=items, next_cursor=following)


RunningSandbox = Annotated[Sandbox, Depends(sandbox_of)]
RunningExplorer = Annotated[Explorer, Depends(explorer_of)]
Cursor = Annotated[int, Depends(cursor_position)]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX, description="Items a page.")]
