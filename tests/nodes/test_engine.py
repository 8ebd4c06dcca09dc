"""Another's chain: transactions get into it once, whatever its node forgets, repeats or refuses."""

import threading
from datetime import date

import pytest
from web3 import Web3

from contracts.artifacts import artifact
from ledger.books.cycles import ABANDONED, SETTLED
from nodes.clock import SimulatedClock
from nodes.engine import EngineError
from nodes.external_engine import ExternalEngine
from nodes.founding import open_consortium
from nodes.invariants import violations
from nodes.keys import Key, fresh_seed
from nodes.network import CHAIN_ID
from nodes.revert_words import revert_words
from nodes.scenario.loader import load_story
from nodes.scenario.result import result_of
from nodes.scenario.runner import play
from tests.support.anvil import Anvil, needs_anvil
from tests.support.consortia import (
    GROSS,
    NET,
    capture,
    consortium_of,
    small_network,
    states,
    trades_of,
)

pytestmark = needs_anvil

REVERTING = bytes.fromhex("60006000fd")  # init code that reverts without a word
EMPTY = bytes.fromhex("60006000f3")  # init code of a contract without code


@pytest.fixture(scope="module")
def anvil():
    with Anvil() as running:
        yield running


@pytest.fixture
def engine(anvil):
    return ExternalEngine(anvil.url, patience_seconds=5)


@pytest.fixture
def key():
    return Key.of_seed(fresh_seed(), "sender")


def signed(key, nonce=0, data=EMPTY, to=None, gas=1_000_000):
    raw = key.sign_transaction(chain_id=CHAIN_ID, nonce=nonce, to=to, data=data, gas=gas)
    return raw, bytes(Web3.keccak(raw))


def test_same_transaction_settles_once_however_often_it_is_asked_for(anvil, engine, key):
    raw, digest = signed(key)

    first = engine.settle(raw, digest)
    height = anvil.height()

    assert engine.settle(raw, digest) == first
    assert first.succeeded
    assert first.contract is not None
    assert anvil.height() == height == first.block


def test_other_process_that_uses_the_key_is_named(anvil, engine, key):
    engine.settle(*signed(key))

    with pytest.raises(EngineError, match=r"nonce too low.*sent something else under this number"):
        engine.settle(*signed(key, data=EMPTY + b"\0"))


def test_transaction_that_waits_in_the_pool_is_waited_for_and_not_refused(anvil, engine, key):
    anvil.ask("evm_setAutomine", False)
    raw, digest = signed(key)
    anvil.ask("eth_sendRawTransaction", "0x" + raw.hex())
    mining = threading.Timer(
        0.5, lambda: (anvil.ask("evm_mine"), anvil.ask("evm_setAutomine", True))
    )
    mining.start()

    outcome = engine.settle(raw, digest)
    mining.join()

    assert outcome.succeeded


def test_transaction_that_the_node_forgot_is_sent_again(anvil, engine, key):
    anvil.ask("evm_setAutomine", False)
    raw, digest = signed(key)

    def forget():
        anvil.ask("anvil_dropAllTransactions")
        anvil.ask("evm_setAutomine", True)

    forgetting = threading.Timer(0.5, forget)
    forgetting.start()
    outcome = engine.settle(raw, digest)
    forgetting.join()

    assert outcome.succeeded


def test_chain_that_stands_still_is_an_error_and_the_transaction_can_be_asked_for_later(anvil, key):
    impatient = ExternalEngine(anvil.url, finality_patience_seconds=0.5)
    anvil.ask("evm_setAutomine", False)
    raw, digest = signed(key)

    with pytest.raises(EngineError, match=r"is in no block.*the chain stands still"):
        impatient.settle(raw, digest)
    anvil.ask("evm_mine")
    anvil.ask("evm_setAutomine", True)

    assert impatient.settle(raw, digest).succeeded


def test_final_is_what_has_enough_blocks_on_top(anvil, key):
    engine = ExternalEngine(anvil.url, finality=3)
    with anvil.ticking():
        outcome = engine.settle(*signed(key))

    assert anvil.height() >= outcome.block + 3
    assert engine.final_height() >= outcome.block


def test_block_without_enough_blocks_on_top_is_not_final(anvil, key):
    engine = ExternalEngine(anvil.url, finality=3, finality_patience_seconds=0.3)

    with pytest.raises(EngineError, match=r"which is not final after 0 s \(--finality 3"):
        engine.settle(*signed(key))


def test_node_itself_can_say_what_is_final():
    with Anvil("--slots-in-an-epoch", "1") as anvil:
        engine = ExternalEngine(anvil.url, "finalized")
        anvil.ask("anvil_mine", "0xa")
        assert engine.look() == int(
            anvil.ask("eth_getBlockByNumber", "finalized", False)["number"], 16
        )
        assert 0 < engine.final_height() < anvil.height()


