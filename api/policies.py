"""Who may call what: one table of all that is served, enforced in one place.

``api.access.guard`` looks every request up here before anything of it is read; what is not in the
table is refused. Whose objects somebody sees and acts on among those of a route is decided where
they are looked up, by ``KeyHolder.may_see`` and ``KeyHolder.acts_for``.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from ledger.domain.key_holders import KeyRole


class Caller(Enum):
    """On whose behalf something is called."""

    ANYBODY = "anybody"
    """Without a key: it is no secret, or has its own protection."""
    MEMBER = "any participant"
    """Reads what every participant's own copy of the ledger shows anyway."""
    OWN = "any participant, of its own"
    """Reads, and works on, what concerns itself; some roles see everything."""
    EXCHANGE = "the exchange"
    SIDE = "a side of the instruction"
    """The participant that a request names, with ``by`` or in its path, or by its account."""
    OWNER = "the owner of the account"
    ISSUER = "the settlement bank of the account, or the registrar"
    """Who issues what is brought in: cash the one, securities the other."""
    OPERATOR = "the operator"
    """The clearing house."""
    SANDBOX = "the operator of the sandbox"
    """Whoever runs the simulation; in a real market there is no such thing."""


CALLERS: Final[Mapping[str, Caller]] = {
    "GET /": Caller.OWN,
    "GET /parts/status": Caller.MEMBER,
    "GET /parts/today": Caller.OWN,
    "GET /trades": Caller.OWN,
    "GET /trades/{trade_id}": Caller.OWN,
    "GET /parts/trades/{trade_id}": Caller.OWN,
    "GET /reconciliation": Caller.OWN,
    "GET /parts/reconciliation": Caller.OWN,
    "GET /parts/reconciliation/breaks": Caller.OWN,
    "GET /reconciliation/breaks/{owner}/{break_id}": Caller.OWN,
    "POST /reconciliation/breaks/{owner}/{break_id}": Caller.OWN,
    "GET /reconciliation/stream": Caller.OWN,
    "GET /participants": Caller.MEMBER,
    "GET /parts/participants": Caller.MEMBER,
    "GET /participants/{participant}": Caller.OWN,
    "GET /sign-in": Caller.ANYBODY,
    "POST /sign-in": Caller.ANYBODY,
    "POST /sign-out": Caller.ANYBODY,
    "POST /view-as": Caller.ANYBODY,
    "MOUNT /static": Caller.ANYBODY,
    "GET /openapi.json": Caller.ANYBODY,
    "GET /livez": Caller.ANYBODY,
    "GET /readyz": Caller.ANYBODY,
    "GET /metrics": Caller.OPERATOR,
    "GET /version": Caller.ANYBODY,
    "GET /v1": Caller.ANYBODY,
    "POST /v1/trades": Caller.EXCHANGE,
    "POST /v1/trades:batch": Caller.EXCHANGE,
    "GET /v1/trades": Caller.OWN,
    "GET /v1/trades/gaps": Caller.EXCHANGE,
    "GET /v1/trades/{trade_id}": Caller.OWN,
    "GET /v1/trades/{trade_id}/proof": Caller.OWN,
    "GET /v1/trades/{trade_id}/signatures": Caller.OWN,
    "POST /v1/instructions": Caller.SIDE,
    "POST /v1/instructions:batch": Caller.SIDE,
    "GET /v1/instructions": Caller.OWN,
    "GET /v1/instructions/{label}": Caller.OWN,
    "GET /v1/instructions/{label}/dry-run": Caller.OWN,
    "POST /v1/instructions/{label}/hold": Caller.SIDE,
    "POST /v1/instructions/{label}/release": Caller.SIDE,
    "POST /v1/instructions/{label}/cancel": Caller.SIDE,
    "POST /v1/instructions/{label}/prioritise": Caller.SIDE,
    "POST /v1/instructions/{label}/settle": Caller.SIDE,
    "POST /v1/instructions/{label}/replace": Caller.SIDE,
    "POST /v1/sides": Caller.SIDE,
    "GET /v1/sides": Caller.OWN,
    "GET /v1/sides/{participant}/{reference}": Caller.OWN,
    "POST /v1/sides/{participant}/{reference}/withdraw": Caller.SIDE,
    "POST /v1/sides/{participant}/{reference}/amend": Caller.SIDE,
    "GET /v1/allegements": Caller.OWN,
    "POST /v1/dry-run/instructions": Caller.SIDE,
    "POST /v1/dry-run/cycle": Caller.OPERATOR,
    "GET /v1/queue": Caller.OWN,
    "POST /v1/queue/resolve": Caller.OPERATOR,
    "GET /v1/limits": Caller.OWN,
    "PUT /v1/limits": Caller.OWNER,
    "DELETE /v1/limits": Caller.OWNER,
    "POST /v1/reservations": Caller.OWNER,
    "GET /v1/api-keys": Caller.SANDBOX,
    "POST /v1/api-keys": Caller.SANDBOX,
    "POST /v1/api-keys/{key_id}/revoke": Caller.SANDBOX,
    "POST /v1/sandbox/fund": Caller.ISSUER,
    "GET /v1/sandbox": Caller.MEMBER,
    "GET /v1/sandbox/faults": Caller.SANDBOX,
    "POST /v1/sandbox/faults": Caller.SANDBOX,
    "DELETE /v1/sandbox/faults/{participant}": Caller.SANDBOX,
    "POST /v1/sandbox/reset": Caller.SANDBOX,
    "GET /v1/sandbox/snapshots": Caller.SANDBOX,
    "POST /v1/sandbox/snapshots": Caller.SANDBOX,
    "POST /v1/sandbox/snapshots/{name}/restore": Caller.SANDBOX,
    "DELETE /v1/sandbox/snapshots/{name}": Caller.SANDBOX,
    "POST /v1/sandbox/backups": Caller.SANDBOX,
    "POST /v1/sandbox/trades": Caller.SANDBOX,
    "GET /v1/sandbox/stubs": Caller.SANDBOX,
    "PUT /v1/sandbox/stubs/{participant}": Caller.SANDBOX,
    "DELETE /v1/sandbox/stubs/{participant}": Caller.SANDBOX,
    "GET /v1/sandbox/scenarios": Caller.MEMBER,
    "POST /v1/sandbox/scenarios": Caller.MEMBER,
    "POST /v1/sandbox/scenarios/{name}/run": Caller.MEMBER,
    "POST /v1/participants/{participant}/suspend": Caller.OPERATOR,
    "POST /v1/participants/{participant}/reinstate": Caller.OPERATOR,
    "GET /v1/events": Caller.OWN,
    "GET /v1/events/stream": Caller.OWN,
    "GET /v1/events/{id}": Caller.OWN,
    "POST /v1/events/{id}/resend": Caller.OWN,
    "POST /v1/webhook-endpoints": Caller.OWN,
    "GET /v1/webhook-endpoints": Caller.OWN,
    "GET /v1/webhook-endpoints/{id}": Caller.OWN,
    "DELETE /v1/webhook-endpoints/{id}": Caller.OWN,
    "POST /v1/webhook-endpoints/{id}/enable": Caller.OWN,
    "POST /v1/webhook-endpoints/{id}/disable": Caller.OWN,
    "GET /v1/webhook-endpoints/{id}/attempts": Caller.OWN,
    "POST /v1/webhook-endpoints/{id}/resend": Caller.OWN,
    "GET /v1/clock": Caller.MEMBER,
    "POST /v1/clock": Caller.SANDBOX,
    "GET /v1/participants": Caller.MEMBER,
    "GET /v1/cycles": Caller.MEMBER,
    "POST /v1/cycles": Caller.OPERATOR,
    "GET /v1/cycles/{number}": Caller.MEMBER,
    "GET /v1/positions": Caller.OWN,
    "GET /v1/reconciliation": Caller.OWN,
    "GET /v1/reconciliation/stream": Caller.OWN,
    "GET /v1/requests": Caller.OWN,
    "GET /v1/requests/{id}": Caller.OWN,
    "GET /v1/breaks": Caller.OWN,
    "GET /v1/breaks/{owner}/{break_id}": Caller.OWN,
    "POST /v1/breaks/{owner}/{break_id}/assign": Caller.OWN,
    "POST /v1/breaks/{owner}/{break_id}/comment": Caller.OWN,
    "POST /v1/breaks/{owner}/{break_id}/resolve": Caller.OWN,
    "POST /v1/breaks/{owner}/{break_id}/reopen": Caller.OWN,
    "GET /v1/statements/{participant}/{kind}.csv": Caller.OWN,
    "POST /v1/statements/{participant}": Caller.OWN,
    "GET /v1/chain/blocks": Caller.MEMBER,
    "GET /v1/chain/blocks/{block}": Caller.MEMBER,
    "GET /v1/chain/blocks/{number}/certificate": Caller.MEMBER,
    "GET /v1/chain/transactions/{hash}": Caller.MEMBER,
    "GET /cycles": Caller.MEMBER,
    "GET /parts/cycles": Caller.MEMBER,
    "GET /cycles/open": Caller.OWN,
    "GET /parts/cycles/open": Caller.OWN,
    "POST /cycles/open": Caller.OPERATOR,
    "GET /cycles/{number}": Caller.OWN,
    "GET /parts/cycles/{number}": Caller.OWN,
    "GET /liquidity": Caller.OWN,
    "GET /parts/liquidity": Caller.OWN,
    "POST /liquidity/resolve": Caller.OPERATOR,
    "GET /chain": Caller.MEMBER,
    "GET /parts/chain": Caller.MEMBER,
    "GET /chain/search": Caller.MEMBER,
    "GET /chain/blocks/{block}": Caller.MEMBER,
    "GET /chain/transactions/{hash}": Caller.MEMBER,
    "GET /chain/trades/{trade_id}": Caller.OWN,
    "GET /sandbox": Caller.MEMBER,
    "POST /sandbox/trades": Caller.SANDBOX,
    "POST /sandbox/fund": Caller.ISSUER,
    "POST /sandbox/stubs": Caller.SANDBOX,
    "GET /sandbox/clock": Caller.MEMBER,
    "GET /parts/sandbox/clock": Caller.MEMBER,
    "POST /sandbox/clock": Caller.SANDBOX,
    "GET /sandbox/faults": Caller.MEMBER,
    "POST /sandbox/faults": Caller.SANDBOX,
    "POST /sandbox/faults/heal": Caller.SANDBOX,
    "GET /sandbox/scenarios": Caller.MEMBER,
    "POST /sandbox/scenarios": Caller.MEMBER,
    "GET /sandbox/scenarios/{name}": Caller.MEMBER,
    "POST /sandbox/scenarios/{name}/run": Caller.MEMBER,
    "GET /sandbox/snapshots": Caller.MEMBER,
    "GET /sandbox/snapshots/confirm": Caller.SANDBOX,
    "POST /sandbox/snapshots": Caller.SANDBOX,
    "POST /sandbox/snapshots/restore": Caller.SANDBOX,
    "POST /sandbox/snapshots/drop": Caller.SANDBOX,
    "POST /sandbox/snapshots/reset": Caller.SANDBOX,
    "GET /sandbox/requests": Caller.OWN,
    "GET /sandbox/requests/{id}": Caller.OWN,
    "GET /sandbox/events": Caller.OWN,
    "GET /sandbox/events/{id}": Caller.OWN,
    "GET /sandbox/webhooks": Caller.OWN,
    "POST /sandbox/webhooks": Caller.OWN,
    "GET /sandbox/webhooks/{id}": Caller.OWN,
    "POST /sandbox/webhooks/{id}": Caller.OWN,
    "POST /rpc": Caller.ANYBODY,
    "WEBSOCKET /rpc": Caller.ANYBODY,
}
"""By method and path. JSON-RPC reads the ledger and takes transactions that are signed already."""

