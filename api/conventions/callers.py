"""Whose a request is, for what is kept of it."""

from typing import Final

from starlette.types import Scope

from ledger.books.interface.api_keys import ApiKey

ANYBODY: Final = "anybody"


def caller_of(scope: Scope) -> str:
    """Who has sent a request: the name of its key's holder, or that nobody is known.

    Of one who looks as somebody else, both names: nobody is taken for the other afterwards.
    """
    key, begun_with = _key_of(scope, "key"), _key_of(scope, "begun_with")
    if key is None:
        return ANYBODY
    if begun_with is None or begun_with.holder == key.holder:
        return key.holder.name
    return f"{begun_with.holder.name} as {key.holder.name}"


def seen_only_by(scope: Scope) -> str | None:
    """Whose requests a caller may see: its own; None: all."""
    key = _key_of(scope, "key")
    if key is None:
        return ANYBODY
    return None if key.holder.sees_everything else key.holder.name


def _key_of(scope: Scope, name: str) -> ApiKey | None:
    key = scope.get("state", {}).get(name)
    return key if isinstance(key, ApiKey) else None
