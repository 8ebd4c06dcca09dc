"""The seam between the chain and the virtual machines that can run its transactions.

A block is ours; an executor only says what a transaction does to the state. Adding another virtual
machine is one file with a class of this shape.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from ledger.chain.blocks import Receipt
from ledger.chain.state import StateChanges
from ledger.chain.transactions import Transaction

EVM_RULES: Final = "cancun"
BLOCK_GAS_LIMIT: Final = 2_000_000_000

# What an executor says of a call that could not be a transaction (InvalidTransactionError).
INIT_CODE_TOO_LONG: Final = "init code is too long"
INTRINSIC_GAS_TOO_LOW: Final = "intrinsic gas too low"
SENDER_IS_CONTRACT: Final = "the sender is a contract (EIP-3607)"


@dataclass(frozen=True, slots=True)
class BlockContext:
    """What a contract can read about the block it runs in."""

    chain_id: int
    number: int
    timestamp: int
    gas_limit: int
    proposer: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """A question to a contract: run like a transaction, without a signature and without effect."""

    sender: bytes
    to: bytes | None
    data: bytes
    gas: int


class Executor(Protocol):
    """Runs transactions over one evolving state, which it holds in memory.

    Nonces and admission are the chain's business: an executor is given valid transactions only.
    """

    @property
    def name(self) -> str:
        """The word that configuration uses for this executor."""

    def apply(self, state: StateChanges) -> None:
        """Puts accounts and slots in place: a stored state, or what a block changed."""

    def run(
        self, block: BlockContext, transactions: Sequence[Transaction]
    ) -> tuple[list[Receipt], StateChanges]:
        """Runs a block's transactions, forgets their effect, and says exactly what it would be.

        Raises ExecutionError or InvalidTransactionError when it cannot say it of one of them.
        """

    def call(self, block: BlockContext, call: Call) -> Receipt:
        """Runs a call and forgets its effect.

        Raises InvalidTransactionError when it lacks intrinsic gas, its init code is too long, or
        its sender is a contract.
        """

    def storage_at(self, address: bytes, slot: int) -> int:
        """The present value of a storage slot."""
