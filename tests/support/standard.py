"""py-evm as it comes, one Ethereum transaction after another: the measure of our gas."""

import warnings

from eth.constants import BLANK_ROOT_HASH
from eth.db.atomic import AtomicDB
from eth.db.backends.memory import MemoryDB
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.cancun.state import CancunState
from eth.vm.forks.cancun.transactions import CancunTransactionBuilder
from eth_hash.auto import keccak
from eth_keys.datatypes import PrivateKey

from ledger.chain.executor import BlockContext
from ledger.chain.transactions import Transaction


class StandardEthereum:
    """A state of py-evm's own, which ends each transaction as Ethereum does."""

    def __init__(self, keys: dict[bytes, PrivateKey]) -> None:
        self._keys = keys
        self._database = AtomicDB(MemoryDB())
        self._root = BLANK_ROOT_HASH

    def run(self, block: BlockContext, transaction: Transaction) -> tuple[bool, int]:
        """Applies a transaction for good; whether it succeeded, and its gas."""
        context = ExecutionContext(
            coinbase=block.proposer,
            timestamp=block.timestamp,
            block_number=block.number,
            difficulty=0,
            mix_hash=bytes(32),
            gas_limit=block.gas_limit,
            prev_hashes=[keccak(str(n).encode()) for n in range(block.number - 1, -1, -1)],
            chain_id=block.chain_id,
            base_fee_per_gas=0,
            excess_blob_gas=0,
        )
        state = CancunState(self._database, context, self._root)
        signed = CancunTransactionBuilder.new_unsigned_access_list_transaction(
            chain_id=block.chain_id,
            nonce=transaction.nonce,
            gas_price=0,
            gas=transaction.gas,
            to=transaction.to or b"",
            value=0,
            data=transaction.data,
            access_list=transaction.access_list,
        ).as_signed_transaction(self._keys[transaction.sender])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # SELFDESTRUCT
            computation = state.apply_transaction(signed)
        used = transaction.gas - computation.get_gas_remaining()
        used -= state.get_transaction_executor().calculate_gas_refund(computation, used)
        state.lock_changes()
        self._root = state.make_state_root()
        state.persist()
        return computation.is_success, used
