"""An executor that is two: every block and call runs on revm and on py-evm, and must agree."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from ledger.chain.blocks import Receipt
from ledger.chain.executor import BlockContext, Call
from ledger.chain.py_evm import PyEvmExecutor
from ledger.chain.revm import RevmExecutor
from ledger.chain.state import StateChanges
from ledger.chain.transactions import InvalidTransactionError, Transaction

_FRAMES: Final = 16_384


@contextmanager
def room_for_calls() -> Iterator[None]:
    """Room on Python's stack for py-evm's deepest calls, which hypothesis takes away."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _FRAMES))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


class DifferentialExecutor:
    """Answers with revm's results, and fails with AssertionError where py-evm's differ."""

    name: Final = "both"

    def __init__(self, chain_id: int) -> None:
        self.revm = RevmExecutor(chain_id)
        self.py_evm = PyEvmExecutor(chain_id)

    def apply(self, state: StateChanges) -> None:
        """Puts accounts and slots in place in both."""
        self.revm.apply(state)
        self.py_evm.apply(state)

    def run(
        self, block: BlockContext, transactions: Sequence[Transaction]
    ) -> tuple[list[Receipt], StateChanges]:
        """Runs a block on both."""
        receipts, changes = self.revm.run(block, transactions)
        reference_receipts, reference = self.py_evm.run(block, transactions)
        for i, (ours, theirs) in enumerate(zip(receipts, reference_receipts, strict=True)):
            assert ours == theirs, f"transaction {i} of block {block.number}"
        assert dict(changes.accounts) == dict(reference.accounts), f"block {block.number}"
        assert dict(changes.storage) == dict(reference.storage), f"block {block.number}"
        return receipts, changes

    def call(self, block: BlockContext, call: Call) -> Receipt:
        """Runs a call on both."""
        ours = _answer(lambda: self.revm.call(block, call))
        theirs = _answer(lambda: self.py_evm.call(block, call))
        assert ours == theirs, f"a call after block {block.number}"
        if isinstance(ours, str):
            raise InvalidTransactionError(ours)
        return ours

    def storage_at(self, address: bytes, slot: int) -> int:
        """A slot, from both."""
        value = self.revm.storage_at(address, slot)
        assert value == self.py_evm.storage_at(address, slot)
        return value


def _answer(ask: Callable[[], Receipt]) -> Receipt | str:
    try:
        return ask()
    except InvalidTransactionError as error:
        return str(error)
