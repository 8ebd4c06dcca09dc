"""Inclusion on the chain: the contract and the verifier off the chain say the same."""

from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.clearing.chunks import records_of
from ledger.clearing.columns import TradeColumns
from ledger.clearing.commitment import Commitment, Proof, ShownChunks, leaf_hash, root_hash
from ledger.clearing.proof import prove, verify
from ledger.model.settlement import ModelCycle
from tests.support.proofs import KEY
from tests.support.trades import trade_columns, trade_row
from tests.support.twins import START, Twins, ref


@pytest.fixture(scope="module")
def world():
    twins, numbers = Twins(), count()
    twins.issue(twins.registrar, ref("s"), [(1, twins.brokers[0].house, 10**6)], is_cash=False)

    def settle(trades):
        """Settles a cycle that commits to these trades; its lines are beside the point."""
        id = ref(f"cycle {next(numbers)}")
        commitment = Commitment(trades, KEY, id)
        seller, buyer = (broker.number for broker in twins.brokers[:2])
        lines = [(1, seller << 8, -1), (1, buyer << 8, 1)]
        parties = [seller, buyer]
        deadline = START + 10**6
        cycle = ModelCycle(
            id, commitment.root, len(trades), 1, deadline, parties, lines, [], parties
        )
        assert twins.settle_cycle(twins.house, cycle) == ""
        return id, commitment

    return twins.contracts.inclusion, settle


@pytest.fixture
def twins():
    return Twins()


def sent(twins, *proof):
    """What becomes of the question when it is asked by a transaction."""
    inclusion = twins.contracts.inclusion
    return twins.sender(twins.house).send(inclusion.address, inclusion.included_data(*proof))


def on_chain(inclusion, proof):
    return inclusion.included(
        proof.cycle_id,
        proof.index,
        proof.path.leaf_count,
        proof.salt,
        records_of(proof.trades).tobytes(),
        proof.path.siblings,
    )


@settings(max_examples=25, deadline=None)
@given(trade_columns(60).filter(len), st.data())
def test_contract_and_verifier_agree_on_true_and_changed_proofs(world, trades, data):
    inclusion, settle = world
    id, commitment = settle(trades)
    proof = prove(commitment, id, data.draw(st.integers(0, len(trades) - 1)))
    siblings = proof.path.siblings
    small = st.integers(0, 70)

    assert on_chain(inclusion, proof)
    assert verify(proof) == ""
    for lie in (
        replace(proof, index=data.draw(small)),
        replace(proof, path=replace(proof.path, leaf_count=data.draw(small))),
        replace(proof, path=replace(proof.path, leaf_count=2**32 + data.draw(small))),
        replace(proof, path=replace(proof.path, siblings=(*siblings, bytes(32)))),
        replace(proof, path=replace(proof.path, siblings=siblings[:-1])),
        replace(proof, path=replace(proof.path, siblings=siblings[::-1])),
        replace(proof, salt=data.draw(st.binary(min_size=32, max_size=32))),
        replace(proof, trades=proof.trades.take(slice(0, -1))),
        replace(
            proof, trades=TradeColumns.concatenate([proof.trades, proof.trades]).take(slice(0, 64))
        ),
        replace(proof, trades=replace(proof.trades, prices=proof.trades.prices + 1)),
    ):
        shown = ShownChunks.of_one(lie.index, lie.salt, lie.trades, lie.path)
        assert on_chain(inclusion, lie) == shown.are_under(lie.cycle_id, lie.root)


def test_proof_of_one_cycle_is_not_included_in_another(world):
    inclusion, settle = world
    trades = TradeColumns.of_rows([trade_row(1, 256, 512, 1, 1)])
    (first, commitment), (second, _) = settle(trades), settle(trades)
    proof = prove(commitment, first, 0)

    assert on_chain(inclusion, proof)
    assert not on_chain(inclusion, replace(proof, cycle_id=second))


def test_more_records_than_a_chunk_holds_are_refused(twins):
    receipt = sent(twins, ref("never"), 0, 1, bytes(32), bytes(88 * 65), [])

    assert not receipt.succeeded
    assert receipt.output == b""


def test_records_that_are_not_whole_are_not_included(world):
    inclusion, settle = world
    trades = TradeColumns.of_rows([trade_row(1, 256, 512, 1, 1)])
    id, commitment = settle(trades)
    records = records_of(trades).tobytes()
    salt = commitment.show_party(1).salts

    assert inclusion.included(id, 0, 1, salt, records, [])
    for other in (records[:-1], records + b"\0", b""):
        assert not inclusion.included(id, 0, 1, salt, other, [])


def test_hash_of_an_inner_node_is_no_chunk(world):
    _, settle = world
    trades = TradeColumns.of_rows([trade_row(i, 256, 256 * (2 + i), 1, 1) for i in range(2)])
    id, commitment = settle(trades)
    first = commitment.show(np.array([0]))
    leaf = leaf_hash(0, first.salts, first.records)
    alone = Proof(1, 2, ())

    assert root_hash(id, alone, leaf) != commitment.root
    shown = ShownChunks.of_one(0, first.salts, trades, alone)
    assert not shown.are_under(id, commitment.root)
