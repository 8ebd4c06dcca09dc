"""The chain: admits signed transactions, seals them into blocks, answers questions about them.

Every submission is sealed into a block of its own and is on disk before it is acknowledged, so an
acknowledged transaction is a final one. Fees do not exist: the base fee is zero for ever and there
is no native currency.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import RLock
from typing import Final

from ledger.chain.blocks import (
    ZERO_HASH,
    Header,
    Receipt,
    StateChanges,
    logs_bloom,
    receipts_root,
    state_root,
    transactions_root,
)
from ledger.chain.executor import BlockContext, Call, Executor
from ledger.chain.store import BlockStore
from ledger.chain.transactions import InvalidTransactionError, Transaction, decode_transaction

BLOCK_GAS_LIMIT: Final = 10_000_000_000
TRANSACTION_GAS_MAX: Final = 1_000_000_000
INIT_CODE_BYTES_MAX: Final = 49_152


@dataclass(frozen=True, slots=True)
class ChainConfig:
    """What all replicas of one chain agree on before its first block."""

    chain_id: int
    proposer: bytes
    genesis_timestamp: int


class Chain:
    """One replica of the consortium chain."""

    def __init__(
        self, config: ChainConfig, store: BlockStore, executor: Executor, now: Callable[[], int]
    ) -> None:
        self.config = config
        self.store = store
        self._executor = executor
        self._now = now
        self._lock = RLock()
        state = store.state()
        executor.apply(state)
        self._nonce_by_sender = {address: a.nonce for address, a in state.accounts.items()}
        self._code_by_address = {address: a.code for address, a in state.accounts.items() if a.code}
        self._listeners: list[Callable[[Header], None]] = []
        self._head = store.head() or self._write_genesis()

    @property
    def head(self) -> Header:
        """The header of the last block; it is final."""
        return self._head

    @property
    def final(self) -> Header:
        """The header of the last final block."""
        return self._head

    @property
    def pending_count(self) -> int:
        """How many accepted transactions are in no block yet."""
        return 0

    def submit(self, raws: Sequence[bytes]) -> list[bytes]:
        """Seals signed transactions into one block, in order; returns their hashes.

        A transaction that is already in a block is not run again. Raises InvalidTransactionError,
        and seals nothing, when one of them cannot be in a block.
        """
        with self._lock:
            transactions = [decode_transaction(raw) for raw in raws]
            fresh = [t for t in transactions if self.store.transaction(t.hash) is None]
            self._check(fresh)
            if fresh:
                self._seal(fresh)
            return [transaction.hash for transaction in transactions]

    def call(self, call: Call) -> Receipt:
        """Runs a question against the state after the last block."""
        with self._lock:
            return self._executor.call(self._context(self._head.number, self._head.timestamp), call)

    def nonce_of(self, address: bytes) -> int:
        """The nonce that the next transaction of an address must carry."""
        return self._nonce_by_sender.get(address, 0)

    def pending_nonce_of(self, address: bytes) -> int:
        """The nonce after everything that an address has waiting."""
        return self.nonce_of(address)

    def pending(self, transaction_hash: bytes) -> Transaction | None:  # noqa: ARG002 # nothing waits
        """A transaction that was accepted and is in no block yet; None when there is none."""
        return None

    def mine(self) -> None:
        """Seals an empty block."""
        with self._lock:
            self._seal([])

    def add_listener(self, listener: Callable[[Header], None]) -> Callable[[], None]:
        """Has a function called after each sealed block; the answer takes it away again."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def code_of(self, address: bytes) -> bytes:
        """The code of a contract; empty when there is none."""
        return self._code_by_address.get(address, b"")

    def storage_at(self, address: bytes, slot: int) -> int:
        """The value of a storage slot after the last block."""
        with self._lock:
            return self._executor.storage_at(address, slot)

    def _check(self, transactions: Sequence[Transaction]) -> None:
        nonces: dict[bytes, int] = {}
        for transaction in transactions:
            expected = nonces.get(transaction.sender, self.nonce_of(transaction.sender))
            self._check_one(transaction, expected)
            nonces[transaction.sender] = expected + 1

    def _check_one(self, transaction: Transaction, expected_nonce: int) -> None:
        if transaction.chain_id != self.config.chain_id:
            raise InvalidTransactionError(
                f"signed for chain {transaction.chain_id}, this is chain {self.config.chain_id}"
            )
        if transaction.nonce != expected_nonce:
            word = "low" if transaction.nonce < expected_nonce else "high"
            raise InvalidTransactionError(
                f"nonce too {word}: expected {expected_nonce}, found {transaction.nonce}"
            )
        if transaction.value:
            raise InvalidTransactionError("this chain has no native currency: value must be 0")
        if transaction.gas > TRANSACTION_GAS_MAX:
            raise InvalidTransactionError(f"gas {transaction.gas} is above {TRANSACTION_GAS_MAX}")
        if transaction.gas < (needed := intrinsic_gas(transaction)):
            raise InvalidTransactionError(f"intrinsic gas too low: {needed} is needed")
        if transaction.to is None and len(transaction.data) > INIT_CODE_BYTES_MAX:
            raise InvalidTransactionError(f"init code of more than {INIT_CODE_BYTES_MAX} bytes")

    def _seal(self, transactions: Sequence[Transaction]) -> None:
        parent = self._head
        timestamp = max(self._now(), parent.timestamp)
        context = self._context(parent.number + 1, timestamp)
        receipts, changes = self._executor.run(context, transactions)
        header = Header(
            number=context.number,
            parent_hash=parent.hash(),
            timestamp=timestamp,
            proposer=self.config.proposer,
            gas_limit=BLOCK_GAS_LIMIT,
            gas_used=sum(receipt.gas_used for receipt in receipts),
            transactions_root=transactions_root([t.hash for t in transactions]),
            receipts_root=receipts_root(receipts),
            state_root=state_root(parent.state_root, changes),
            logs_bloom=logs_bloom(receipts),
        )
        self.store.append(header, transactions, receipts, changes)
        self._executor.apply(changes)
        for address, account in changes.accounts.items():
            self._nonce_by_sender[address] = account.nonce
            if account.code:
                self._code_by_address[address] = account.code
        self._head = header
        for listener in tuple(self._listeners):
            listener(header)

    def _write_genesis(self) -> Header:
        genesis = Header(
            number=0,
            parent_hash=ZERO_HASH,
            timestamp=self.config.genesis_timestamp,
            proposer=self.config.proposer,
            gas_limit=BLOCK_GAS_LIMIT,
            gas_used=0,
            transactions_root=transactions_root([]),
            receipts_root=receipts_root([]),
            state_root=state_root(ZERO_HASH, StateChanges()),
            logs_bloom=logs_bloom([]),
        )
        self.store.append(genesis, [], [], StateChanges())
        return genesis

    def _context(self, number: int, timestamp: int) -> BlockContext:
        return BlockContext(
            chain_id=self.config.chain_id,
            number=number,
            timestamp=timestamp,
            gas_limit=BLOCK_GAS_LIMIT,
            proposer=self.config.proposer,
        )


def intrinsic_gas(transaction: Transaction) -> int:
    """Gas before the first instruction (Yellow Paper; EIP-2028, EIP-2930, EIP-3860)."""
    zeros = transaction.data.count(0)
    gas = 21_000 + 4 * zeros + 16 * (len(transaction.data) - zeros)
    gas += sum(2_400 + 1_900 * len(slots) for _, slots in transaction.access_list)
    if transaction.to is None:
        gas += 32_000 + 2 * ((len(transaction.data) + 31) // 32)
    return gas
