"""Access to one sandbox: its keys, who is signed in, and how often each may ask."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from api.access.rate_limits import RATE, RateLimits
from api.access.tickets import Tickets
from ledger.books.interface.api_keys import ApiKey, ApiKeys
from ledger.books.interface.sessions import Sessions
from nodes.api_keys import OPERATOR, seeded_keys
from nodes.keys import fresh_secret
from nodes.network import Network
from nodes.sandbox.sandbox import Sandbox


@dataclass(frozen=True, slots=True)
class RateOptions:
    """Requests a second, and at once, of one key; as many of one address without a key."""

    rate: int = RATE
    burst: int | None = None


DEFAULT_RATES: Final = RateOptions()


class Access:
    """Who may come in. ``now`` is seconds since 1970."""

    def __init__(
        self,
        keys: ApiKeys,
        sessions: Sessions,
        now: Callable[[], int],
        by_key: RateLimits,
        by_address: RateLimits,
    ) -> None:
        self.keys = keys
        self.sessions = sessions
        self.tickets = Tickets(fresh_secret)
        self.by_key = by_key
        self.by_address = by_address
        self.now = now

    def keep_seeded(self, network: Network) -> None:
        """Takes the keys that follow from the seed of a network, and no other seed's."""
        seeded = seeded_keys(network).values()
        self.keys.keep_seeded({each.secret: each.holder for each in seeded}, self.now())

    def of_session(self, token: str) -> ApiKey | None:
        """The key of an open session, while it is good."""
        return self._good(self.sessions.key_id_of(token, self.now()))

    def sign_in(self, key: ApiKey) -> str:
        """Opens a session with a key; its token. Raises StorageError."""
        token = fresh_secret()
        self.sessions.open(token, key.id, self.now())
        return token

    def of_ticket(self, ticket: str) -> ApiKey | None:
        """The key that a ticket stands for, while it is good; the ticket is used up."""
        return self._good(self.tickets.use(ticket))

    def ticket(self) -> str | None:
        """A new ticket for the operator; None when none of its keys is good."""
        good = (key for key in self.keys.all() if key.revoked_at is None)
        id = next((key.id for key in good if key.holder.role is OPERATOR.role), None)
        return self.tickets.issue(id) if id else None

    def _good(self, id: str | None) -> ApiKey | None:
        key = self.keys.get(id) if id else None
        return key if key and key.revoked_at is None else None


def open_access(sandbox: Sandbox, rates: RateOptions = DEFAULT_RATES) -> Access:
    """Access to a sandbox, with the keys that follow from its seed. Raises StorageError."""
    clock, database = sandbox.consortium.clock, sandbox.interface.database
    limits = [RateLimits(rates.rate, clock.stopwatch_ns, rates.burst) for _ in range(2)]
    access = Access(ApiKeys(database), Sessions(database), clock.chain_time, *limits)
    access.keep_seeded(sandbox.consortium.network)
    return access
