"""An executor that is made anew before reads of what does not exist fill its memory.

revm's database keeps every account and slot it was ever asked for, existing or not: 140 bytes a
slot, 520 an account, and nothing can be taken out. Ordinary calls ask for the same few; whoever
asks for other ones each time could fill the memory. Each costs at least 2,100 gas, so gas says when
to look, and the process's resident memory says whether it happened.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from ledger.chain.blocks import Receipt
from ledger.chain.executor import BlockContext, Call, Executor
from ledger.chain.state import StateChanges
from ledger.chain.transactions import Transaction

GAS_BETWEEN_LOOKS: Final = 1_000_000_000
GROWTH_BYTES_MAX: Final = 512 * 1024 * 1024
_STATM: Final = Path("/proc/self/statm")
_PAGE_BYTES: Final = 4_096
_READ_GAS: Final = 2_100 + 2_600  # what a transaction pays to read a slot of another account


def resident_bytes() -> int | None:
    """The memory this process holds; None where the system does not say (it is not Linux)."""
    try:
        return int(_STATM.read_text().split()[1]) * _PAGE_BYTES
    except OSError:
        return None


class RenewedExecutor:
    """Stands before an executor, and replaces it by one filled from the store when it has grown.

    ``state`` must give the state after the last block that was applied, in parts.
    """

    def __init__(
        self,
        create: Callable[[], Executor],
        state: Callable[[], Iterable[StateChanges]],
        resident: Callable[[], int | None] = resident_bytes,
    ) -> None:
        self._create = create
        self._state = state
        self._resident = resident
        self._inner = create()
        self._gas = 0
        self._base: int | None = None
        self.renewals = 0

    @property
    def name(self) -> str:
        """The word that configuration uses for this executor."""
        return self._inner.name

    def apply(self, state: StateChanges) -> None:
        """Puts accounts and slots in place: a stored state, or what a block changed."""
        self._inner.apply(state)

    def run(
        self, block: BlockContext, transactions: Sequence[Transaction]
    ) -> tuple[list[Receipt], StateChanges]:
        """Runs a block's transactions, forgets their effect, and says exactly what it would be."""
        self._look()
        receipts, changes = self._inner.run(block, transactions)
        self._gas += sum(receipt.gas_used for receipt in receipts)
        return receipts, changes

    def call(self, block: BlockContext, call: Call) -> Receipt:
        """Runs a call and forgets its effect. Raises InvalidTransactionError as executors do."""
        self._look()
        receipt = self._inner.call(block, call)
        self._gas += receipt.gas_used
        return receipt

    def storage_at(self, address: bytes, slot: int) -> int:
        """The present value of a storage slot."""
        self._look()
        self._gas += _READ_GAS
        return self._inner.storage_at(address, slot)

    def _look(self) -> None:
        if self._gas < GAS_BETWEEN_LOOKS:
            return
        self._gas = 0
        now = self._resident()
        if now is not None:
            self._base = now if self._base is None else min(self._base, now)
            if now - self._base < GROWTH_BYTES_MAX:
                return
        self._inner = self._create()
        for part in self._state():
            self._inner.apply(part)
        self._base = None
        self.renewals += 1
