"""Pages of sorted lists in which new things may come in anywhere.

A cursor is the key of the last item of a page; the next page is what sorts after it. What comes in
meanwhile is shown if it sorts after the cursor, and never moves what is there already.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Annotated, Final, TypeAlias, TypeVar

from fastapi import Depends

from api.said import in_query

T = TypeVar("T")

Key: TypeAlias = tuple[int, ...]

_CURSOR_PATTERN: Final = r"^[0-9]{1,19}(\.[0-9]{1,19}){0,4}$"


async def _last_key(
    cursor: Annotated[
        str | None,
        in_query(
            "The next_cursor of the page before.",
            "上一页的 next_cursor。",
            "1.1.256",
            max_length=100,
            pattern=_CURSOR_PATTERN,
        ),
    ] = None,
) -> Key:
    """The key of the last item of the page before; empty at the beginning."""
    if cursor is None:
        return ()
    return tuple(int(part) for part in cursor.split("."))


def page_after(
    items: Sequence[T], key_of: Callable[[T], Key], last: Key, limit: int
) -> tuple[Sequence[T], str | None]:
    """The items after a key, and the cursor of the page after them. ``items`` are by key."""
    first = bisect_right(items, last, key=key_of) if last else 0
    page = items[first : first + limit]
    has_more = len(items) > first + limit
    return page, ".".join(str(part) for part in key_of(page[-1])) if has_more else None


KeyCursor = Annotated[Key, Depends(_last_key)]
