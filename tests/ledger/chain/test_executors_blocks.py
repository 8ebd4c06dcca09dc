"""Both executors where a block counts as one transaction, and where contracts are created."""

import pytest
from eth_hash.auto import keccak

from ledger.chain.executor import (
    Call,
)
from ledger.chain.state import Account, StateChanges
from tests.support.programs import (
    CONTRACTS,
    PROPOSER,
    SENDERS,
    block_context,
    init_code,
    operation,
    transaction,
)
from tests.support.small_worlds import (
    ANYONE,
    GAS,
    HERE,
    RETURN_TOP,
    STOP,
    run,
    world,
)


def test_creation_takes_the_address_of_the_senders_nonce():
    executor = world()
    rows = [transaction(SENDERS[0], nonce, None, init_code(b"\x00")) for nonce in range(2)]

    receipts, changes = run(executor, *rows)

    assert [r.contract for r in receipts] == [CONTRACTS[0], CONTRACTS[2]]
    assert changes.accounts[CONTRACTS[0]] == Account(1, b"\x00")
    assert changes.accounts[SENDERS[0]] == Account(2)


@pytest.mark.parametrize(
    ("data", "gas"),
    [
        (operation(0xFD, 0, 0), GAS),
        (b"\xfe", GAS),
        (operation(0xF3, 0, 24_577), 10**8),
        (operation(0x53, 0, 0xEF) + operation(0xF3, 0, 1), GAS),
        (init_code(bytes(200)), 60_000),
    ],
    ids=["revert", "halt", "code too long", "reserved first byte", "no gas for the code"],
)
def test_failed_creation_uses_up_the_nonce_and_nothing_else(data, gas):
    executor = world()

    [receipt], changes = run(executor, transaction(SENDERS[0], 0, None, data, gas))

    assert (receipt.succeeded, receipt.contract) == (False, None)
    assert changes == StateChanges({SENDERS[0]: Account(1)}, {})


def test_contract_creates_by_nonce_and_by_salt_and_collides_with_itself():
    made = init_code(b"\x5f\x54\x00")
    put = operation(0x52, 0, made.ljust(32, b"\0"))
    keep = [
        operation(0xF0, 0, 0, len(made)) + operation(0x55, 0),
        operation(0xF5, 0, 0, len(made), 9) + operation(0x55, 1),
        operation(0xF5, 0, 0, len(made), 9) + operation(0x55, 2),
    ]
    executor = world(put + b"".join(keep) + STOP)

    _, changes = run(executor, transaction(SENDERS[0], 0, HERE, b"", GAS))

    created = {address for address, a in changes.accounts.items() if a.code == b"\x5f\x54\x00"}
    assert {changes.storage[HERE, 0].to_bytes(20, "big")} < created
    assert {changes.storage[HERE, i].to_bytes(20, "big") for i in (0, 1)} == created
    assert (HERE, 2) not in changes.storage
    assert changes.accounts[HERE].nonce == 4


def test_code_of_a_created_contract_is_stored_to_its_last_byte():
    code = b"\x38" + RETURN_TOP
    executor = world()
    _, changes = run(executor, transaction(SENDERS[0], 0, None, init_code(code)))

    receipt = executor.call(block_context(2), Call(ANYONE, CONTRACTS[0], b"", GAS))

    assert changes.accounts[CONTRACTS[0]].code == code
    assert int.from_bytes(receipt.output, "big") == len(code)


def test_transient_storage_ends_with_its_transaction():
    code = operation(0x5C, 0) + operation(0x55, 1) + operation(0x5D, 0, 7)
    executor = world(code + operation(0x5C, 0) + operation(0x55, 0) + STOP)

    rows = [transaction(SENDERS[0], nonce, HERE, b"", GAS) for nonce in range(2)]
    _, changes = run(executor, *rows)

    assert changes.storage == {(HERE, 0): 7}


