"""Random and hostile transactions on both executors, and on Ethereum as it is."""

from hypothesis import given
from hypothesis import strategies as st

from ledger.chain.py_evm import envelope_of
from ledger.chain.py_evm_accounts import BlockAccounts
from ledger.chain.revm import RevmExecutor
from tests.support.differential import DifferentialExecutor, room_for_calls
from tests.support.looking import examples
from tests.support.programs import CHAIN_ID, KEYS, Programs, block_context
from tests.support.standard import StandardEthereum

SEEDS = st.integers(0, 2**32)
# A transaction later in a block saves at most this: warm accounts and slots, dirty slots.
ACCOUNT_SAVING = 2_600 - 100
SLOT_SET = 20_000
SLOT_SAVING = 2_100 + SLOT_SET - 100


@examples(25)
@given(SEEDS)
def test_executors_agree_on_every_receipt_and_every_change(seed):
    executor = DifferentialExecutor(CHAIN_ID)
    with room_for_calls():
        for number, block in enumerate(Programs(seed).blocks(), start=1):
            _, changes = executor.run(block_context(number), block)
            executor.apply(changes)
            assert not executor.revm._evm.journal_state, "nothing stays warm or unwritten"


@examples(25)
@given(SEEDS)
def test_running_a_block_leaves_no_trace(seed):
    revm, twice = RevmExecutor(CHAIN_ID), RevmExecutor(CHAIN_ID)
    for number, block in enumerate(Programs(seed).blocks(), start=1):
        twice.run(block_context(number), block[:1])
        results = revm.run(block_context(number), block)
        assert twice.run(block_context(number), block) == results
        for executor in (revm, twice):
            executor.apply(results[1])


@examples(25)
@given(SEEDS)
def test_executor_filled_from_stored_changes_goes_on_the_same(seed):
    executor, stored = DifferentialExecutor(CHAIN_ID), []
    with room_for_calls():
        for number, block in enumerate(Programs(seed).blocks(), start=1):
            again = DifferentialExecutor(CHAIN_ID)
            for changes in stored:
                again.apply(changes)
            results = executor.run(block_context(number), block)
            assert again.run(block_context(number), block) == results
            executor.apply(results[1])
            stored.append(results[1])


@examples(25)
@given(SEEDS)
def test_alone_in_its_block_a_transaction_has_the_gas_of_ethereum(seed):
    revm, ethereum = RevmExecutor(CHAIN_ID), StandardEthereum(KEYS)
    rows = [row for block in Programs(seed).blocks() for row in block]
    with room_for_calls():
        for number, transaction in enumerate(rows, start=1):
            block = block_context(number)
            [receipt], changes = revm.run(block, [transaction])
            revm.apply(changes)
            assert (receipt.succeeded, receipt.gas_used) == ethereum.run(block, transaction)


@examples(25)
@given(SEEDS)
def test_later_in_its_block_a_transaction_saves_a_bounded_amount_of_gas(seed):
    for receipt, gas, (accounts, slots) in gas_by_rule(Programs(seed).steady_blocks(most_writes=1)):
        saved = ACCOUNT_SAVING * accounts + SLOT_SAVING * slots
        assert (gas - saved) * 4 // 5 <= receipt.gas_used <= gas


@examples(25)
@given(SEEDS)
def test_only_a_slot_written_again_can_make_it_cost_more_and_then_so_much(seed):
    most = 3
    for receipt, gas, (_, slots) in gas_by_rule(Programs(seed).steady_blocks(most)):
        assert receipt.gas_used <= gas + slots * (most - 1) * SLOT_SET


def gas_by_rule(blocks):
    """Receipts, Ethereum's gas, and the accounts and slots used, of transactions that succeed."""
    both, ethereum = DifferentialExecutor(CHAIN_ID), StandardEthereum(KEYS)
    for number, rows in enumerate(blocks, start=1):
        block = block_context(number)
        receipts, changes = both.run(block, rows)
        touches = [touched(both.py_evm, block, transaction) for transaction in rows]
        both.apply(changes)
        for receipt, transaction, touch in zip(receipts, rows, touches, strict=True):
            assert receipt.succeeded
            succeeded, gas = ethereum.run(block, transaction)
            assert succeeded
            yield receipt, gas, touch


def touched(py_evm, block, transaction):
    """How many accounts and how many slots a transaction uses."""
    accounts = BlockAccounts(py_evm._accounts, py_evm._storage)
    py_evm._executor(block, accounts).run(envelope_of(transaction))
    slots = sum(isinstance(key, tuple) for key in accounts._warm)
    return len(accounts._warm) - slots, slots
