"""The commitment: every chunk proves itself, and nothing else does."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ledger.clearing.chunks import TRADES_PER_CHUNK_MAX
from ledger.clearing.columns import TradeColumns, participants_of
from ledger.clearing.commitment import Commitment, climb, cut_salt_key, leaf_hash, root_hash
from tests.support.trades import trade_columns, trade_row

KEY, CYCLE = b"k" * 32, b"c" * 32


def commitments():
    return (
        trade_columns(60).filter(len).map(lambda trades: (trades, Commitment(trades, KEY, CYCLE)))
    )


@given(commitments())
def test_every_chunk_is_included(built):
    _, commitment = built

    for index in range(len(commitment.chunks)):
        assert commitment.show(np.array([index])).are_under(CYCLE, commitment.root)


@given(commitments(), st.data())
def test_any_chunks_together_have_one_proof_that_shows_exactly_their_trades(built, data):
    trades, commitment = built
    every = range(len(commitment.chunks))
    indices = data.draw(st.sets(st.sampled_from(every), min_size=1).map(sorted))

    shown = commitment.show(np.array(indices))

    assert shown.are_under(CYCLE, commitment.root)
    rows = commitment.chunks.rows(np.array(indices))
    ours, theirs = trades.take(rows).columns(), shown.trades().columns()
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


@given(commitments())
def test_every_trade_is_in_exactly_one_chunk_of_its_pair(built):
    trades, commitment = built
    chunks = commitment.chunks

    assert sorted(chunks.order.tolist()) == list(range(len(trades)))
    for index in range(len(chunks)):
        rows = chunks.rows(np.array([index]))
        assert 0 < len(rows) <= TRADES_PER_CHUNK_MAX
        assert rows.tolist() == sorted(rows.tolist())
        own = trades.take(rows)
        pairs = {
            tuple(sorted(pair))
            for pair in zip(
                participants_of(own.sellers).tolist(),
                participants_of(own.buyers).tolist(),
                strict=True,
            )
        }
        assert pairs == {(chunks.low[index], chunks.high[index])}


@given(commitments())
def test_party_is_shown_all_its_trades_and_nobody_elses(built):
    trades, commitment = built
    sellers, buyers = participants_of(trades.sellers), participants_of(trades.buyers)

    for party in {*sellers.tolist(), *buyers.tolist()}:
        shown = commitment.show_party(party)
        assert shown.are_under(CYCLE, commitment.root)
        own = trades.numbers[(sellers == party) | (buyers == party)]
        assert sorted(shown.trades().numbers.tolist()) == sorted(own.tolist())


@given(commitments(), st.data())
def test_changed_chunks_are_not_included(built, data):
    _, commitment = built
    every = range(len(commitment.chunks))
    indices = data.draw(st.sets(st.sampled_from(every), min_size=1).map(sorted))
    shown = commitment.show(np.array(indices))
    proof, place = shown.proof, data.draw(st.integers(0, len(indices) - 1))
    record, column = data.draw(
        st.tuples(st.integers(0, len(shown.records) - 1), st.integers(0, 10))
    )
    changed = shown.records.copy()
    changed[record, column] += 1
    later, fewer = shown.indices.copy(), shown.counts.copy()
    later[place:] += 1
    fewer[place] -= 1
    lies = [
        replace(shown, records=changed),
        replace(shown, indices=later),
        replace(shown, counts=fewer),
        replace(shown, salts=b"x" * len(shown.salts)),
        replace(shown, salts=shown.salts[:-1]),
        replace(shown, indices=np.repeat(shown.indices, 2), counts=np.repeat(shown.counts, 2)),
        replace(shown, proof=replace(proof, trade_count=proof.trade_count + 1)),
        replace(shown, proof=replace(proof, leaf_count=proof.leaf_count + 1)),
        replace(shown, proof=replace(proof, siblings=(*proof.siblings, b"s" * 32))),
        replace(
            shown, proof=replace(proof, siblings=proof.siblings[:-1] if proof.siblings else (b"s",))
        ),
    ]

    assert not any(lie.are_under(CYCLE, commitment.root) for lie in lies)
    assert not shown.are_under(b"d" * 32, commitment.root)
    assert not shown.are_under(CYCLE, b"r" * 32)


def test_nothing_shown_proves_nothing():
    trades = TradeColumns.of_rows([trade_row(1, 256, 512, 1, 1)])
    commitment = Commitment(trades, KEY, CYCLE)

    assert not commitment.show(np.zeros(0, dtype=np.int64)).are_under(CYCLE, commitment.root)


def test_pair_with_many_trades_has_several_chunks():
    trades = TradeColumns.of_rows([trade_row(i, 256, 512, 1, 1) for i in range(130)])

    assert np.diff(Commitment(trades, KEY, CYCLE).chunks.bounds).tolist() == [64, 64, 2]


def test_salts_differ_between_chunks_cycles_and_cuts():
    trades = TradeColumns.of_rows([trade_row(i, 256, 512, 1, 1) for i in range(65)])
    keys = [cut_salt_key(KEY, cycle, cut) for cycle in (CYCLE, b"d" * 32) for cut in (b"1", b"2")]

    shown = [Commitment(trades, key, CYCLE).show_party(1).salts for key in keys]
    shown.append(Commitment(trades, keys[0], b"d" * 32).show_party(1).salts)

    assert len({salts[i : i + 32] for salts in shown for i in (0, 32)}) == 10


@given(commitments(), st.data())
def test_way_up_from_a_chunk_ends_under_the_root(built, data):
    _, commitment = built
    index = data.draw(st.integers(0, len(commitment.chunks) - 1))
    shown = commitment.show(np.array([index]))
    leaf = leaf_hash(index, shown.salts, shown.records)

    steps = climb(index, leaf, shown.proof)

    top = steps[-1].node if steps else leaf
    assert root_hash(CYCLE, shown.proof, top) == commitment.root
    assert tuple(each.sibling for each in steps if each.sibling) == shown.proof.siblings
