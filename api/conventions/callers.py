"""On whose behalf a request came, as far as that is known."""

from starlette.types import Scope

ANYBODY = "anybody"


def caller_of(scope: Scope) -> str:
    """The participant or operator who was identified; ``anybody`` where nobody has to be."""
    caller = scope.get("state", {}).get("caller")
    if caller is None:
        return ANYBODY
    return str(getattr(caller, "id", caller))


def seen_only_by(scope: Scope) -> str | None:
    """Whose requests a caller may see: its own; None: all, for an operator and without keys."""
    caller = scope.get("state", {}).get("caller")
    if caller is None or getattr(caller, "is_operator", False):
        return None
    return caller_of(scope)
