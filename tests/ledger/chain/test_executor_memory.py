"""The executor's memory over many calls.

``python -m tests.ledger.chain.test_executor_memory 10000000`` makes ten million of them.
"""

import sys
from itertools import cycle

from contracts.abi import encode_call
from ledger.chain.executor import Call
from ledger.chain.renewal import (
    GAS_BETWEEN_LOOKS,
    GROWTH_BYTES_MAX,
    RenewedExecutor,
    resident_bytes,
)
from ledger.chain.revm import RevmExecutor
from ledger.chain.state import Account, StateChanges
from tests.support.programs import CHAIN_ID, SENDERS, block_context, transaction
from tests.support.twins import Twins, ref

MEGABYTE = 2**20
CALLS = 200_000
HERE = b"\xaa" * 20
# Reads 100 slots, the first of which the call names.
READER = b"\x5f\x35" + b"\x80\x54\x50\x60\x01\x01" * 100 + b"\x00"


def growth_over(calls: int, tell=None) -> int:
    """Bytes that this process grew by over calls of the real contracts, after the first tenth."""
    twins = Twins(executor=RevmExecutor(CHAIN_ID))
    settlement = twins.contracts.addresses.settlement
    # A call that reads slots, one that reverts, and one that writes what is then forgotten.
    data = encode_call("is_settled(bytes32)", ref("x"))
    questions = [
        Call(bytes(20), settlement, data, 10**6),
        Call(bytes(20), settlement, b"\xff\xff\xff\xff", 10**6),
        Call(twins.registrar.key.address, twins.contracts.addresses.securities, b"", 10**6),
    ]
    before = 0
    for made in range(calls):
        if made == calls // 10:
            before = resident_bytes()
        twins.chain.call(questions[made % 3])
        if tell and made and made % 1_000_000 == 0:
            tell(made, resident_bytes() - before)
    return resident_bytes() - before


def test_memory_is_flat_over_many_calls():
    assert growth_over(CALLS) < 4 * MEGABYTE


def test_executor_full_of_slots_that_do_not_exist_is_replaced_and_answers_as_before():
    stored = [StateChanges({HERE: Account(1, READER)}, {(HERE, 7): 1})]
    # A made-up gauge: every second look says that the process has grown too much.
    sizes = cycle([0, GROWTH_BYTES_MAX])
    executor = RenewedExecutor(lambda: RevmExecutor(CHAIN_ID), lambda: stored, lambda: next(sizes))
    executor.apply(stored[0])
    answers = set()

    for i in range(4 * GAS_BETWEEN_LOOKS // 230_000):
        answers.add(executor.call(block_context(1), read_from(1_000 * i)).gas_used)

    assert executor.renewals == 2
    assert len(answers) < 40, "calldata differs, nothing else"
    assert executor.storage_at(HERE, 7) == 1
    assert executor.run(block_context(1), [transaction(SENDERS[0], 0, HERE, b"")])[0][0].succeeded


def read_from(slot):
    return Call(bytes(20), HERE, slot.to_bytes(32, "big"), 10**6)


def main(calls):
    """Prints the growth on the way; exits with 1 when it is no longer flat."""

    def tell(made, grown):
        sys.stdout.write(f"{made:>12,} calls {grown:>12,} bytes\n")

    grown = growth_over(calls, tell)
    tell(calls, grown)
    sys.exit(grown > 64 * MEGABYTE)


if __name__ == "__main__":
    main(int(sys.argv[1]))
