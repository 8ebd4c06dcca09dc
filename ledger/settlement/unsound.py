"""Assets whose issue is in doubt: nothing of them settles until that is solved."""

from dataclasses import dataclass

from ledger.domain.accounts import participant_of
from ledger.domain.instructions import Instruction


@dataclass(frozen=True, slots=True)
class Unsound:
    """What is suspended for want of integrity.

    Attributes:
        instruments: numbers of securities.
        cash: participants whose bank's money of a currency is in doubt, with that currency.
    """

    instruments: frozenset[int] = frozenset()
    cash: frozenset[tuple[int, int]] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.instruments or self.cash)

    def touches(self, instruction: Instruction) -> bool:
        """Whether an instruction moves something of it."""
        if not self:
            return False
        if instruction.quantity and instruction.instrument in self.instruments:
            return True
        accounts = (instruction.deliverer, instruction.receiver) if instruction.amount else ()
        return any(
            (participant_of(account), instruction.currency) in self.cash for account in accounts
        )