ONLY_READ: Final = frozenset({"POST /v1/dry-run/instructions", "POST /v1/dry-run/cycle"})
"""What changes nothing although it is no GET."""

_LOOK_ON: Final = frozenset({KeyRole.REGULATOR, KeyRole.CLEARING_HOUSE})
_TRADERS: Final = frozenset({KeyRole.BROKER, KeyRole.BANK})
_ROLES: Final[Mapping[Caller, frozenset[KeyRole]]] = {
    Caller.ANYBODY: frozenset(KeyRole),
    Caller.MEMBER: frozenset(KeyRole),
    Caller.OWN: frozenset(KeyRole),
    Caller.EXCHANGE: frozenset({KeyRole.EXCHANGE}),
    Caller.SIDE: _TRADERS,
    Caller.OWNER: _TRADERS,
    Caller.ISSUER: frozenset({KeyRole.BANK, KeyRole.REGISTRAR}),
    Caller.OPERATOR: frozenset({KeyRole.CLEARING_HOUSE}),
    Caller.SANDBOX: frozenset(),
}


def roles_for(name: str) -> frozenset[KeyRole]:
    """Who may call a route, by its method and path; nobody may call what is not in the table."""
    caller = CALLERS.get(name)
    if caller is None:
        return frozenset()
    roles = _ROLES[caller] | {KeyRole.OPERATOR}
    if caller in (Caller.ANYBODY, Caller.SANDBOX):
        return roles
    if name.startswith("GET ") or name in ONLY_READ:
        return roles | _LOOK_ON
    return roles - {KeyRole.REGULATOR}
