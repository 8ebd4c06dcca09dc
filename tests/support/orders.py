"""Instructions, cash and shares on a small consortium, as both sides and their keepers agree."""

import numpy as np

from contracts.lines import Lines
from contracts.typed_data import InstructionMessage, RedemptionMessage
from ledger.books.postings import Register
from ledger.domain.accounts import holding_key
from nodes.clearing_house.desk import Entry
from nodes.instruction_terms import instruction_id


def terms(consortium, label, deliverer, receiver, quantity, amount):
    """An instruction in the one instrument and the one currency."""
    account = consortium.network.account_number
    return InstructionMessage(
        id=instruction_id(label),
        deliverer=account(deliverer),
        receiver=account(receiver),
        instrument=1 if quantity else 0,
        quantity=quantity,
        currency=1 if amount else 0,
        amount=amount,
        rule_version=0,
        deadline=0,
    )


def agree(consortium, message, *, in_parts=False):
    """Both desks agree to an instruction."""
    for account in (message.deliverer, message.receiver):
        trader = consortium.trader(consortium.network.participant_id(account >> 8))
        assert trader.mandate_instruction(message, may_be_partial=in_parts) is None


def enter(consortium, label, *words, **more):
    """An instruction is entered, and both desks agree to it; the house's refusal, if any."""
    message = terms(consortium, label, *words)
    refusal = consortium.clearing_house.desk.enter(Entry(label=label, message=message, **more))
    if refusal is None:
        agree(consortium, message, in_parts=more.get("may_be_partial", False))
    return refusal


def give(consortium, owner, register, amount, reference):
    """Issues into an account; nothing is refused."""
    lines = Lines(np.array([_key(consortium, owner)]), np.array([amount]))
    name = reference.encode().rjust(32)
    assert consortium.trader(owner).expect_deposit(name, register, lines) is None
    assert consortium.keeper(register, owner).issue(name, lines) is None
    consortium.catch_up()


def take(consortium, owner, register, amount, reference):
    """Redeems out of an account; the refusal, if any."""
    account = consortium.network.account_number(owner)
    redemption = RedemptionMessage(reference.encode().rjust(32), 1, account, amount)
    consortium.catch_up()
    refusal = consortium.trader(owner).mandate_redemption(register, redemption)
    refusal = refusal or consortium.keeper(register, owner).redeem(redemption)
    consortium.catch_up()
    return refusal


def balances(consortium):
    """Cash and shares of the brokers, as the contracts have them."""
    registers = {
        Register.CASH: consortium.contracts.cash,
        Register.SECURITIES: consortium.contracts.securities,
    }
    brokers = ("A", "B", "C")
    keys = np.array([_key(consortium, broker) for broker in brokers])
    return {
        register: dict(zip(brokers, contract.holdings_of(keys)[0].tolist(), strict=True))
        for register, contract in registers.items()
    }


def _key(consortium, owner):
    return holding_key(1, consortium.network.account_number(owner))
