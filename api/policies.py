"""Who may call what: one table of all that is served, which a test holds to be whole.

There are no keys yet: whoever reaches a sandbox is its operator and speaks for everybody, so
nothing is refused for who calls. The table says what keys will be given for, and the description of
the interface shows it.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final


class Caller(Enum):
    """On whose behalf something is called."""

    ANYBODY = "anybody"
    """Whether it lives and may be used is no secret."""
    MEMBER = "any participant"
    """Reads what every participant's own copy of the ledger shows anyway."""
    EXCHANGE = "the exchange"
    SIDE = "a side of the instruction"
    """The participant that a request names, with ``by`` or in its path, or by its account."""
    OWNER = "the owner of the account"
    OPERATOR = "the operator"
    """The clearing house, and in a sandbox banks and registrar too."""


CALLERS: Final[Mapping[str, Caller]] = {
    "GET /": Caller.OPERATOR,
    "GET /parts/today": Caller.OPERATOR,
    "GET /livez": Caller.ANYBODY,
    "GET /readyz": Caller.ANYBODY,
    "POST /v1/trades": Caller.EXCHANGE,
    "POST /v1/trades:batch": Caller.EXCHANGE,
    "GET /v1/trades": Caller.OPERATOR,
    "GET /v1/trades/gaps": Caller.EXCHANGE,
    "GET /v1/trades/{trade_id}": Caller.OPERATOR,
    "GET /v1/trades/{trade_id}/proof": Caller.OPERATOR,
    "GET /v1/trades/{trade_id}/signatures": Caller.OPERATOR,
    "POST /v1/instructions": Caller.SIDE,
    "GET /v1/instructions": Caller.OPERATOR,
    "GET /v1/instructions/{label}": Caller.SIDE,
    "GET /v1/instructions/{label}/dry-run": Caller.SIDE,
    "POST /v1/instructions/{label}/hold": Caller.SIDE,
    "POST /v1/instructions/{label}/release": Caller.SIDE,
    "POST /v1/instructions/{label}/cancel": Caller.SIDE,
    "POST /v1/instructions/{label}/prioritise": Caller.SIDE,
    "POST /v1/instructions/{label}/settle": Caller.SIDE,
    "POST /v1/instructions/{label}/replace": Caller.SIDE,
    "POST /v1/sides": Caller.SIDE,
    "GET /v1/sides": Caller.OPERATOR,
    "GET /v1/sides/{participant}/{reference}": Caller.SIDE,
    "POST /v1/sides/{participant}/{reference}/withdraw": Caller.SIDE,
    "POST /v1/sides/{participant}/{reference}/amend": Caller.SIDE,
    "GET /v1/allegements": Caller.SIDE,
    "POST /v1/dry-run/instructions": Caller.OPERATOR,
    "POST /v1/dry-run/cycle": Caller.OPERATOR,
    "GET /v1/queue": Caller.OPERATOR,
    "POST /v1/queue/resolve": Caller.OPERATOR,
    "GET /v1/limits": Caller.OPERATOR,
    "PUT /v1/limits": Caller.OWNER,
    "DELETE /v1/limits": Caller.OWNER,
    "POST /v1/reservations": Caller.OWNER,
    "POST /v1/sandbox/fund": Caller.OPERATOR,
    "POST /v1/participants/{participant}/suspend": Caller.OPERATOR,
    "POST /v1/participants/{participant}/reinstate": Caller.OPERATOR,
    "GET /v1/events": Caller.MEMBER,
    "GET /v1/events/stream": Caller.MEMBER,
    "GET /v1/events/{id}": Caller.MEMBER,
    "POST /v1/events/{id}/resend": Caller.MEMBER,
    "POST /v1/webhook-endpoints": Caller.MEMBER,
    "GET /v1/webhook-endpoints": Caller.MEMBER,
    "GET /v1/webhook-endpoints/{id}": Caller.MEMBER,
    "DELETE /v1/webhook-endpoints/{id}": Caller.MEMBER,
    "POST /v1/webhook-endpoints/{id}/enable": Caller.MEMBER,
    "POST /v1/webhook-endpoints/{id}/disable": Caller.MEMBER,
    "GET /v1/webhook-endpoints/{id}/attempts": Caller.MEMBER,
    "POST /v1/webhook-endpoints/{id}/resend": Caller.MEMBER,
    "GET /v1/clock": Caller.MEMBER,
    "POST /v1/clock": Caller.OPERATOR,
    "GET /v1/participants": Caller.MEMBER,
    "GET /v1/cycles": Caller.MEMBER,
    "POST /v1/cycles": Caller.OPERATOR,
    "GET /v1/cycles/{number}": Caller.MEMBER,
    "GET /v1/positions": Caller.MEMBER,
    "GET /v1/reconciliation": Caller.OPERATOR,
    "GET /v1/chain/blocks": Caller.MEMBER,
    "GET /v1/chain/blocks/{block}": Caller.MEMBER,
    "GET /v1/chain/blocks/{number}/certificate": Caller.MEMBER,
    "GET /v1/chain/transactions/{hash}": Caller.MEMBER,
    "GET /chain": Caller.MEMBER,
    "GET /parts/chain": Caller.MEMBER,
    "GET /chain/search": Caller.MEMBER,
    "GET /chain/blocks/{block}": Caller.MEMBER,
    "GET /chain/transactions/{hash}": Caller.MEMBER,
    "GET /chain/trades/{trade_id}": Caller.OPERATOR,
    "POST /rpc": Caller.MEMBER,
    "WEBSOCKET /rpc": Caller.MEMBER,
}
"""By method and path."""
