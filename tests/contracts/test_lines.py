"""Packing lines for the contracts and reading them back."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from contracts.abi import Array, uint
from contracts.lines import ACCOUNT_BITS, Lines, line_key
from ledger.domain import accounts

AMOUNTS = st.integers(-(2**63) + 1, 2**63 - 1).filter(bool)
KEYS = st.integers(1, 2**63 - 1)


@given(st.dictionaries(KEYS, AMOUNTS, max_size=20))
def test_unpacking_gives_what_was_packed(amount_by_key):
    keys = np.array(sorted(amount_by_key), dtype=np.int64)
    lines = Lines(keys, np.array([amount_by_key[key] for key in keys.tolist()], dtype=np.int64))

    packed = lines.pack()
    unpacked = Lines.unpack(packed.words)

    assert packed.count == len(amount_by_key)
    assert unpacked.keys.tolist() == lines.keys.tolist()
    assert unpacked.amounts.tolist() == lines.amounts.tolist()


def test_line_is_asset_account_flag_and_amount_from_the_high_end():
    lines = Lines(np.array([7 << 32 | 258]), np.array([-5]))

    assert lines.pack() == Array(uint(7 << 96 | 258 << 64 | 1 << 63 | 5), 1)


def test_contracts_and_clearing_number_accounts_alike():
    assert ACCOUNT_BITS == accounts.ACCOUNT_BITS
    assert line_key(7, 258) == accounts.holding_key(7, accounts.account_number(1, 2))
