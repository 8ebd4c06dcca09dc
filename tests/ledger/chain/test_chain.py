"""The chain: what it admits, what it seals, what it still knows after it was opened again."""

from itertools import pairwise

import pytest

from contracts.deployment import participants_init_code
from ledger.chain.blocks import Header
from ledger.chain.chain import TRANSACTION_GAS_MAX, Chain, ChainConfig
from ledger.chain.executor import Call
from ledger.chain.executors import DEFAULT_EXECUTOR, new_executor
from ledger.chain.store import BlockStore, LogFilter
from ledger.chain.transactions import InvalidTransactionError
from nodes.keys import Key
from tests.support.twins import CHAIN_ID, GAS, START, Clock, Sender, Twins, new_chain, ref

KEY = Key.of_seed("chain", "sender")


def raw(nonce=0, chain_id=CHAIN_ID, gas=100_000, data=b"", to=bytes(20)):
    return KEY.sign_transaction(chain_id=chain_id, nonce=nonce, to=to, data=data, gas=gas)


@pytest.mark.parametrize(
    ("transaction", "words"),
    [
        (raw(chain_id=1), "signed for chain 1"),
        (raw(nonce=1), "nonce too high"),
        (raw(gas=20_999), "intrinsic gas too low"),
        (raw(gas=TRANSACTION_GAS_MAX + 1), "is above"),
        (raw(to=None, data=bytes(50_000), gas=10**8), "init code"),
    ],
)
def test_transaction_that_no_block_may_carry_is_refused(transaction, words):
    chain = new_chain()

    with pytest.raises(InvalidTransactionError, match=words):
        chain.submit([transaction])

    assert chain.head.number == 0


def test_used_nonce_is_refused_and_the_same_transaction_is_answered_again():
    chain = new_chain()
    first = chain.submit([raw()])

    assert chain.submit([raw()]) == first
    assert chain.head.number == 1
    with pytest.raises(InvalidTransactionError, match="nonce too low"):
        chain.submit([raw(data=b"\x01")])


def test_one_bad_transaction_spoils_its_whole_submission_and_nothing_else():
    chain = new_chain()

    with pytest.raises(InvalidTransactionError):
        chain.submit([raw(0), raw(5)])

    assert chain.submit([raw(0), raw(1)])
    assert chain.head.number == 1
    assert chain.nonce_of(KEY.address) == 2


def test_chain_time_never_goes_back():
    clock = Clock()
    chain = new_chain(clock)
    clock.now = START + 50
    chain.submit([raw(0)])
    clock.now = START + 10

    chain.submit([raw(1)])

    assert chain.head.timestamp == START + 50


def test_header_survives_encoding():
    twins = Twins()
    header = twins.chain.head

    assert Header.decode(header.encode()) == header
    assert Header.decode(header.encode()).hash() == header.hash()


def test_blocks_are_chained_by_hash():
    chain = Twins().chain

    headers = [chain.store.header_by_number(n) for n in range(chain.head.number + 1)]

    for parent, child in pairwise(headers):
        assert child.parent_hash == parent.hash()


def test_same_transactions_make_the_same_blocks():
    assert Twins().chain.head.hash() == Twins().chain.head.hash()


def test_failed_transaction_is_sealed_with_its_revert_data_and_changes_nothing():
    twins = Twins()
    before = twins.chain.head.state_root
    root_of_refusals = twins.issue(twins.house, ref("x"), [(1, 5 << 8, 1)], is_cash=False)

    assert root_of_refusals == "securities: not the registrar"
    assert twins.chain.head.state_root != before, "the sender's nonce has changed"
    twins.check_balances()


def test_logs_are_found_by_address_and_topic():
    twins = Twins()
    twins.issue(twins.registrar, ref("x"), [(1, 5 << 8, 1)], is_cash=False)
    securities = twins.contracts.addresses.securities

    found = list(
        twins.chain.store.logs(LogFilter(0, 99, addresses=(securities,), topics=((), (ref("x"),))))
    )

    assert len(found) == 1
    assert found[0].block == twins.chain.head.number
    assert not list(twins.chain.store.logs(LogFilter(0, 99, topics=((), (ref("y"),)))))


def test_opened_again_the_chain_goes_on_where_it_was(tmp_path):
    def opened():
        config = ChainConfig(CHAIN_ID, bytes(20), START)
        executor = new_executor(DEFAULT_EXECUTOR, CHAIN_ID)
        return Chain(config, BlockStore(tmp_path / "chain.sqlite"), executor, lambda: START)

    chain = opened()
    sender = Sender(chain, KEY)
    address = sender.send(None, participants_init_code()).contract
    head = chain.head
    chain.store.close()

    again = opened()

    assert again.head == head
    assert again.nonce_of(KEY.address) == 1
    assert again.code_of(address)
    administrator = again.call(Call(bytes(20), address, bytes.fromhex("f53d0a8e"), GAS))
    assert administrator.output[12:] == KEY.address
    assert Sender(again, KEY).send(address, b"\0\0\0\0").succeeded is False
    again.store.close()


def test_memory_of_the_executor_does_not_keep_what_calls_touch():
    twins = Twins()
    settlement = twins.contracts.settlement
    before = settlement.cycle_of(ref("none"))

    for i in range(200):
        settlement.is_settled(ref(f"{i}"))

    assert settlement.cycle_of(ref("none")) == before
