"""The pool: transactions that were admitted and are in no block yet.

A sender's transactions are sealed in the order of their nonces; senders take turns by arrival, and
those of the priority lane (settlement and governance) go before all others.

What was taken stays, since it was acknowledged: so nobody may fill the pool. A transaction that
follows its sender's others is ready; one that a nonce is missing before could wait for ever, and
is queued. Senders have quotas of both, queued ones have a share of the pool, and the last part of
the pool is for the priority lane.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Final

from ledger.chain.admission import fits_a_block
from ledger.chain.executor import BLOCK_GAS_LIMIT
from ledger.chain.transactions import InvalidTransactionError, Transaction

_MIB: Final = 1024 * 1024

NONCE_GAP_MAX: Final = 65_536


@dataclass(slots=True)
class Volume:
    """So many transactions, of so many bytes together."""

    count: int = 0
    size: int = 0

    def add(self, transaction: Transaction, sign: int = 1) -> None:
        """Counts a transaction in, or out with ``sign`` -1."""
        self.count += sign
        self.size += sign * len(transaction.raw)

    def has_room_for(self, transaction: Transaction, within: "Volume") -> bool:
        """Whether one more stays within a bound."""
        return self.count < within.count and self.size + len(transaction.raw) <= within.size


@dataclass(frozen=True, slots=True)
class Quotas:
    """How much the pool keeps: in all, without the priority lane's part, queued, and a sender."""

    all: Volume = field(default_factory=lambda: Volume(200_000, 256 * _MIB))
    ordinary: Volume = field(default_factory=lambda: Volume(160_000, 192 * _MIB))
    queued: Volume = field(default_factory=lambda: Volume(50_000, 64 * _MIB))
    sender: Volume = field(default_factory=lambda: Volume(20_000, 256 * _MIB))
    sender_queued: Volume = field(default_factory=lambda: Volume(1_000, 16 * _MIB))


DEFAULT_QUOTAS: Final = Quotas()


@dataclass(frozen=True, slots=True)
class _Entry:
    transaction: Transaction
    turn: tuple[int, int]


@dataclass(slots=True)
class _Sender:
    """A sender's transactions. Those below ``next_nonce`` are ready, the others are queued."""

    next_nonce: int
    entries: dict[int, _Entry] = field(default_factory=dict)
    all: Volume = field(default_factory=Volume)
    queued: Volume = field(default_factory=Volume)


class Pool:
    """Pending transactions, by sender and nonce."""

    def __init__(
        self,
        nonce_of: Callable[[bytes], int],
        priority: frozenset[bytes],
        quotas: Quotas = DEFAULT_QUOTAS,
    ) -> None:
        self._nonce_of = nonce_of
        self._priority = priority
        self._quotas = quotas
        self._senders: dict[bytes, _Sender] = {}
        self._by_hash: dict[bytes, Transaction] = {}
        self._all = Volume()
        self._queued = Volume()
        self._arrivals = 0

    def __len__(self) -> int:
        return len(self._by_hash)

    @property
    def queued_count(self) -> int:
        """How many wait for a nonce that is missing before theirs."""
        return self._queued.count

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
        own = self._senders.get(transaction.sender) or _Sender(expected)
        if transaction.nonce in own.entries:
            raise InvalidTransactionError(
                f"nonce {transaction.nonce} is taken by another pending transaction; there are no"
                " fees, so none replaces another"
            )
        self._check_quotas(transaction, own)
        self._keep(transaction, own)

    def restore(self, transaction: Transaction) -> None:
        """Takes a transaction back that was acknowledged before: there is always room for it."""
        own = self._senders.get(transaction.sender) or _Sender(self._nonce_of(transaction.sender))
        if own.next_nonce <= transaction.nonce and transaction.nonce not in own.entries:
            self._keep(transaction, own)

    def next_nonce(self, sender: bytes) -> int:
        """The nonce after those of a sender's pending transactions that follow each other."""
        own = self._senders.get(sender)
        return own.next_nonce if own else self._nonce_of(sender)

    def next_block(self) -> list[Transaction]:
        """The transactions that the next block should have, in order; they stay in the pool."""
        ready = []
        for sender, own in self._senders.items():
            nonce = self._nonce_of(sender)
            if nonce in own.entries:
                ready.append((own.entries[nonce].turn, sender, nonce))
        heapify(ready)
        chosen: list[Transaction] = []
        gas = size = 0
        while ready:
            _, sender, nonce = heappop(ready)
            transaction = self._senders[sender].entries[nonce].transaction
            gas += transaction.gas
            size += len(transaction.raw)
            if chosen and (gas > BLOCK_GAS_LIMIT or not fits_a_block(len(chosen) + 1, size)):
                break
            chosen.append(transaction)
            following = self._senders[sender].entries.get(nonce + 1)
            if following:
                heappush(ready, (following.turn, sender, nonce + 1))
        return chosen

    def remove(self, transactions: Iterable[Transaction]) -> None:
        """Forgets transactions: they were sealed, or can never be."""
        for transaction in transactions:
            if self._by_hash.pop(transaction.hash, None) is None:
                continue
            own = self._senders[transaction.sender]
            del own.entries[transaction.nonce]
            own.all.add(transaction, -1)
            self._all.add(transaction, -1)
            if transaction.nonce >= own.next_nonce:
                self._count_queued(own, transaction, -1)
            elif transaction.nonce >= self._nonce_of(transaction.sender):
                self._queue_behind(own, transaction.nonce)
            if not own.entries:
                del self._senders[transaction.sender]

    def _check_quotas(self, transaction: Transaction, own: _Sender) -> None:
        quotas = self._quotas
        if not own.all.has_room_for(transaction, quotas.sender):
            raise _full("of this sender", quotas.sender)
        if transaction.nonce > own.next_nonce:
            missing = f"nonce {own.next_nonce} is missing, and behind it "
            if not own.queued.has_room_for(transaction, quotas.sender_queued):
                raise _full("of this sender", quotas.sender_queued, missing)
            if not self._queued.has_room_for(transaction, quotas.queued):
                raise _full("of all senders", quotas.queued, missing)
        is_priority = transaction.sender in self._priority
        bound = quotas.all if is_priority else quotas.ordinary
        if not self._all.has_room_for(transaction, bound):
            raise _full("of all senders", bound)

    def _keep(self, transaction: Transaction, own: _Sender) -> None:
        lane = 0 if transaction.sender in self._priority else 1
        self._senders[transaction.sender] = own
        own.entries[transaction.nonce] = _Entry(transaction, (lane, self._arrivals))
        own.all.add(transaction)
        self._all.add(transaction)
        self._by_hash[transaction.hash] = transaction
        self._arrivals += 1
        self._count_queued(own, transaction, 1)
        while following := own.entries.get(own.next_nonce):
            self._count_queued(own, following.transaction, -1)
            own.next_nonce += 1

    def _queue_behind(self, own: _Sender, missing: int) -> None:
        """What was ready behind a nonce that is gone waits for another of this nonce."""
        for nonce in range(missing + 1, own.next_nonce):
            self._count_queued(own, own.entries[nonce].transaction, 1)
        own.next_nonce = missing

    def _count_queued(self, own: _Sender, transaction: Transaction, sign: int) -> None:
        own.queued.add(transaction, sign)
        self._queued.add(transaction, sign)


def _full(whose: str, bound: Volume, missing: str = "") -> InvalidTransactionError:
    return InvalidTransactionError(
        f"the pool is full: {missing}at most {bound.count} transactions of {bound.size} bytes"
        f" {whose} wait; try again later"
    )
