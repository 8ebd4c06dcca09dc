"""A sealed block: header, proposer's signature, transactions, and what they did."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import msgspec
from eth_hash.auto import keccak

from ledger.chain.blocks import Header, PlacedReceipt
from ledger.chain.bundle import pack
from ledger.chain.state import EncodedChanges, StateChanges
from ledger.chain.transactions import Transaction


class Proposal(msgspec.Struct, frozen=True, array_like=True):
    """What the proposer sends to validators: enough to execute the block and to compare results."""

    header: bytes
    signature: bytes
    transactions: tuple[bytes, ...]
    receipt_digests: tuple[bytes, ...]

    @property
    def number(self) -> int:
        """The block's height."""
        return Header.decode(self.header).number

    @property
    def hash(self) -> bytes:
        """The block hash."""
        return keccak(self.header)


@dataclass(frozen=True)
class SealedBlock:
    """A block with everything that its header commits to.

    ``checkpoint`` is the whole state, in the blocks whose state root covers it.
    """

    header: Header
    signature: bytes
    transactions: Sequence[Transaction]
    receipts: Sequence[PlacedReceipt]
    encoded_receipts: Sequence[bytes]
    receipt_digests: Sequence[bytes]
    changes: EncodedChanges
    state_changes: StateChanges
    checkpoint: EncodedChanges | None

    @cached_property
    def hash(self) -> bytes:
        """The block hash."""
        return self.header.hash()

    def signed(self, signature: bytes) -> "SealedBlock":
        """The same block with the proposer's signature."""
        return replace(self, signature=signature)

    def packed_transactions(self) -> bytes:
        """The raw transactions, bundled."""
        raws = [transaction.raw for transaction in self.transactions]
        return pack(raws, [transaction.hash for transaction in self.transactions])

    def packed_receipts(self) -> bytes:
        """The encoded receipts, bundled."""
        return pack(self.encoded_receipts, self.receipt_digests)
