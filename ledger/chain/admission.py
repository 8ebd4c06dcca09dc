"""Which transactions the chain takes: the rules that do not depend on its state.

There is no native currency and no fee: the base fee is zero for ever, prices are ignored, and value
must be zero. Who may send at all is the consortium's decision, not a matter of money.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

from ledger.chain.genesis import ChainConfig
from ledger.chain.transactions import InvalidTransactionError, Transaction

TRANSACTION_GAS_MAX: Final = 1_000_000_000
"""Room for a set of 10,000 instructions, each of which opens holdings; two such fit a block."""
BLOCK_TRANSACTIONS_MAX: Final = 5_000
BLOCK_BYTES_MAX: Final = 32 * 1024 * 1024
INIT_CODE_BYTES_MAX: Final = 49_152

AccessList: TypeAlias = Sequence[tuple[bytes, Sequence[int]]]
"""Addresses, each with slots of it."""


def check_admissible(config: ChainConfig, transaction: Transaction) -> None:
    """Raises InvalidTransactionError, with what was expected, for what no block may carry."""
    if transaction.chain_id != config.chain_id:
        raise InvalidTransactionError(
            f"invalid chain id: signed for {transaction.chain_id}, this is {config.chain_id}"
        )
    if config.senders is not None and transaction.sender not in config.senders:
        raise InvalidTransactionError(
            f"unknown sender 0x{transaction.sender.hex()}: only the keys of the consortium's"
            " participants may send transactions"
        )
    if transaction.value:
        raise InvalidTransactionError("this chain has no native currency: value must be 0")
    if transaction.gas > TRANSACTION_GAS_MAX:
        raise InvalidTransactionError(
            f"gas limit {transaction.gas} is above the {TRANSACTION_GAS_MAX} of a transaction"
        )
    needed = intrinsic_gas(transaction.to, transaction.data, transaction.access_list)
    if transaction.gas < needed:
        raise InvalidTransactionError(
            f"intrinsic gas too low: {needed} is needed, found {transaction.gas}"
        )
    if transaction.to is None and len(transaction.data) > INIT_CODE_BYTES_MAX:
        raise InvalidTransactionError(f"init code of more than {INIT_CODE_BYTES_MAX} bytes")


def fits_a_block(transactions: int, size: int) -> bool:
    """Whether a block may have so many transactions of so many bytes together."""
    return transactions <= BLOCK_TRANSACTIONS_MAX and (transactions == 1 or size <= BLOCK_BYTES_MAX)


def intrinsic_gas(to: bytes | None, data: bytes, access_list: AccessList = ()) -> int:
    """Gas before the first instruction (Yellow Paper; EIP-2028, EIP-2930, EIP-3860)."""
    zeros = data.count(0)
    gas = 21_000 + 4 * zeros + 16 * (len(data) - zeros)
    gas += sum(2_400 + 1_900 * len(slots) for _, slots in access_list)
    if to is None:
        gas += 32_000 + 2 * ((len(data) + 31) // 32)
    return gas
