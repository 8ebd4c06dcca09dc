"""What a request shows for itself: a key in a header, or the cookie of a session."""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import Scope

KEY_CHARS_MAX: Final = 200
NO_KEY: Final = ""
"""Shown, and no key of anybody."""
_ADDRESS_CHARS_MAX: Final = 64
_IPV6_NETWORK_BITS: Final = 64


def shown_key(headers: Headers) -> str | None:
    """The key in the headers; None without one, NO_KEY for what cannot be one."""
    shown = [_bearer(value) for value in headers.getlist("authorization")]
    shown += [value.strip() for value in headers.getlist("x-api-key")]
    if not shown:
        return None
    key = shown[0]
    is_one = all(each == key for each in shown)
    return key if is_one and key.isascii() and len(key) <= KEY_CHARS_MAX else NO_KEY


def session_token(connection: HTTPConnection) -> str | None:
    """The token of the session in the cookie."""
    token = connection.cookies.get(cookie_name(connection.scope))
    return token[:KEY_CHARS_MAX] if token else None


def cookie_name(scope: Scope) -> str:
    """Cookies are shared by the ports of a machine: each sandbox on it has one of its own."""
    server = scope.get("server")
    return f"novate_session_{server[1] if server else 0}"


def is_same_origin(headers: Headers) -> bool:
    """Whether a browser says that a page of ours sends this; without a word of it, it is not."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin")
    try:
        return (
            origin is not None
            and urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
        )
    except ValueError:
        return False


def address_of(scope: Scope) -> str:
    """From where a request comes, as far as one household has addresses of its own."""
    client = scope.get("client")
    text = str(client[0])[:_ADDRESS_CHARS_MAX] if client else ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    if address.version == 4:  # the version of the protocol
        return text
    return str(ipaddress.ip_network((address, _IPV6_NETWORK_BITS), strict=False))


def _bearer(value: str) -> str:
    scheme, _, key = value.strip().partition(" ")
    return key.strip() if scheme.lower() == "bearer" else NO_KEY
