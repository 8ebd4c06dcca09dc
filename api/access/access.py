"""Access to one sandbox: its keys, who is signed in and as whom, how often each may ask."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from api.access.rate_limits import RATE, RateLimits
from api.access.tickets import Tickets
from ledger.books.interface.api_keys import ApiKey, ApiKeys
from ledger.books.interface.sessions import Sessions
from ledger.domain.key_holders import KeyHolder
from ledger.domain.reasons import Reason, Rejected
from nodes.api_keys import OPERATOR, holders, seeded_keys
from nodes.keys import fresh_secret
from nodes.network import Network
from nodes.sandbox.sandbox import Sandbox


@dataclass(frozen=True, slots=True)
class RateOptions:
    """Requests a second, and at once, of one key; as many of one address without a key."""

    rate: int = RATE
    burst: int | None = None


NAME_SHOWN_MAX: Final = 64
DEFAULT_RATES: Final = RateOptions()


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is signed in: with which key a session was begun, and the key that it speaks with.

    The two differ in their holder when the operator looks as somebody else: what it may do is then
    what that holder may do, and no more.
    """

    begun_with: ApiKey
    key: ApiKey


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
        self.holders: Mapping[str, KeyHolder] = {}

    def keep_seeded(self, network: Network) -> None:
        """Takes the keys that follow from the seed of a network, and no other seed's."""
        self.holders = holders(network)
        seeded = seeded_keys(network).values()
        self.keys.keep_seeded({each.secret: each.holder for each in seeded}, self.now())

    def of_session(self, token: str) -> SignedIn | None:
        """Who is signed in by a session, while its key is good."""
        session = self.sessions.find(token, self.now())
        key = self._good(session.key_id) if session else None
        if session is None or key is None:
            return None
        if session.viewed is None:
            return SignedIn(begun_with=key, key=key)
        viewed = self.holders.get(session.viewed)
        # Of a name that is nobody's here any more: rather nobody than the operator.
        return SignedIn(begun_with=key, key=replace(key, holder=viewed)) if viewed else None

    def view_as(self, token: str, name: str) -> Rejected | None:
        """Lets a session look as a holder; its own name leads back. Raises StorageError.

        Refuses sessions that were not begun with a key of the operator (UNAUTHORISED), and names
        that nobody has (UNKNOWN).
        """
        signed_in = self.of_session(token)
        if signed_in is None:
            return Rejected(Reason.UNIDENTIFIED, "nobody is signed in")
        own = signed_in.begun_with.holder
        if own.role is not OPERATOR.role:
            detail = f"{own.name} has signed in: expected {OPERATOR.name}"
            return Rejected(Reason.UNAUTHORISED, detail)
        if name != own.name and name not in self.holders:
            return Rejected(Reason.UNKNOWN, f"there is no holder of a key {name[:NAME_SHOWN_MAX]}")
        self.sessions.view(token, None if name == own.name else name)
        return None

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
