"""The two executors on programs written by hand: each case says what must come out of both."""

import pytest
from eth_hash.auto import keccak

from ledger.chain.blocks import Log
from ledger.chain.errors import ExecutionError
from ledger.chain.executor import (
    BLOCK_GAS_LIMIT,
    INIT_CODE_TOO_LONG,
    INTRINSIC_GAS_TOO_LOW,
    SENDER_IS_CONTRACT,
    Call,
)
from ledger.chain.executors import EXECUTOR_NAMES, new_executor
from ledger.chain.revm import RevmExecutor
from ledger.chain.state import Account, StateChanges
from ledger.chain.transactions import InvalidTransactionError
from tests.support.differential import room_for_calls
from tests.support.programs import (
    CHAIN_ID,
    KEYS,
    PROPOSER,
    SENDERS,
    block_context,
    operation,
    push,
    transaction,
)
from tests.support.small_worlds import (
    ANYONE,
    GAS,
    HERE,
    RETURN_TOP,
    STOP,
    THERE,
    ask,
    call_of,
    run,
    value_of,
    world,
)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (b"\x30", int.from_bytes(HERE, "big")),
        (b"\x32", 0),
        (b"\x3a", 0),
        (b"\x41", int.from_bytes(PROPOSER, "big")),
        (b"\x42", 4_000),
        (b"\x43", 300),
        (b"\x44", 0),
        (b"\x45", BLOCK_GAS_LIMIT),
        (b"\x46", CHAIN_ID),
        (b"\x47", 0),
        (b"\x48", 0),
        (b"\x4a", 1),
        (operation(0x40, 300), 0),
        (operation(0x40, 299), int.from_bytes(keccak(b"299"), "big")),
        (operation(0x40, 44), int.from_bytes(keccak(b"44"), "big")),
        (operation(0x40, 43), 0),
        (operation(0x3F, b"\xdd" * 20), 0),
        (operation(0x3F, ANYONE), int.from_bytes(keccak(b""), "big")),
        (operation(0x3B, HERE), len(b"\x73" + HERE + b"\x3b" + RETURN_TOP)),
    ],
    ids=[
        "address",
        "origin",
        "gas price",
        "proposer",
        "timestamp",
        "number",
        "randomness",
        "gas limit",
        "chain id",
        "balance",
        "base fee",
        "blob base fee",
        "hash of this block",
        "hash of the parent",
        "hash of the oldest known block",
        "hash of a forgotten block",
        "code hash of nobody",
        "code hash of the sender",
        "own code size",
    ],
)
def test_surroundings_read_the_same(code, expected):
    assert value_of(code) == expected


@pytest.mark.parametrize(
    "code",
    [
        b"\xfe",
        b"\x0c",
        b"\x50",
        b"\x5f" * 1_025,
        b"\x5f\x56",
        b"\x60\x01\x56\x5b",
        operation(0x3E, 0, 0, 1),
        operation(0x52, 2**40, 1),
        b"\x5b\x5f\x56",
        operation(0x20, 0, 2**256 - 1),
    ],
    ids=[
        "invalid opcode",
        "unknown opcode",
        "stack underflow",
        "stack overflow",
        "jump to no destination",
        "jump into data",
        "return data out of bounds",
        "memory beyond any gas",
        "endless loop",
        "hash of too much",
    ],
)
def test_exceptional_halt_costs_all_gas_and_changes_nothing(code):
    executor = world(operation(0x55, 1, 1) + operation(0xA0, 0, 0) + code)

    [receipt], changes = run(executor, transaction(SENDERS[0], 0, HERE, b"", GAS))

    assert (receipt.succeeded, receipt.gas_used, receipt.output) == (False, GAS, b"")
    assert receipt.logs == ()
    assert changes == StateChanges({SENDERS[0]: Account(1)}, {})


def test_revert_keeps_its_data_and_returns_the_rest_of_the_gas():
    executor = world(operation(0x55, 1, 1) + operation(0x52, 0, 7) + operation(0xFD, 0, 32))

    [receipt], changes = run(executor, transaction(SENDERS[0], 0, HERE, b"", GAS))

    assert not receipt.succeeded
    assert receipt.output == (7).to_bytes(32, "big")
    assert receipt.gas_used < 50_000
    assert not changes.storage


@pytest.mark.parametrize("spare", [0, 1, 2_300, 22_099, 22_100, 22_106, 22_107])
def test_gas_runs_out_at_the_same_instruction(spare):
    receipt = ask(operation(0x55, 1, 1) + STOP, gas=21_000 + spare)

    assert receipt.succeeded == (spare >= 22_106)


def test_calldata_is_charged_by_byte():
    data = bytes(10) + b"\x01" * 5

    assert ask(STOP, data).gas_used == 21_000 + 10 * 4 + 5 * 16


