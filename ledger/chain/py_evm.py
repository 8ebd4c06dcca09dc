"""The reference executor: py-evm, the Ethereum Foundation's EVM in Python.

Slow and independent of revm, so that two replicas with different executors check each other. Where
the two follow one rule of our own (docs/decisions/0006), it is said here in a line or two: for
accounts and slots a block counts as one transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from eth.abc import ComputationAPI, SignedTransactionAPI
from eth.constants import CREATE_CONTRACT_ADDRESS
from eth.vm import mnemonics, opcode_values
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.berlin.transactions import calculate_txn_intrinsic_gas_berlin
from eth.vm.forks.byzantium.opcodes import ensure_no_static
from eth.vm.forks.cancun.computation import CancunComputation
from eth.vm.forks.cancun.logic import selfdestruct_eip6780
from eth.vm.forks.cancun.opcodes import CANCUN_OPCODES
from eth.vm.forks.cancun.state import CancunState, CancunTransactionExecutor
from eth.vm.forks.london.constants import EIP3529_MAX_REFUND_QUOTIENT
from eth.vm.forks.tangerine_whistle.constants import GAS_SELFDESTRUCT_EIP150
from eth.vm.opcode import as_opcode
from eth_hash.auto import keccak
from eth_typing import Address, BlockNumber, Hash32

from ledger.chain.admission import INIT_CODE_BYTES_MAX, intrinsic_gas
from ledger.chain.blocks import Log, Receipt
from ledger.chain.executor import (
    INIT_CODE_TOO_LONG,
    INTRINSIC_GAS_TOO_LOW,
    SENDER_IS_CONTRACT,
    BlockContext,
    Call,
)
from ledger.chain.py_evm_accounts import BlockAccounts
from ledger.chain.state import Account, StateChanges
from ledger.chain.transactions import InvalidTransactionError, Transaction

_CREATE: Final = bytes(CREATE_CONTRACT_ADDRESS)
_ANCESTORS: Final = 256


class _Computation(CancunComputation):
    """Cancun, with contracts "created in this transaction" (EIP-6780) counted by block."""

    # py-evm's own SELFDESTRUCT is this one with a deprecation warning around it.
    opcodes = CANCUN_OPCODES | {
        opcode_values.SELFDESTRUCT: as_opcode(
            logic_fn=ensure_no_static(selfdestruct_eip6780),
            mnemonic=mnemonics.SELFDESTRUCT,
            gas_cost=GAS_SELFDESTRUCT_EIP150,
        )
    }

    @property
    def contracts_created(self) -> list[Address]:
        """The contracts that this block has created."""
        return cast(_State, self.state).contracts_created

    @contracts_created.setter
    def contracts_created(self, value: list[Address]) -> None:
        """py-evm begins a new list with each transaction; the block's list stays."""


class _TransactionExecutor(CancunTransactionExecutor):
    @classmethod
    def calculate_gas_refund(cls, computation: ComputationAPI, gas_used: int) -> int:
        """The refund (EIP-3529), at most a fifth; revm's rule where it is below zero.

        It can be below zero since originals are the block's: one transaction was refunded for
        clearing a slot that a later one fills. revm reads that as very much, and refunds a fifth.
        """
        refund = computation.get_gas_refund()
        most = gas_used // EIP3529_MAX_REFUND_QUOTIENT
        return most if refund < 0 else min(refund, most)

    def run(self, envelope: "Envelope") -> Receipt:
        """Runs one transaction and says what became of it."""
        transaction = cast(SignedTransactionAPI, envelope)
        self.vm_state.clear_transient_storage()
        message = self.build_evm_message(transaction)
        computation = self.build_computation(message, transaction)
        self.finalize_computation(transaction, computation)
        used = envelope.gas - computation.get_gas_remaining()
        used -= self.calculate_gas_refund(computation, used)
        created = message.is_create and computation.is_success
        return Receipt(
            succeeded=computation.is_success,
            gas_used=used,
            output=b"" if created else bytes(computation.output),
            logs=_logs(computation),
            contract=bytes(message.storage_address) if created else None,
        )


