"""A sealed block: header, proposer's signature, transactions, and what they did."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import msgspec
from eth_hash.auto import keccak

from ledger.chain.blocks import (
    Header,
    PlacedReceipt,
    Receipt,
    logs_bloom,
    place,
    receipts_root,
    transactions_root,
)
from ledger.chain.bundle import pack
from ledger.chain.state import NO_CHANGES, EncodedChanges, StateChanges, next_state_root
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


def sealed(
    parent: Header,
    timestamp: int,
    transactions: Sequence[Transaction],
    receipts: Sequence[Receipt],
    state_changes: StateChanges,
    checkpoint: Callable[[EncodedChanges], EncodedChanges | None] = lambda _: None,
) -> SealedBlock:
    """The block after ``parent`` in which these transactions had these effects, unsigned.

    ``checkpoint`` is given the encoded changes, and gives the whole state where the block is to
    commit to it.
    """
    changes = state_changes.encode()
    whole = checkpoint(changes)
    placed = place(receipts)
    encoded = [each.encode() for each in placed]
    digests = [keccak(each) for each in encoded]
    header = Header(
        number=parent.number + 1,
        parent_hash=parent.hash(),
        timestamp=timestamp,
        proposer=parent.proposer,
        gas_limit=parent.gas_limit,
        gas_used=sum(receipt.gas_used for receipt in receipts),
        transactions_root=transactions_root([t.hash for t in transactions]),
        receipts_root=receipts_root(digests),
        state_root=next_state_root(parent.state_root, changes, whole),
        logs_bloom=logs_bloom(receipts),
    )
    return SealedBlock(
        header=header,
        signature=b"",
        transactions=transactions,
        receipts=placed,
        encoded_receipts=encoded,
        receipt_digests=digests,
        changes=changes,
        state_changes=state_changes,
        checkpoint=whole,
    )


def genesis_block(header: Header) -> SealedBlock:
    """Block 0: nothing but its header."""
    return SealedBlock(header, b"", [], [], [], [], NO_CHANGES, StateChanges(), None)
