"""What two sides that match make: the label, the terms, and the instruction as both wish it."""

from collections.abc import Sequence
from dataclasses import replace

from contracts.typed_data import InstructionMessage
from ledger.books.entered_sides import Entered
from ledger.domain.instructions import Instruction
from ledger.settlement.lifecycle import debtors_of
from ledger.settlement.matching import Kind
from nodes.clearing_house.desk import Entry
from nodes.instruction_terms import instruction_id
from nodes.network import Network


def label_of(one: Entered, other: Entered) -> str:
    """The label of a match: both sides by participant and reference, the deliverer's first."""
    deliverer, receiver = (one, other) if one.side.is_deliverer else (other, one)
    return (
        f"{deliverer.participant}:{deliverer.reference}+{receiver.participant}:{receiver.reference}"
    )


def owes(entered: Entered) -> bool:
    """Whether a side has to ask for a cancellation: in a DvP both, else the debtor alone."""
    kind, is_deliverer = entered.side.kind, entered.side.is_deliverer
    return kind is Kind.DVP or is_deliverer == (kind is Kind.FREE)


def entry_of(network: Network, deliverer: Entered, receiver: Entered) -> Entry:
    """The instruction of a match as the instruction desk takes it, at the deliverer's amount."""
    side, label = deliverer.side, deliverer.label
    wishes = deliverer.wishes.with_those_of(receiver.wishes)
    message = InstructionMessage(
        id=instruction_id(label),
        deliverer=network.account_number(side.own_account),
        receiver=network.account_number(receiver.side.own_account),
        instrument=network.instrument_number(side.isin) if side.quantity else 0,
        quantity=side.quantity,
        currency=network.currency_number(side.currency) if side.amount else 0,
        amount=side.amount,
        rule_version=0,
        deadline=0,
    )
    return Entry(
        label=label,
        message=message,
        priority=wishes.priority,
        is_held=wishes.is_held,
        may_be_partial=wishes.may_be_partial,
        expires_at=wishes.expires_at,
        linked_to=wishes.linked_to,
    )


def as_wished(network: Network, instruction: Instruction, sides: Sequence[Entered]) -> Instruction:
    """The same, held by those sides that hold it, and asked to be cancelled by those that did."""
    number = network.participant_number
    holding = frozenset(number(each.participant) for each in sides if each.wishes.is_held)
    asking = frozenset(number(each.participant) for each in sides if each.has_asked_out)
    return replace(instruction, held_by=holding, cancelled_by=asking & debtors_of(instruction))
