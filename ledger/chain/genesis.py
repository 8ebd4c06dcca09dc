"""What all replicas of one chain agree on before its first block, and that block."""

from dataclasses import dataclass
from typing import Final

from ledger.chain.blocks import ZERO_HASH, Header, logs_bloom, receipts_root, transactions_root
from ledger.chain.executor import BLOCK_GAS_LIMIT
from ledger.chain.state import NO_CHANGES, next_state_root

CHECKPOINT_SLOTS: Final = 100_000


@dataclass(frozen=True, slots=True)
class ValidatorIdentity:
    """A validator and the address of the key that it votes with."""

    name: str
    address: bytes


@dataclass(frozen=True, slots=True)
class ChainConfig:
    """The constitution of a chain.

    Attributes:
        proposer: address of the key that signs proposed blocks.
        genesis_timestamp: seconds of chain time.
        validators: whose votes make a block final. With the proposer as the only one, the chain
            trusts its operator.
        senders: addresses that may send transactions; None lets everybody.
        priority_senders: those whose transactions are sealed before all others.
        checkpoint_slots: a block commits to the whole state once as many slots were written since
            the last time as this, and as that state had.
    """

    chain_id: int
    proposer: bytes
    genesis_timestamp: int
    validators: tuple[ValidatorIdentity, ...]
    senders: frozenset[bytes] | None = None
    priority_senders: frozenset[bytes] = frozenset()
    checkpoint_slots: int = CHECKPOINT_SLOTS


def genesis_header(config: ChainConfig) -> Header:
    """The header of block 0, which has no transactions."""
    return Header(
        number=0,
        parent_hash=ZERO_HASH,
        timestamp=config.genesis_timestamp,
        proposer=config.proposer,
        gas_limit=BLOCK_GAS_LIMIT,
        gas_used=0,
        transactions_root=transactions_root([]),
        receipts_root=receipts_root([]),
        state_root=next_state_root(config.chain_id.to_bytes(32, "big"), NO_CHANGES, None),
        logs_bloom=logs_bloom([]),
    )
