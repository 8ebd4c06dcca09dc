"""The commitment: every chunk proves itself, and nothing else does."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ledger.clearing.columns import TradeColumns, participants_of
from ledger.clearing.commitment import TRADES_PER_CHUNK_MAX, Commitment, is_included
from tests.support.trades import trade_columns, trade_row

KEY, CYCLE = b"k" * 32, b"c" * 32


def commitments():
    return (
        trade_columns(60).filter(len).map(lambda trades: (trades, Commitment(trades, KEY, CYCLE)))
    )


@given(commitments())
def test_every_chunk_is_included(built):
    trades, commitment = built

    for chunk in commitment.chunks:
        proof = commitment.proof(chunk.index)
        assert is_included(
            CYCLE, commitment.root, chunk.index, chunk.salt, trades.take(chunk.rows), proof
        )


@given(commitments())
def test_every_trade_is_in_exactly_one_chunk_of_its_pair(built):
    trades, commitment = built

    rows = np.concatenate([chunk.rows for chunk in commitment.chunks])
    assert sorted(rows.tolist()) == list(range(len(trades)))
    for chunk in commitment.chunks:
        assert len(chunk.rows) <= TRADES_PER_CHUNK_MAX
        own = trades.take(chunk.rows)
        pairs = {
            tuple(sorted(pair))
            for pair in zip(
                participants_of(own.sellers).tolist(),
                participants_of(own.buyers).tolist(),
                strict=True,
            )
        }
        assert pairs == {chunk.parties}


@given(commitments(), st.data())
def test_changed_trade_index_salt_count_or_root_is_not_included(built, data):
    trades, commitment = built
    chunk = data.draw(st.sampled_from(commitment.chunks))
    own, proof = trades.take(chunk.rows), commitment.proof(chunk.index)
    changed = replace(own, quantities=own.quantities + 1)

    assert not is_included(CYCLE, commitment.root, chunk.index, chunk.salt, changed, proof)
    assert not is_included(CYCLE, commitment.root, chunk.index + 1, chunk.salt, own, proof)
    assert not is_included(CYCLE, commitment.root, chunk.index, b"x" * 32, own, proof)
    assert not is_included(b"d" * 32, commitment.root, chunk.index, chunk.salt, own, proof)
    assert not is_included(CYCLE, b"r" * 32, chunk.index, chunk.salt, own, proof)
    for lie in (
        replace(proof, trade_count=proof.trade_count + 1),
        replace(proof, leaf_count=proof.leaf_count + 1),
        replace(proof, siblings=(*proof.siblings, b"s" * 32)),
    ):
        assert not is_included(CYCLE, commitment.root, chunk.index, chunk.salt, own, lie)


def test_pair_with_many_trades_has_several_chunks():
    trades = TradeColumns.of_rows([trade_row(i, 256, 512, 1, 1) for i in range(130)])

    sizes = [len(chunk.rows) for chunk in Commitment(trades, KEY, CYCLE).chunks]

    assert sizes == [64, 64, 2]


def test_salts_differ_between_chunks_and_cycles():
    trades = TradeColumns.of_rows([trade_row(i, 256, 512, 1, 1) for i in range(65)])

    first = [chunk.salt for chunk in Commitment(trades, KEY, CYCLE).chunks]
    second = [chunk.salt for chunk in Commitment(trades, KEY, b"d" * 32).chunks]

    assert len({*first, *second}) == 4


@given(commitments())
def test_salt_of_a_chunk_says_nothing_of_another_chunk_at_its_place(built):
    trades, commitment = built
    others = Commitment(replace(trades, prices=trades.prices + 1), KEY, CYCLE)

    salts = {chunk.salt for chunk in commitment.chunks}
    assert not salts & {chunk.salt for chunk in others.chunks}
    assert [c.salt for c in Commitment(trades, KEY, CYCLE).chunks] == [
        c.salt for c in commitment.chunks
    ]