def test_chain_that_goes_back_is_noticed(anvil, engine):
    snapshot = anvil.ask("evm_snapshot")
    anvil.ask("anvil_mine", "0x3")
    engine.look()
    anvil.ask("evm_revert", snapshot)

    with pytest.raises(EngineError, match="has lost blocks"):
        engine.look()


def test_final_height_stands_still_until_somebody_looks(anvil, engine):
    before = engine.final_height()
    anvil.ask("anvil_mine", "0x2")

    assert engine.final_height() == before
    assert engine.look() == before + 2


def test_refusal_has_the_contracts_own_words(anvil, engine, key):
    code = bytes.fromhex(artifact("Securities").bytecode[2:])
    register = engine.settle(*signed(key, data=code + bytes(32), gas=10_000_000))
    bind = Web3.keccak(text="bind_settlement(address)")[:4] + bytes(32)
    raw, digest = signed(key, nonce=1, to=register.contract, data=bind)

    outcome = engine.settle(raw, digest)

    assert not outcome.succeeded
    assert outcome.revert == "register: no settlement contract"
    # A node without traces is asked the question again, in the block in which it failed.
    receipt = anvil.ask("eth_getTransactionReceipt", "0x" + digest.hex())
    assert revert_words(_WithoutTraces(anvil.w3), raw, receipt) == outcome.revert


class _WithoutTraces:
    """A node that offers no debug methods; everything else is the real one's."""

    def __init__(self, w3):
        self.provider = type(w3.provider)(w3.provider.endpoint_uri)
        ask = self.provider.make_request
        self.provider.make_request = lambda method, params: (
            {"error": {"code": -32601, "message": "no such method"}}
            if method.startswith("debug_")
            else ask(method, params)
        )


def test_revert_without_a_word_is_an_empty_text(engine, key):
    outcome = engine.settle(*signed(key, data=REVERTING))

    assert not outcome.succeeded
    assert outcome.revert == ""


def test_deadlines_follow_the_chains_clock_however_far_it_is_from_ours(anvil):
    with Anvil("--timestamp", "1000000000") as past:
        engine = ExternalEngine(past.url)
        head = int(past.ask("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
        assert head <= engine.chain_time() <= head + 60
        assert engine.passed_time() == head


def test_cycle_that_comes_too_late_on_anothers_chain_is_abandoned_and_settles_in_the_next():
    with Anvil() as anvil:
        consortium = consortium_of(small_network(fresh_seed()), NET, ExternalEngine(anvil.url))
        house = consortium.clearing_house
        capture(consortium, trades_of(consortium.network, ("T1", "A", "B", 10, 1_000)))
        deliver = house.outbox.deliver

        def late(intent):
            anvil.ask("evm_increaseTime", 3_600)
            return deliver(intent)

        house.outbox.deliver = late
        first = house.net.close()
        house.outbox.deliver = deliver
        second = house.net.close()

        assert (first.state, second.state) == (ABANDONED, SETTLED)
        assert states(consortium) == ["settled"]
        assert consortium.reconcile() == 0
        assert violations(consortium) == []


def test_books_agree_on_a_chain_that_never_stands_still():
    with Anvil() as anvil, anvil.ticking():
        # Without a common height the nodes would be at different blocks and compare nothing.
        engine = ExternalEngine(anvil.url)
        consortium = consortium_of(small_network(fresh_seed()), GROSS, engine)
        capture(consortium, trades_of(consortium.network, ("T1", "A", "B", 10, 1_000)))
        consortium.clearing_house.desk.work()
        assert consortium.reconcile() == 0
        assert violations(consortium) == []
        assert states(consortium) == ["settled"]


def test_story_ends_the_same_where_finality_takes_blocks(request):
    story = load_story(request.config.rootpath / "nodes/scenario/pack/netting/net-six-trades.yaml")
    with Anvil() as anvil, anvil.ticking():
        there = result_of(play(story, ExternalEngine(anvil.url, finality=3)))

    assert there.passed
    assert there == result_of(play(story))


def test_node_that_comes_up_reads_many_empty_blocks_at_once(anvil, tmp_path):
    network = small_network(fresh_seed())
    clock = SimulatedClock.at(date(2026, 2, 10))
    open_consortium(network, NET, clock, tmp_path, ExternalEngine(anvil.url)).close()
    anvil.ask("anvil_mine", "0x64")

    again = open_consortium(network, NET, clock, tmp_path, ExternalEngine(anvil.url))

    assert {node.projection.height for node in again.nodes.values()} == {anvil.height()}
    assert again.reconcile() == 0
    again.close()
