"""Which writes may be done again when nobody knows whether they were done: one table.

What names its content (a trade by its number, an instruction by its label, a movement by its
reference) or says how something is to stand happens once however often it comes. The rest must not
be done again after a crash: the caller is told where to look. A write that is not named here is
taken for one of those.
"""

from collections.abc import Mapping
from enum import Enum
from functools import cache
from re import Pattern
from typing import Final

from starlette.routing import compile_path

from api.policies import CALLERS


class Again(Enum):
    """What the same write does when it comes again."""

    NOTHING = "nothing"
    MORE = "more"


SEE_BY_WRITE: Final[Mapping[str, str]] = {
    "POST /v1/sandbox/reset": "/v1/trades",
    "POST /v1/sandbox/trades": "/v1/trades",
}
"""Where one sees whether it was done, if not at its own path or the nearest above it."""

AGAIN: Final[Mapping[str, Again]] = {
    "POST /v1/trades": Again.NOTHING,
    "POST /v1/trades:batch": Again.NOTHING,
    "POST /v1/instructions": Again.NOTHING,
    "POST /v1/instructions:batch": Again.NOTHING,
    "POST /v1/instructions/{label}/hold": Again.NOTHING,
    "POST /v1/instructions/{label}/release": Again.NOTHING,
    "POST /v1/instructions/{label}/cancel": Again.NOTHING,
    "POST /v1/instructions/{label}/prioritise": Again.NOTHING,
    "POST /v1/instructions/{label}/settle": Again.NOTHING,
    "POST /v1/instructions/{label}/replace": Again.NOTHING,
    "POST /v1/sides": Again.NOTHING,
    "POST /v1/sides/{participant}/{reference}/withdraw": Again.NOTHING,
    "POST /v1/sides/{participant}/{reference}/amend": Again.NOTHING,
    "POST /v1/dry-run/instructions": Again.NOTHING,
    "POST /v1/dry-run/cycle": Again.NOTHING,
    "POST /v1/queue/resolve": Again.MORE,
    "POST /cycles/open": Again.MORE,
    "POST /liquidity/resolve": Again.MORE,
    "POST /reconciliation/breaks/{owner}/{break_id}": Again.MORE,
    "POST /sandbox/trades": Again.MORE,
    "POST /sandbox/fund": Again.NOTHING,
    "POST /sandbox/stubs": Again.NOTHING,
    "POST /sandbox/clock": Again.MORE,
    "POST /sandbox/faults": Again.NOTHING,
    "POST /sandbox/faults/heal": Again.NOTHING,
    "POST /sandbox/scenarios": Again.NOTHING,
    "POST /sandbox/scenarios/{name}/run": Again.NOTHING,
    "POST /sandbox/snapshots": Again.MORE,
    "POST /sandbox/snapshots/restore": Again.MORE,
    "POST /sandbox/snapshots/drop": Again.MORE,
    "POST /sandbox/snapshots/reset": Again.MORE,
    "POST /sandbox/webhooks": Again.MORE,
    "POST /sandbox/webhooks/{id}": Again.MORE,
    "PUT /v1/limits": Again.NOTHING,
    "DELETE /v1/limits": Again.NOTHING,
    "POST /v1/reservations": Again.NOTHING,
    "POST /v1/sandbox/fund": Again.NOTHING,
    "POST /v1/participants/{participant}/suspend": Again.NOTHING,
    "POST /v1/participants/{participant}/reinstate": Again.NOTHING,
    "POST /v1/clock": Again.MORE,
    "POST /v1/cycles": Again.MORE,
    "POST /v1/api-keys": Again.MORE,
    "POST /v1/api-keys/{key_id}/revoke": Again.NOTHING,
    "POST /v1/sandbox/reset": Again.MORE,
    "POST /v1/sandbox/snapshots": Again.MORE,
    "POST /v1/sandbox/snapshots/{name}/restore": Again.MORE,
    "DELETE /v1/sandbox/snapshots/{name}": Again.MORE,
    "POST /v1/sandbox/backups": Again.MORE,
    "POST /v1/sandbox/trades": Again.MORE,
    "PUT /v1/sandbox/stubs/{participant}": Again.NOTHING,
    "DELETE /v1/sandbox/stubs/{participant}": Again.NOTHING,
    "POST /v1/sandbox/scenarios": Again.NOTHING,
    "POST /v1/sandbox/scenarios/{name}/run": Again.NOTHING,
    "POST /v1/sandbox/faults": Again.NOTHING,
    "DELETE /v1/sandbox/faults/{participant}": Again.NOTHING,
    "POST /v1/breaks/{owner}/{break_id}/assign": Again.NOTHING,
    "POST /v1/breaks/{owner}/{break_id}/comment": Again.MORE,
    "POST /v1/breaks/{owner}/{break_id}/resolve": Again.NOTHING,
    "POST /v1/breaks/{owner}/{break_id}/reopen": Again.NOTHING,
    "POST /v1/statements/{participant}": Again.NOTHING,
    "POST /v1/events/{id}/resend": Again.NOTHING,
    "POST /v1/webhook-endpoints": Again.MORE,
    "DELETE /v1/webhook-endpoints/{id}": Again.MORE,
    "POST /v1/webhook-endpoints/{id}/enable": Again.NOTHING,
    "POST /v1/webhook-endpoints/{id}/disable": Again.NOTHING,
    "POST /v1/webhook-endpoints/{id}/resend": Again.MORE,
}
"""By method and path."""


def does_nothing_again(method: str, path: str) -> bool:
    """Whether the same write may simply be done again."""
    return any(
        again is Again.NOTHING and name == method and pattern.fullmatch(path)
        for name, pattern, again in _patterns()
    )


def where_to_see(method: str, path: str) -> str:
    """What to read to find out whether a write was done."""
    seen = SEE_BY_WRITE.get(f"{method} {path}", path)
    while not any(each.fullmatch(seen) for each in _read()) and seen.count("/") > 1:
        seen = seen.rpartition("/")[0]
    return seen


@cache
def _read() -> list[Pattern[str]]:
    """The paths that can be read."""
    names = (name.partition(" ") for name in CALLERS)
    return [compile_path(path)[0] for method, _, path in names if method == "GET"]


@cache
def _patterns() -> list[tuple[str, Pattern[str], Again]]:
    found = []
    for name, again in AGAIN.items():
        method, _, path = name.partition(" ")
        found.append((method, compile_path(path)[0], again))
    return found
