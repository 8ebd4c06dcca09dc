"""Two contracts on both executors, for programs written by hand."""

from ledger.chain.executor import Call
from ledger.chain.state import Account, StateChanges
from tests.support.differential import DifferentialExecutor
from tests.support.programs import CHAIN_ID, block_context, operation

GAS = 1_000_000
ANYONE = bytes(20)
HERE, THERE = b"\xaa" * 20, b"\xbb" * 20
RETURN_TOP = operation(0x52, 0) + operation(0xF3, 0, 32)
STOP = b"\x00"


def world(*codes):
    """Both executors with contracts at HERE and THERE."""
    executor = DifferentialExecutor(CHAIN_ID)
    accounts = {a: Account(1, code) for a, code in zip((HERE, THERE), codes, strict=False)}
    executor.apply(StateChanges(accounts))
    return executor


def run(executor, *transactions, number=1):
    """The receipts of a block that is then applied."""
    receipts, changes = executor.run(block_context(number), transactions)
    executor.apply(changes)
    return receipts, changes


def ask(code, data=b"", sender=ANYONE, gas=GAS, there=b""):
    """What a contract of this code answers to a call."""
    executor = world(code, there)
    return executor.call(block_context(300), Call(sender, HERE, data, gas))


def value_of(code, **surroundings):
    """The word that code leaves on the stack."""
    receipt = ask(code + RETURN_TOP, **surroundings)
    assert receipt.succeeded
    return int.from_bytes(receipt.output, "big")


def call_of(kind, address, gas=b"\x5a", in_size=0, out_size=0):
    """A call of another contract with the memory's first bytes; leaves its success."""
    value = [0] if kind in (0xF1, 0xF2) else []
    return operation(0, address, *value, 0, in_size, 0, out_size)[:-1] + gas + bytes([kind])
