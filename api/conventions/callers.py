"""Whose a request is, for what is kept of it."""

from typing import Final

from starlette.types import Scope

from ledger.books.interface.api_keys import ApiKey

ANYBODY: Final = "anybody"


def caller_of(scope: Scope) -> str:
    """Who has sent a request: the name of its key's holder, or that nobody is known."""
    key = _key_of(scope)
    return key.holder.name if key else ANYBODY


def seen_only_by(scope: Scope) -> str | None:
    """Whose requests a caller may see: its own; None: all."""
    key = _key_of(scope)
    return None if key and key.holder.sees_everything else caller_of(scope)


def _key_of(scope: Scope) -> ApiKey | None:
    key = scope.get("state", {}).get("key")
    return key if isinstance(key, ApiKey) else None