class _State(CancunState):
    computation_class = _Computation
    transaction_executor_class = _TransactionExecutor

    def __init__(self, accounts: BlockAccounts, context: ExecutionContext) -> None:
        self._account_db = accounts
        self.execution_context = context
        self.contracts_created: list[Address] = []

    def get_ancestor_hash(self, block_number: int) -> Hash32:
        """What revm answers when it has no chain: the Keccak of the number in decimal digits."""
        if not 1 <= self.block_number - block_number <= _ANCESTORS:
            return Hash32(b"")
        return Hash32(keccak(str(block_number).encode()))


@dataclass(frozen=True, slots=True)
class Envelope:
    """What py-evm reads of a transaction. Prices are zero: the chain has no native currency."""

    sender: bytes
    to: bytes
    data: bytes
    gas: int
    access_list: Sequence[tuple[bytes, Sequence[int]]] = ()
    value: int = 0
    type_id: int | None = None
    max_fee_per_gas: int = 0
    max_priority_fee_per_gas: int = 0

    @property
    def intrinsic_gas(self) -> int:
        """Gas before the first instruction, without that for the words of init code."""
        return int(calculate_txn_intrinsic_gas_berlin(cast(Any, self)))


class PyEvmExecutor:
    """Runs blocks on py-evm. One instance holds one chain's state."""

    name: Final = "py-evm"

    def __init__(self, chain_id: int) -> None:
        self._chain_id = chain_id
        self._accounts: dict[bytes, Account] = {}
        self._storage: dict[tuple[bytes, int], int] = {}

    def apply(self, state: StateChanges) -> None:
        """Puts accounts and slots in place: a stored state, or what a block changed."""
        for address, account in state.accounts.items():
            # Changes name a nonce alone when a known account's code stays as it is.
            self._accounts[address] = account
        self._storage.update(state.storage)

    def run(
        self, block: BlockContext, transactions: Sequence[Transaction]
    ) -> tuple[list[Receipt], StateChanges]:
        """Runs a block's transactions, forgets their effect, and says exactly what it would be."""
        accounts = BlockAccounts(self._accounts, self._storage)
        executor = self._executor(block, accounts)
        receipts = [executor.run(envelope_of(transaction)) for transaction in transactions]
        return receipts, accounts.changes()

    def call(self, block: BlockContext, call: Call) -> Receipt:
        """Runs a call and forgets its effect."""
        envelope = Envelope(call.sender, call.to or _CREATE, call.data, call.gas)
        self._check(envelope)
        executor = self._executor(block, BlockAccounts(self._accounts, self._storage))
        return executor.run(envelope)

    def storage_at(self, address: bytes, slot: int) -> int:
        """The present value of a storage slot."""
        return self._storage.get((address, slot), 0)

    def _check(self, call: Envelope) -> None:
        if self._accounts.get(call.sender, Account(0)).code:
            raise InvalidTransactionError(SENDER_IS_CONTRACT)
        to = call.to or None
        if to is None and len(call.data) > INIT_CODE_BYTES_MAX:
            raise InvalidTransactionError(INIT_CODE_TOO_LONG)
        if call.gas < intrinsic_gas(to, call.data):
            raise InvalidTransactionError(INTRINSIC_GAS_TOO_LOW)

    def _executor(self, block: BlockContext, accounts: BlockAccounts) -> _TransactionExecutor:
        context = ExecutionContext(
            coinbase=Address(block.proposer),
            timestamp=block.timestamp,
            block_number=BlockNumber(block.number),
            difficulty=0,
            mix_hash=Hash32(bytes(32)),
            gas_limit=block.gas_limit,
            prev_hashes=(),
            chain_id=self._chain_id,
            base_fee_per_gas=0,
            excess_blob_gas=0,
        )
        return _TransactionExecutor(_State(accounts, context))


def envelope_of(transaction: Transaction) -> Envelope:
    """What py-evm reads of a transaction."""
    return Envelope(
        transaction.sender,
        transaction.to or _CREATE,
        transaction.data,
        transaction.gas,
        transaction.access_list,
    )


def _logs(computation: ComputationAPI) -> tuple[Log, ...]:
    return tuple(
        Log(bytes(address), tuple(topic.to_bytes(32, "big") for topic in topics), bytes(data))
        for address, topics, data in computation.get_log_entries()
    )
