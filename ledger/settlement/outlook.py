"""Whether something could settle now; if not, why, and what would make it."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ledger.domain.instructions import Instruction
from ledger.domain.reasons import Reason
from ledger.settlement.legs import Leg, Pot


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A pot with too little in it: what would have to be there, and what is."""

    pot: Pot
    needed: int
    available: int

    @property
    def short(self) -> int:
        """How much would have to come in."""
        return self.needed - self.available


@dataclass(frozen=True, slots=True)
class Outlook:
    """What an instruction can expect.

    Attributes:
        group: the instruction with those that settle together with it.
        reason: why it cannot settle now; None when it can.
        missing: what its accounts lack, the securities first.
        behind: the label of one that stands before it.
    """

    group: tuple[Instruction, ...]
    reason: Reason | None
    missing: tuple[Shortfall, ...] = ()
    behind: str = ""


def shortfalls(legs: Iterable[Leg], available: Callable[[Pot], int]) -> tuple[Shortfall, ...]:
    """What is missing when all legs are booked together; only the balances after it count."""
    owed: dict[Pot, int] = defaultdict(int)
    for leg in legs:
        if leg.debtor is not None:
            owed[leg.debtor] += leg.amount
        if leg.creditor is not None:
            owed[leg.creditor] -= leg.amount
    found = []
    for pot, needed in owed.items():
        if needed > 0:
            there = available(pot)
            if there < needed:
                found.append(Shortfall(pot, needed, there))
    return tuple(sorted(found, key=lambda each: each.pot))