def test_refund_is_at_most_a_fifth():
    executor = world(b"".join(operation(0x55, slot, 0) for slot in range(5)) + STOP)
    executor.apply(StateChanges({}, {(HERE, slot): 1 for slot in range(5)}))

    [receipt], changes = run(executor, transaction(SENDERS[0], 0, HERE, b"", GAS))

    spent = 21_000 + 5 * (5_000 + 5) + 1  # PUSH0 costs 2, others 3
    assert receipt.gas_used in range(spent * 4 // 5 - 5, spent * 4 // 5 + 1)
    assert set(changes.storage.values()) == {0}


def test_logs_come_with_address_topics_and_data():
    code = operation(0x52, 0, 5) + operation(0xA2, 31, 1, 7, 8) + STOP

    assert ask(code).logs == (
        Log(HERE, ((7).to_bytes(32, "big"), (8).to_bytes(32, "big")), b"\x05"),
    )


@pytest.mark.parametrize("number", range(12))
@pytest.mark.parametrize("size", [0, 32, 128, 192, 213])
def test_precompiles_agree(number, size):
    code = operation(0x37, 0, 0, size)
    code += call_of(0xF1, bytes(19) + bytes([number]), in_size=size, out_size=64)
    code += operation(0x55, 0) + b"\x3d" + operation(0x52, 64) + operation(0xF3, 0, 96)

    assert ask(code, bytes(31) + b"\x1b" + b"\x01" * (size - 32 if size > 32 else 0)).output


def test_signature_is_recovered():
    digest = keccak(b"digest")
    v, r, s = KEYS[SENDERS[0]].sign_msg_hash(digest).vrs
    data = digest + b"".join(word.to_bytes(32, "big") for word in (27 + v, r, s))
    code = operation(0x37, 0, 0, 128) + call_of(0xF1, bytes(19) + b"\x01", in_size=128, out_size=32)

    assert ask(code + operation(0xF3, 0, 32), data).output[12:] == SENDERS[0]


@pytest.mark.parametrize(
    "code",
    [
        operation(0x55, 0, 1),
        operation(0x5D, 0, 1),
        operation(0xA0, 0, 0),
        operation(0xF0, 0, 0, 0),
        operation(0xF5, 0, 0, 0, 0),
        operation(0xFF, ANYONE),
    ],
    ids=["sstore", "tstore", "log", "create", "create2", "selfdestruct"],
)
def test_nothing_is_written_inside_a_static_call(code):
    caller = call_of(0xFA, THERE, gas=push(50_000))

    assert value_of(caller, there=code + STOP) == 0


@pytest.mark.parametrize("kind", [0xF1, 0xF2, 0xF4, 0xFA])
def test_failed_inner_call_leaves_its_revert_data(kind):
    inner = operation(0x52, 0, 9) + operation(0xFD, 0, 32)

    receipt = ask(
        call_of(kind, THERE) + operation(0x3E, 0, 0, 32) + operation(0xF3, 0, 32), there=inner
    )

    assert int.from_bytes(receipt.output, "big") == 9


@pytest.mark.parametrize(("kind", "owner"), [(0xF1, THERE), (0xF2, HERE), (0xF4, HERE)])
def test_call_writes_where_its_kind_says(kind, owner):
    executor = world(call_of(kind, THERE) + STOP, operation(0x55, 3, 4) + STOP)

    _, changes = run(executor, transaction(SENDERS[0], 0, HERE, b"", GAS))

    assert changes.storage == {(owner, 3): 4}


def test_a_64th_of_the_gas_stays_behind_at_every_depth():
    """A contract that calls itself with all its gas reaches the depth that the rule leaves."""
    code = call_of(0xF1, HERE) + operation(0x54, 0) + b"\x60\x01\x01" + operation(0x55, 0) + STOP
    executor = world(code)

    with room_for_calls():
        [receipt], changes = run(executor, transaction(SENDERS[0], 0, HERE, b"", 10**9))

    assert receipt.succeeded
    assert changes.storage[HERE, 0] > 100


def test_value_that_nobody_has_cannot_be_sent():
    code = operation(0, THERE, 1, 0, 0, 0, 0)[:-1] + b"\x5a\xf1"

    assert value_of(code, there=STOP) == 0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (Call(HERE, THERE, b"", GAS), SENDER_IS_CONTRACT),
        (Call(ANYONE, THERE, b"", 20_999), INTRINSIC_GAS_TOO_LOW),
        (Call(ANYONE, None, bytes(49_153), 10**8), INIT_CODE_TOO_LONG),
        (Call(ANYONE, None, bytes(64), 53_259), INTRINSIC_GAS_TOO_LOW),
    ],
)
@pytest.mark.parametrize("name", EXECUTOR_NAMES)
def test_call_that_could_be_no_transaction_is_refused(name, call, words):
    executor = new_executor(name, CHAIN_ID)
    executor.apply(StateChanges({HERE: Account(1, b"\x00")}))

    with pytest.raises(InvalidTransactionError) as error:
        executor.call(block_context(1), call)

    assert str(error.value) == words
    assert executor.call(block_context(1), Call(ANYONE, THERE, b"", GAS)).succeeded


def test_what_is_no_answer_of_the_evm_is_an_error_and_not_a_receipt():
    executor = RevmExecutor(CHAIN_ID)

    with pytest.raises(ExecutionError, match="gave no answer"):
        executor.call(block_context(1), Call(ANYONE, THERE, b"", BLOCK_GAS_LIMIT + 1))


def test_stored_slots_are_read():
    executor = world(STOP)
    executor.apply(StateChanges({}, {(HERE, 2**255): 2**255}))

    assert executor.storage_at(HERE, 2**255) == 2**255
    assert executor.storage_at(HERE, 0) == 0


def test_unknown_executor_is_a_key_error():
    with pytest.raises(KeyError):
        new_executor("besu", CHAIN_ID)
