"""Which callers are web pages of somebody else: they must not drive a node behind one's back."""

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers

_WEB: Final = frozenset({"http", "https"})


def is_foreign_page(headers: Headers) -> bool:
    """Whether a browser says that a page of another host sends this.

    Tools send no origin; a wallet that its user has installed sends one of another scheme.
    """
    origin = headers.get("origin")
    if origin is None:
        return False
    try:
        parts = urlsplit(origin)
    except ValueError:
        return True
    if parts.scheme and parts.scheme not in _WEB:
        return False
    return parts.netloc.lower() != headers.get("host", "").lower()
