"""Tickets: links that sign a browser in once, so that no key stands in an address."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Final

from ledger.books.interface.api_keys import digest_of

TICKETS_MAX: Final = 100


class Tickets:
    """Tickets that nobody has used yet. They are gone when the process ends."""

    def __init__(self, fresh: Callable[[], str]) -> None:
        self._fresh = fresh
        self._lock = Lock()
        self._key_id_by_digest: OrderedDict[bytes, str] = OrderedDict()

    def issue(self, key_id: str) -> str:
        """A new ticket for the holder of a key; the oldest goes when there are too many."""
        ticket = self._fresh()
        with self._lock:
            self._key_id_by_digest[digest_of(ticket)] = key_id
            if len(self._key_id_by_digest) > TICKETS_MAX:
                self._key_id_by_digest.popitem(last=False)
        return ticket

    def use(self, ticket: str) -> str | None:
        """The id of the key that a ticket stands for; None when it was used, or never issued."""
        with self._lock:
            return self._key_id_by_digest.pop(digest_of(ticket), None)
