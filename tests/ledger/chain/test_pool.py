"""The pool: order by nonce and by lane, and what waits."""

import random
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.chain.pool import NONCE_GAP_MAX, Pool, Quotas, Volume
from ledger.chain.transactions import InvalidTransactionError, decode_transaction
from nodes.keys import Key
from tests.support.counters import count_raw, deploy_counters
from tests.support.replicas import open_replicated
from tests.support.twins import CHAIN_ID, GAS, new_chain

KEYS = [Key.of_seed("pool", str(i)) for i in range(3)]
DECODED = [
    [decode_transaction(count_raw(key, nonce, bytes(20), nonce)) for nonce in range(10)]
    for key in KEYS[:2]
]


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


def decoded(key, nonce, size=0):
    signed = key.sign_transaction(
        chain_id=CHAIN_ID, nonce=nonce, to=bytes(20), data=bytes(size), gas=GAS
    )
    return decode_transaction(signed)


def small_pool(priority=frozenset()):
    """Twenty transactions, of which fifteen of the ordinary lane; ten a sender; three queued."""
    quotas = Quotas(
        all=Volume(20, 20_000),
        ordinary=Volume(15, 15_000),
        queued=Volume(5, 8_000),
        sender=Volume(10, 20_000),
        sender_queued=Volume(3, 3_000),
    )
    return Pool(lambda _: 0, priority, quotas)


def taken(pool, transactions):
    count = 0
    for transaction in transactions:
        try:
            pool.add(transaction)
        except InvalidTransactionError as error:
            assert "the pool is full" in str(error)  # noqa: PT017 # some are taken
        else:
            count += 1
    return count


def test_sender_queues_no_more_than_its_quota_and_what_is_ready_has_room():
    pool = small_pool()

    assert taken(pool, [decoded(KEYS[0], nonce) for nonce in range(2, 9)]) == 3
    assert taken(pool, [decoded(KEYS[1], nonce) for nonce in range(2, 9)]) == 2, "five in all"
    assert pool.queued_count == 5
    assert taken(pool, [decoded(KEYS[0], 0), decoded(KEYS[0], 1)]) == 2
    assert pool.queued_count == 2, "the missing nonces came: what was queued is ready"
    assert pool.next_nonce(KEYS[0].address) == 5


def test_sender_has_a_quota_of_ready_transactions():
    assert taken(small_pool(), [decoded(KEYS[0], nonce) for nonce in range(12)]) == 10


def test_last_part_of_the_pool_is_for_the_priority_lane():
    pool = small_pool(priority=frozenset({KEYS[2].address}))

    ordinary = [decoded(key, nonce) for key in KEYS[:2] for nonce in range(10)]
    assert taken(pool, ordinary) == 15
    assert taken(pool, [decoded(KEYS[2], nonce) for nonce in range(10)]) == 5
    assert len(pool) == 20


def test_bytes_are_bounded_in_all_of_the_ordinary_lane_and_of_what_is_queued():
    pool = small_pool(priority=frozenset({KEYS[2].address}))

    assert taken(pool, [decoded(KEYS[0], nonce, size=2_000) for nonce in (1, 2)]) == 1
    assert taken(pool, [decoded(KEYS[1], nonce, size=6_000) for nonce in range(3)]) == 2
    assert taken(pool, [decoded(KEYS[2], nonce, size=5_000) for nonce in range(3)]) == 1


def test_transaction_that_can_never_be_sealed_leaves_those_behind_it_queued():
    pool = small_pool()
    transactions = [decoded(KEYS[0], nonce) for nonce in range(5)]
    taken(pool, transactions)

    pool.remove(transactions[1:2])

    assert pool.queued_count == 3
    assert pool.next_nonce(KEYS[0].address) == 1
    assert taken(pool, [decoded(KEYS[0], 1)]) == 1
    assert pool.queued_count == 0


def test_what_was_acknowledged_is_taken_back_beyond_every_quota():
    pool = small_pool()
    for nonce in reversed(range(30)):
        pool.restore(decoded(KEYS[0], nonce))

    assert len(pool) == 30
    assert pool.queued_count == 0


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9), st.sampled_from("add remove seal")))
)
def test_counts_are_those_of_what_is_in_the_pool(steps):
    nonces = dict.fromkeys((key.address for key in KEYS), 0)
    quotas = Quotas(sender_queued=Volume(3, 10_000))
    pool = Pool(nonces.__getitem__, frozenset(), quotas)
    for who, nonce, step in steps:
        if step == "add":
            with suppress(InvalidTransactionError):
                pool.add(DECODED[who][nonce])
        elif step == "seal":
            batch = pool.next_block()
            for each in batch:
                nonces[each.sender] = each.nonce + 1
            pool.remove(batch)
        else:
            pool.remove([DECODED[who][nonce]])

    pending = [each for own in DECODED for each in own if pool.get(each.hash)]
    assert len(pool) == len(pending)
    ready = 0
    for own in DECODED:
        following = nonces[own[0].sender]
        while following < len(own) and pool.get(own[following].hash):
            following += 1
        assert pool.next_nonce(own[0].sender) == following
        ready += following - nonces[own[0].sender]
    assert pool.queued_count == len(pending) - ready


def test_chain_opens_with_whatever_waited(tmp_path, monkeypatch):
    path = tmp_path / "chain.sqlite"
    chain = new_chain(path=path)
    for nonce in range(1, 6):
        chain.submit(count_raw(KEYS[0], nonce, bytes(20), nonce))
    chain.close()
    monkeypatch.setattr("ledger.chain.pool.DEFAULT_QUOTAS.sender_queued.count", 3)

    again = new_chain(path=path)

    assert again.pending_count == 5
    again.close()


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
