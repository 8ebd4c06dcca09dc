"""Blocks made of given receipts, for tests and measurements of the store alone."""

from collections.abc import Sequence
from dataclasses import replace

from eth_hash.auto import keccak

from ledger.chain.blocks import (
    Header,
    Receipt,
    place,
    receipts_root,
    transactions_root,
)
from ledger.chain.sealed import SealedBlock
from ledger.chain.state import NO_CHANGES, StateChanges
from ledger.chain.transactions import Transaction, decode_transaction
from nodes.keys import Key
from tests.support.counters import count_raw

KEY = Key.of_seed("blocks", "sender")


def some_transactions(count: int) -> list[Transaction]:
    """Signed transactions; which ones does not matter."""
    return [decode_transaction(count_raw(KEY, nonce, bytes(20), nonce)) for nonce in range(count)]


def block_of(
    parent: Header, transactions: Sequence[Transaction], receipts: Sequence[Receipt]
) -> SealedBlock:
    """The next block, with these receipts and no state changes."""
    placed = place(receipts)
    encoded = [each.encode() for each in placed]
    digests = [keccak(each) for each in encoded]
    header = replace(
        parent,
        number=parent.number + 1,
        parent_hash=parent.hash(),
        transactions_root=transactions_root([t.hash for t in transactions]),
        receipts_root=receipts_root(digests),
    )
    return SealedBlock(
        header=header,
        signature=b"",
        transactions=transactions,
        receipts=placed,
        encoded_receipts=encoded,
        receipt_digests=digests,
        changes=NO_CHANGES,
        state_changes=StateChanges(),
        checkpoint=None,
    )
