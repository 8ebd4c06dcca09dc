"""Instructions for tests: entered for both sides into a consortium of A, B and C."""

import hashlib

from contracts.typed_data import InstructionMessage
from ledger.books.postings import Register
from nodes.clearing_house.desk import Entry
from nodes.funding import deposit
from nodes.instruction_terms import instruction_id
from nodes.movement import Movement


def message_of(network, label, deliverer, receiver, quantity, amount):
    """The terms of an instruction in the one instrument and the one currency."""
    return InstructionMessage(
        id=instruction_id(label),
        deliverer=network.account_number(deliverer),
        receiver=network.account_number(receiver),
        instrument=1 if quantity else 0,
        quantity=quantity,
        currency=1 if amount else 0,
        amount=amount,
        rule_version=0,
        deadline=0,
    )


def entry_of(consortium, label, *terms, **options):
    """An entry; terms are deliverer, receiver, quantity and amount."""
    return Entry(label=label, message=message_of(consortium.network, label, *terms), **options)


def bring_in(consortium, pot_register, account, amount):
    """Brings exactly so much into the account of a number."""
    register = Register.CASH if pot_register == "cash" else Register.SECURITIES
    height = consortium.clearing_house.projection.height
    reference = hashlib.sha256(f"test {height} {register.value} {account}".encode()).digest()
    assert deposit(consortium, Movement(reference, register, 1, account, amount)) is None
    consortium.catch_up()


def everything_on_disk(consortium):
    """A hash of the databases of all nodes."""
    digest = hashlib.sha256()
    for node in consortium.nodes.values():
        connection = node.database._engine.raw_connection()
        for line in connection.driver_connection.iterdump():
            digest.update(line.encode())
        connection.close()
    return digest.hexdigest()
