"""Trimming: what leaves is what the rule says, and the rest is covered."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ledger.clearing.columns import TradeColumns
from ledger.clearing.trimming import Available, trim
from ledger.domain.reasons import Reason
from ledger.model import clearing as model
from tests.support.trades import ACCOUNTS, model_trades, trade_columns, trade_row

BALANCES = st.dictionaries(
    st.tuples(st.sampled_from(["securities", "cash"]), st.integers(1, 3), ACCOUNTS),
    st.integers(0, 600),
    max_size=30,
)


def available_of(balances):
    def look_up(register):
        return lambda keys: np.array(
            [balances.get((register, k >> 32, k & 0xFFFFFFFF), 0) for k in keys.tolist()],
            dtype=np.int64,
        )

    return Available(look_up("securities"), look_up("cash"))


@given(trade_columns(), BALANCES)
def test_the_trades_that_leave_are_those_of_the_model(trades, balances):
    trimmed = trim(trades, available_of(balances))

    assert list(trimmed.reason_by_row.items()) == model.trim(model_trades(trades), balances)


@given(trade_columns(), BALANCES)
def test_nobody_who_stays_is_short(trades, balances):
    trimmed = trim(trades, available_of(balances))

    for name, lines in (("securities", trimmed.result.securities), ("cash", trimmed.result.cash)):
        covered = available_of(balances)
        held = getattr(covered, name)(lines.keys)
        assert (lines.amounts + held >= 0).all()


@given(trade_columns(), BALANCES)
def test_what_stays_needs_no_trimming(trades, balances):
    trimmed = trim(trades, available_of(balances))

    assert trim(trades.take(trimmed.stays), available_of(balances)).stays.all()


def test_one_missing_share_costs_one_trade_of_many():
    chain = [trade_row(i, (i % 3 + 1) << 8, ((i + 1) % 3 + 1) << 8, 1, 0) for i in range(3_000)]
    short = trade_row(3_000, 4 << 8, 1 << 8, 1, 0)

    trimmed = trim(TradeColumns.of_rows([*chain, short]), available_of({}))

    assert trimmed.reason_by_row == {3_000: Reason.LACK}


def test_balance_near_the_cap_is_covered_and_can_be_credited():
    most = 2**63 - 1
    trades = TradeColumns.of_rows(
        [trade_row(i, 1 << 8, 2 << 8, 10**15, 0) for i in range(4_000)]
        + [trade_row(9_000, 3 << 8, 2 << 8, 1, 0)]
    )
    balances = {("securities", 1, 1 << 8): 4 * 10**18, ("securities", 1, 2 << 8): most - 4 * 10**18}

    assert trim(trades, available_of(balances)).reason_by_row == {4_000: Reason.LACK}
    assert trim(trades.take(slice(0, 4_000)), available_of(balances)).stays.all()
