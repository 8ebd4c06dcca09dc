"""Limits of the accounts: the most that each pays on balance, to somebody or to everybody.

What counts is what instructions have moved, payments less receipts; netting cycles have limits of
their own kind.
"""

from collections.abc import Mapping

from ledger.books.database import Database
from ledger.books.instructions import InstructionStore, LimitStore
from ledger.books.tables import LimitRow
from ledger.domain.instructions import Instruction
from ledger.settlement.legs import Pot, PotKind, limit_legs


class LimitBook:
    """Limits on disk, and how much of each is used."""

    def __init__(self, database: Database, instructions: InstructionStore) -> None:
        self._database = database
        self._store = LimitStore(database)
        self._instructions = instructions
        self._limits = {
            Pot(PotKind.LIMIT, row.currency, row.account, row.counterparty): row.amount
            for row in self._store.all()
        }
        self._used: dict[Pot, int] = {}
        self._count_anew()

    def all(self) -> Mapping[Pot, int]:
        """The limits that are set, by pot."""
        return dict(self._limits)

    def set(self, pot: Pot, amount: int | None) -> None:
        """Sets a limit; None takes it away."""
        row = LimitRow(
            account=pot.account,
            currency=pot.asset,
            counterparty=pot.counterparty,
            amount=amount or 0,
        )
        with self._database.transaction() as session:
            if amount is None:
                self._store.remove(session, row)
            else:
                self._store.put(session, row)
        self._limits.pop(pot, None)
        if amount is not None:
            self._limits[pot] = amount
        self._count_anew()

    def headroom(self, pot: Pot) -> int:
        """What may still be paid under a limit; below zero where more was paid before."""
        return self._limits[pot] - self._used[pot]

    def paid(self, instruction: Instruction, amount: int) -> list[Pot]:
        """Something of an instruction has settled; returns the limits that have more room now."""
        freed = []
        for leg in limit_legs(
            self._limits, instruction.currency, instruction.receiver, instruction.deliverer, amount
        ):
            if leg.debtor is not None:
                self._used[leg.debtor] += amount
            if leg.creditor is not None:
                self._used[leg.creditor] -= amount
                freed.append(leg.creditor)
        return freed

    def _count_anew(self) -> None:
        """What has settled so far, under the limits that are set."""
        self._used = dict.fromkeys(self._limits, 0)
        for each in self._instructions.all() if self._limits else ():
            if each.settled_amount:
                self.paid(each, each.settled_amount)
