"""Sets of positions survive packing, and take little when they follow each other."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ledger.books.position_sets import pack_positions, set_of, unpack_positions

POSITIONS = st.lists(st.one_of(st.integers(0, 60), st.integers(0, 2**62)))


@given(POSITIONS)
def test_positions_survive_packing(positions):
    ascending = set_of(np.array(positions, dtype=np.int64))

    assert ascending.tolist() == sorted(set(positions))
    assert unpack_positions(pack_positions(ascending)).tolist() == ascending.tolist()


def test_consecutive_positions_take_a_few_bytes_and_scattered_ones_two_each():
    consecutive = np.arange(90_000_000, 91_000_000)
    scattered = np.flatnonzero(np.random.default_rng(0).random(100_000) < 0.5)

    assert len(pack_positions(consecutive)) < 16
    assert len(pack_positions(scattered)) < 2 * len(scattered)
