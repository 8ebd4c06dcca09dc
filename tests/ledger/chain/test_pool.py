"""The pool: order by nonce and by lane, and what waits."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.chain.pool import NONCE_GAP_MAX
from ledger.chain.transactions import InvalidTransactionError
from nodes.keys import Key
from tests.support.counters import count_raw, deploy_counters
from tests.support.replicas import open_replicated
from tests.support.twins import new_chain

KEYS = [Key.of_seed("pool", str(i)) for i in range(3)]


def test_transactions_of_one_sender_are_sealed_in_order_of_nonces_however_they_come():
    chain = new_chain()
    raws = [count_raw(KEYS[0], nonce, bytes(20), nonce) for nonce in range(6)]

    for nonce in (3, 1, 5, 2, 4):
        digest = chain.submit(raws[nonce])
        assert chain.pending(digest)
        assert chain.head.number == 0
    chain.submit(raws[0])

    assert [t.transaction.nonce for t in chain.store.transactions_of(1)] == list(range(6))
    assert chain.pending_count == 0


@given(st.randoms(use_true_random=False), st.integers(1, 40))
def test_any_order_of_arrival_ends_with_every_transaction_sealed_once(chance: random.Random, count):
    chain = new_chain()
    raws = [count_raw(KEYS[i % 3], i // 3, bytes(20), i) for i in range(count)]
    chance.shuffle(raws)
    hashes = []
    while raws:
        size = chance.randint(1, 7)
        hashes += chain.submit_all(raws[:size])
        del raws[:size]

    sealed = [
        included
        for number in range(1, chain.head.number + 1)
        for included in chain.store.transactions_of(number)
    ]
    assert sorted(i.transaction.hash for i in sealed) == sorted(hashes)
    for key in KEYS:
        own = [i.transaction.nonce for i in sealed if i.transaction.sender == key.address]
        assert own == list(range(len(own)))


def test_priority_lane_is_sealed_before_everybody_else():
    chain, links = open_replicated(2, priority_senders=frozenset({KEYS[2].address}))
    deploy_counters(chain, KEYS[0])
    for link in links:
        link.is_cut = True
    deploy_counters(chain, KEYS[0])
    for key, nonce in ((KEYS[0], 2), (KEYS[1], 0), (KEYS[2], 0), (KEYS[2], 1)):
        chain.submit(count_raw(key, nonce, bytes(20), 0))
    for link in links:
        link.is_cut = False
    chain.advance()

    senders = [i.transaction.sender for i in chain.store.transactions_of(3)]
    assert senders == [KEYS[i].address for i in (2, 2, 0, 1)]
    chain.close()


def test_nonce_of_a_pending_transaction_is_taken():
    chain = new_chain()
    first = chain.submit(count_raw(KEYS[0], 1, bytes(20), 1))

    with pytest.raises(InvalidTransactionError, match="taken by another pending transaction"):
        chain.submit(count_raw(KEYS[0], 1, bytes(20), 2))

    assert chain.submit(count_raw(KEYS[0], 1, bytes(20), 1)) == first
    assert chain.pending_nonce_of(KEYS[0].address) == 0, "nonce 0 is still missing"


def test_nonce_far_ahead_is_refused():
    with pytest.raises(InvalidTransactionError, match="nonce too high"):
        new_chain().submit(count_raw(KEYS[0], NONCE_GAP_MAX, bytes(20), 1))


def test_only_known_senders_may_send():
    chain = new_chain(senders=frozenset({KEYS[0].address}))
    chain.submit(count_raw(KEYS[0], 0, bytes(20), 1))

    with pytest.raises(InvalidTransactionError, match="unknown sender 0x"):
        chain.submit(count_raw(KEYS[1], 0, bytes(20), 1))


def test_waiting_transactions_survive_a_restart(tmp_path):
    path = tmp_path / "chain.sqlite"
    chain = new_chain(path=path)
    waits = chain.submit(count_raw(KEYS[0], 1, bytes(20), 1))
    chain.close()

    again = new_chain(path=path)
    assert again.pending(waits)
    again.submit(count_raw(KEYS[0], 0, bytes(20), 0))

    assert again.store.place_of(waits) == (1, 1)
    assert again.store.waiting() == []
    again.close()
