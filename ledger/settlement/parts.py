"""Partial settlement: how much of an instruction settles when the deliverer has less than it owes.

Only for lack of securities. The cash of a part is its share of what is still open, rounded half up;
the rest stays open, so that the parts always add up to the whole.
"""

from dataclasses import dataclass, replace

from ledger.domain.instructions import Instruction
from ledger.domain.participants import Instrument, Unit
from ledger.domain.rules import Rules
from ledger.settlement.live_queue import LiveQueue


@dataclass(frozen=True, slots=True)
class Part:
    """Units delivered and minor units paid."""

    quantity: int
    amount: int


def largest_part(
    instruction: Instruction, available: int, instrument: Instrument, rules: Rules
) -> Part | None:
    """The part that settles when so many units are available; None when none may."""
    if not (rules.partial and instruction.may_be_partial):
        return None
    quantity = min(available, instruction.open_quantity)
    quantity -= quantity % instrument.settlement_unit
    if not may_be_part(quantity, instruction.open_quantity, instrument):
        return None
    cash = share_of_cash(instruction.open_quantity, instruction.open_amount, quantity)
    part = Part(quantity, cash)
    is_of_shares = instrument.unit is Unit.SHARE
    least = rules.partial_minimum_cash_share if is_of_shares else rules.partial_minimum_cash_nominal
    return part if part.amount >= least else None


def part_alone(
    queue: LiveQueue, instruction: Instruction, available: int, instrument: Instrument, rules: Rules
) -> Part | None:
    """The part that settles of an instruction when so many units are available, its cash covered.

    Whether others stand before the instruction is for the caller to know.
    """
    part = largest_part(instruction, available, instrument, rules)
    if part is None:
        return None
    tried = replace(
        instruction,
        quantity=instruction.settled_quantity + part.quantity,
        amount=instruction.settled_amount + part.amount,
    )
    return None if queue.missing([tried]) else part


def may_be_part(quantity: int, open_quantity: int, instrument: Instrument) -> bool:
    """Whether so many units may settle before the rest does: whole lots, and not all of them."""
    is_whole = quantity % instrument.settlement_unit == 0
    return is_whole and max(instrument.minimum_lot, 1) <= quantity < open_quantity


def share_of_cash(open_quantity: int, open_amount: int, quantity: int) -> int:
    """The cash of a part: its share of what is still open, half up; all of it with all units."""
    return (2 * open_amount * quantity + open_quantity) // (2 * open_quantity)
