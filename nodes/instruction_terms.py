"""What of an instruction settles next, as it is signed: the whole, or the next part of it."""

import hashlib
from dataclasses import replace

from contracts.typed_data import InstructionMessage
from ledger.clearing.columns import TradeColumns
from ledger.domain.instructions import Instruction
from ledger.settlement.parts import Part


def instruction_id(label: str) -> bytes:
    """The id of an instruction on the chain, from the name that people use."""
    return hashlib.sha256(f"novate instruction|{label}".encode()).digest()


def part_id(instruction: bytes, number: int) -> bytes:
    """The id under which a part settles; parts are numbered from 1, the last one included."""
    return hashlib.sha256(b"novate part|%d|%s" % (number, instruction)).digest()


def next_terms(instruction: Instruction, part: Part | None = None) -> InstructionMessage:
    """What settles next: the whole; of an instruction in parts, the part or all the rest.

    Rule version and deadline are for the signing to say.
    """
    in_parts = part is not None or instruction.parts
    part = part or Part(instruction.open_quantity, instruction.open_amount)
    return InstructionMessage(
        id=part_id(instruction.id, instruction.parts + 1) if in_parts else instruction.id,
        deliverer=instruction.deliverer,
        receiver=instruction.receiver,
        instrument=instruction.instrument,
        quantity=part.quantity,
        currency=instruction.currency,
        amount=part.amount,
        rule_version=0,
        deadline=0,
    )


def whole_terms(instruction: Instruction) -> InstructionMessage:
    """The instruction as its sides agreed to it."""
    return next_terms(replace(instruction, settled_quantity=0, settled_amount=0, parts=0))


def instruction_of_terms(label: str, arrival: int, terms: InstructionMessage) -> Instruction:
    """An instruction with these terms."""
    return Instruction(
        id=terms.id,
        label=label,
        arrival=arrival,
        deliverer=terms.deliverer,
        receiver=terms.receiver,
        instrument=terms.instrument,
        quantity=terms.quantity,
        currency=terms.currency,
        amount=terms.amount,
    )


def instruction_of_trade(
    label: str, arrival: int, position: int, trade: TradeColumns
) -> Instruction:
    """The instruction of one trade, a row of columns, as it is delivered."""
    delivered = trade.as_delivered()
    return Instruction(
        id=instruction_id(label),
        label=label,
        arrival=arrival,
        deliverer=int(delivered.sellers[0]),
        receiver=int(delivered.buyers[0]),
        instrument=int(trade.instruments[0]),
        quantity=int(trade.quantities[0]),
        currency=int(trade.currencies[0]),
        amount=int(trade.amounts[0]),
        position=position,
    )