def test_contract_destroyed_in_the_block_of_its_creation_disappears_with_the_block():
    # Called with data, it says its code size; without, it destroys itself.
    size = operation(0x52, 0) + operation(0xF3, 0, 32)
    code = b"\x36\x60\x06\x57\x33\xff\x5b\x38" + size
    executor = world()
    code_start = len(operation(0x55, 0, 1))
    code = code.replace(b"\x60\x06", b"\x60" + bytes([6 + code_start]))
    create = transaction(SENDERS[0], 0, None, init_code(operation(0x55, 0, 1) + code))
    destroy, still_there = (
        transaction(SENDERS[1], 0, CONTRACTS[0], b"", GAS),
        transaction(SENDERS[1], 1, CONTRACTS[0], b"\x01", GAS),
    )

    receipts, changes = run(executor, create, destroy, still_there)

    assert [r.succeeded for r in receipts] == [True] * 3
    assert int.from_bytes(receipts[2].output, "big") == len(code) + code_start
    assert changes == StateChanges({SENDERS[0]: Account(1), SENDERS[1]: Account(2)}, {})


def test_contract_of_an_earlier_block_cannot_be_destroyed():
    executor = world(b"\x33\xff")

    [receipt], changes = run(executor, transaction(SENDERS[0], 0, HERE, b"", GAS))

    assert receipt.succeeded
    assert changes == StateChanges({SENDERS[0]: Account(1)}, {})
    assert executor.call(block_context(2), Call(ANYONE, HERE, b"", GAS)).gas_used > 21_000


def test_use_in_a_block_is_cold_once_and_originals_are_those_before_it():
    executor = world(operation(0x55, 0, 2) + STOP)

    rows = [transaction(SENDERS[0], nonce, HERE, b"", GAS) for nonce in range(2)]
    receipts, _ = run(executor, *rows)
    later, _ = run(executor, transaction(SENDERS[0], 2, HERE, b"", GAS), number=2)

    assert [r.gas_used - 21_000 - 5 for r in receipts] == [22_100, 100]
    assert later[0].gas_used - 21_000 - 5 == 2_200


def test_slot_cleared_and_filled_in_one_block_is_refunded_a_fifth():
    executor = world(operation(0x35, 0) + operation(0x55, 0) + STOP)
    executor.apply(StateChanges({}, {(HERE, 0): 2}))
    rows = [
        transaction(SENDERS[0], nonce, HERE, value.to_bytes(32, "big"), GAS)
        for nonce, value in enumerate((0, 1))
    ]

    receipts, _ = run(executor, *rows)

    spent = 21_000 + 31 * 4 + 16 + 2 + 3 + 2 + 100
    assert receipts[1].gas_used == spent - spent // 5


def test_access_list_is_charged_and_warms_what_it_names_until_the_block_ends():
    executor = world(operation(0x54, 3) + STOP)
    rows = [
        transaction(SENDERS[0], 0, HERE, b"", GAS, ((HERE, (3,)),)),
        transaction(SENDERS[0], 1, HERE, b"", GAS),
    ]

    receipts, _ = run(executor, *rows)
    later, _ = run(executor, transaction(SENDERS[0], 2, HERE, b"", GAS), number=2)

    assert receipts[0].gas_used == 21_000 + 2_400 + 1_900 + 3 + 100
    assert receipts[1].gas_used == 21_000 + 3 + 100
    assert later[0].gas_used == 21_000 + 3 + 2_100


def test_proposer_can_send_and_its_nonce_is_forgotten_with_a_block_that_is_not_applied():
    executor = world(operation(0x3F, PROPOSER) + RETURN_TOP)
    row = transaction(PROPOSER, 0, HERE, b"", GAS)

    first = executor.run(block_context(1), [row])
    answer = executor.call(block_context(1), Call(ANYONE, HERE, b"", GAS))

    assert first[0][0].output == keccak(b"")
    assert answer.output == bytes(32)
    assert executor.run(block_context(1), [row]) == first


def test_putting_contracts_in_place_warms_nothing():
    executor = world(operation(0x3B, ANYONE) + b"\x50" + STOP)

    [receipt], _ = run(executor, transaction(SENDERS[0], 0, HERE, b"", GAS))

    assert receipt.gas_used == 21_000 + 3 + 2_600 + 2
