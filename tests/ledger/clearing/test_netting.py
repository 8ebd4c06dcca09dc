"""Invariant 2: netting is zero-sum per asset, independent of order, and what the model says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.clearing.columns import TradeColumns, assets_of
from ledger.clearing.netting import fits_one_cycle, net, trades_that_fit
from ledger.model import clearing as model
from tests.support.trades import model_trades, trade_columns, trade_row


def as_model(result):
    lines = {}
    for name, part in (("securities", result.securities), ("cash", result.cash)):
        for key, amount in zip(part.keys.tolist(), part.amounts.tolist(), strict=True):
            lines[name, key >> 32, key & 0xFFFFFFFF] = amount
    return lines


@given(trade_columns())
def test_net_lines_are_those_of_the_model(trades):
    assert as_model(net(trades)) == model.net(model_trades(trades))


@given(trade_columns())
def test_net_lines_add_up_to_zero_for_each_asset(trades):
    result = net(trades)

    for lines in (result.securities, result.cash):
        for asset in set(assets_of(lines.keys).tolist()):
            assert lines.amounts[assets_of(lines.keys) == asset].sum() == 0


@given(trade_columns(), st.randoms(use_true_random=False))
def test_order_of_trades_does_not_matter(trades, chance):
    order = list(range(len(trades)))
    chance.shuffle(order)

    assert as_model(net(trades.take(np.array(order, dtype=np.int64)))) == as_model(net(trades))


@given(trade_columns())
def test_lines_are_in_order_and_none_is_zero(trades):
    result = net(trades)

    for lines in (result.securities, result.cash):
        assert (np.diff(lines.keys) > 0).all()
        assert (lines.amounts != 0).all()


def test_cancellation_is_the_opposite_trade():
    trades = TradeColumns.of_rows(
        [trade_row(1, 256, 512, 10, 100), trade_row(1, 256, 512, 10, 100, cancels=1)]
    )

    assert as_model(net(trades)) == {}


def test_house_and_client_do_not_net_together():
    trades = TradeColumns.of_rows(
        [trade_row(1, 256, 512, 10, 100), trade_row(2, 512, 257, 10, 100)]
    )

    assert as_model(net(trades)) == {
        ("securities", 1, 256): -10,
        ("securities", 1, 257): 10,
        ("cash", 1, 256): 100,
        ("cash", 1, 257): -100,
    }


def test_sums_that_could_leave_63_bits_are_refused():
    many = TradeColumns.of_rows([trade_row(i, 256, 512, 1, 10**15) for i in range(4_612)])

    assert fits_one_cycle(many.take(slice(0, 4_000)))
    assert not fits_one_cycle(many)
    fits = trades_that_fit(many)
    assert fits_one_cycle(many.take(slice(0, fits)))
    assert not fits_one_cycle(many.take(slice(0, fits + 1)))
    with pytest.raises(OverflowError):
        net(many)
