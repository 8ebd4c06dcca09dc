"""The pool: transactions that were admitted and are in no block yet.

A sender's transactions are sealed in the order of their nonces; senders take turns by arrival, and
those of the priority lane (settlement and governance) go before all others.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Final

from ledger.chain.admission import fits_a_block
from ledger.chain.executor import BLOCK_GAS_LIMIT
from ledger.chain.transactions import InvalidTransactionError, Transaction

POOL_MAX: Final = 200_000
NONCE_GAP_MAX: Final = 65_536


@dataclass(frozen=True, slots=True)
class _Entry:
    transaction: Transaction
    turn: tuple[int, int]


class Pool:
    """Pending transactions, by sender and nonce."""

    def __init__(self, nonce_of: Callable[[bytes], int], priority: frozenset[bytes]) -> None:
        self._nonce_of = nonce_of
        self._priority = priority
        self._entries: dict[bytes, dict[int, _Entry]] = {}
        self._by_hash: dict[bytes, Transaction] = {}
        self._arrivals = 0

    def __len__(self) -> int:
        return len(self._by_hash)

    def get(self, transaction_hash: bytes) -> Transaction | None:
        """A pending transaction by its hash."""
        return self._by_hash.get(transaction_hash)

    def add(self, transaction: Transaction) -> None:
        """Takes a transaction; the same again changes nothing. Raises InvalidTransactionError."""
        if transaction.hash in self._by_hash:
            return
        expected = self._nonce_of(transaction.sender)
        if transaction.nonce < expected:
            raise InvalidTransactionError(
                f"nonce too low: expected {expected}, found {transaction.nonce}"
            )
        if transaction.nonce - expected >= NONCE_GAP_MAX:
            raise InvalidTransactionError(
                f"nonce too high: expected {expected}, found {transaction.nonce}"
            )
        if len(self._by_hash) >= POOL_MAX:
            raise InvalidTransactionError(
                f"the pool is full: {POOL_MAX} transactions wait; try again later"
            )
        own = self._entries.setdefault(transaction.sender, {})
        if transaction.nonce in own:
            raise InvalidTransactionError(
                f"nonce {transaction.nonce} is taken by another pending transaction; there are no"
                " fees, so none replaces another"
            )
        lane = 0 if transaction.sender in self._priority else 1
        own[transaction.nonce] = _Entry(transaction, (lane, self._arrivals))
        self._by_hash[transaction.hash] = transaction
        self._arrivals += 1

    def next_nonce(self, sender: bytes) -> int:
        """The nonce after those of a sender's pending transactions that follow each other."""
        nonce, own = self._nonce_of(sender), self._entries.get(sender, {})
        while nonce in own:
            nonce += 1
        return nonce

    def next_block(self) -> list[Transaction]:
        """The transactions that the next block should have, in order; they stay in the pool."""
        ready = []
        for sender, own in self._entries.items():
            nonce = self._nonce_of(sender)
            if nonce in own:
                ready.append((own[nonce].turn, sender, nonce))
        heapify(ready)
        chosen: list[Transaction] = []
        gas = size = 0
        while ready:
            _, sender, nonce = heappop(ready)
            transaction = self._entries[sender][nonce].transaction
            gas += transaction.gas
            size += len(transaction.raw)
            if chosen and (gas > BLOCK_GAS_LIMIT or not fits_a_block(len(chosen) + 1, size)):
                break
            chosen.append(transaction)
            following = self._entries[sender].get(nonce + 1)
            if following:
                heappush(ready, (following.turn, sender, nonce + 1))
        return chosen

    def remove(self, transactions: Iterable[Transaction]) -> None:
        """Forgets transactions: they were sealed, or can never be."""
        for transaction in transactions:
            if self._by_hash.pop(transaction.hash, None) is None:
                continue
            own = self._entries[transaction.sender]
            del own[transaction.nonce]
            if not own:
                del self._entries[transaction.sender]
