"""Transactions for blocks of which only the place in the store matters."""

from ledger.chain.transactions import Transaction, decode_transaction
from nodes.keys import Key
from tests.support.counters import count_raw

KEY = Key.of_seed("blocks", "sender")


def some_transactions(count: int) -> list[Transaction]:
    """Signed transactions; which ones does not matter."""
    return [decode_transaction(count_raw(KEY, nonce, bytes(20), nonce)) for nonce in range(count)]
