"""Every party has its own trades, each once and in order."""

from hypothesis import given

from ledger.clearing.columns import participants_of
from nodes.trades_by_party import TradesByParty
from tests.support.trades import trade_columns


@given(trade_columns())
def test_parties_have_their_own_trades_once_and_in_order(trades):
    sellers = participants_of(trades.sellers).tolist()
    buyers = participants_of(trades.buyers).tolist()

    found = {own.party: own for own in TradesByParty(trades)}

    assert sorted(found) == sorted({*sellers, *buyers})
    for party, own in found.items():
        rows = [i for i in range(len(trades)) if party in (sellers[i], buyers[i])]
        assert own.rows.tolist() == rows
        for name, column in own.trades.columns().items():
            assert column.tolist() == getattr(trades, name)[rows].tolist()
