"""A replica: one copy of the chain, with its state in an executor and its blocks in a store."""

from collections.abc import Sequence

from ledger.chain.blocks import (
    Header,
    Receipt,
)
from ledger.chain.executor import BLOCK_GAS_LIMIT, BlockContext, Call, Executor
from ledger.chain.finality import Certificate
from ledger.chain.genesis import ChainConfig, genesis_header
from ledger.chain.opening import SLOTS_A_PART, open_store
from ledger.chain.sealed import SealedBlock, genesis_block, sealed
from ledger.chain.state import (
    NO_CHANGES,
    EncodedChanges,
    StateChanges,
    fold,
)
from ledger.chain.store import BlockStore
from ledger.chain.transactions import Transaction


class Replica:
    """What one validator, or the proposer, knows of the chain. Not safe for concurrent use.

    Raises StorageError when the store is not what was written to it.
    """

    def __init__(self, config: ChainConfig, store: BlockStore, executor: Executor) -> None:
        self.config = config
        self.store = store
        self.executor = executor
        self._nonce_by_sender: dict[bytes, int] = {}
        self._code_by_address: dict[bytes, bytes] = {}
        self._checkpoint_slots = 0
        self._slots_since = 0
        opened = open_store(store, config)
        if opened is None:
            self.head = self._write_genesis()
        else:
            self.head = opened.head
            self._checkpoint_slots = opened.checkpoint_slots
            self._slots_since = opened.slots_since
            for part in opened.state.in_parts(SLOTS_A_PART):
                self._apply(part)
        self.head_hash = self.head.hash()
        self.final_number = store.final_height()

    def nonce_of(self, address: bytes) -> int:
        """The nonce that the next transaction of an address must carry."""
        return self._nonce_by_sender.get(address, 0)

    def code_of(self, address: bytes) -> bytes:
        """The code of a contract; empty when there is none."""
        return self._code_by_address.get(address, b"")

    def call(self, call: Call) -> Receipt:
        """Runs a question against the state after the last block."""
        return self.executor.call(self._context(self.head.number, self.head.timestamp), call)

    def storage_at(self, address: bytes, slot: int) -> int:
        """The value of a storage slot after the last block."""
        return self.executor.storage_at(address, slot)

    def execute(self, timestamp: int, transactions: Sequence[Transaction]) -> SealedBlock:
        """The next block with these transactions, unsigned. The replica stays as it is."""
        context = self._context(self.head.number + 1, timestamp)
        receipts, state_changes = self.executor.run(context, transactions)
        return sealed(
            self.head, timestamp, transactions, receipts, state_changes, self._checkpoint_with
        )

    def append(self, block: SealedBlock, certificate: Certificate | None) -> None:
        """Makes a block the head: durable first, then in effect."""
        self.store.append(block, certificate)
        self._apply(block.state_changes)
        self.head, self.head_hash = block.header, block.hash
        self._slots_since += block.changes.slot_count
        if block.checkpoint:
            self._checkpoint_slots, self._slots_since = block.checkpoint.slot_count, 0
        if certificate:
            self.final_number = block.header.number

    def confirm(self, certificate: Certificate) -> None:
        """Makes the finality of the head, or of a block below it, durable."""
        self.store.add_certificate(certificate)
        self.final_number = max(self.final_number, certificate.number)

    def _apply(self, changes: StateChanges) -> None:
        self.executor.apply(changes)
        for address, account in changes.accounts.items():
            self._nonce_by_sender[address] = account.nonce
            if account.code:
                self._code_by_address[address] = account.code

    def _checkpoint_with(self, changes: EncodedChanges) -> EncodedChanges | None:
        """The whole state after the next block, when that block is to commit to it."""
        due = self.config.checkpoint_slots + self._checkpoint_slots
        if self._slots_since + changes.slot_count < due:
            return None
        base_number, base = self.store.checkpoint() or (0, NO_CHANGES)
        since = [part for _, part in self.store.changes_after(base_number)]
        return fold([base, *since, changes])

    def _write_genesis(self) -> Header:
        header = genesis_header(self.config)
        self.store.append(genesis_block(header), None)
        return header

    def _context(self, number: int, timestamp: int) -> BlockContext:
        return BlockContext(
            chain_id=self.config.chain_id,
            number=number,
            timestamp=timestamp,
            gas_limit=BLOCK_GAS_LIMIT,
            proposer=self.config.proposer,
        )
