"""Made trades for a sandbox: the same seed makes the same ones. Nothing in them ever happened."""

from typing import Final

import numpy as np

from ledger.clearing.columns import TradeColumns
from ledger.domain.amounts import PRICE_SCALE, trade_amount
from ledger.domain.identifiers import encode_trade_number, owner_of
from ledger.domain.participants import Role
from nodes.network import Network

MADE_TRADES_MAX: Final = 99_999
SEED_MAX: Final = 9_999
"""Both stand in the numbers of the trades, which have eleven characters."""
_LOT: Final = 100
_CENT: Final = PRICE_SCALE // 100


def made_trades(network: Network, count: int, seed: int) -> TradeColumns:
    """So many trades between different accounts of brokers, numbered M<seed>-1 and on.

    Lots of 100 at prices from 5.00 to 100.00, on the network's business date.
    """
    chance = np.random.Generator(np.random.PCG64(seed))
    brokers = {each.id for each in network.of_role(Role.BROKER)}
    owned = [each for each in network.account_ids() if owner_of(each) in brokers]
    accounts = np.array([network.account_number(each) for each in owned], dtype=np.int64)
    sellers = chance.integers(0, len(accounts), count)
    steps = chance.integers(1, len(accounts), count)
    instruments = chance.integers(1, len(network.instruments) + 1, count)
    quantities = _LOT * chance.integers(1, 20, count)
    prices = _CENT * chance.integers(500, 10_000, count)
    names = [network.instrument(each).currency for each in instruments.tolist()]
    amounts = [
        trade_amount(quantity, price, currency)
        for quantity, price, currency in zip(
            quantities.tolist(), prices.tolist(), names, strict=True
        )
    ]
    numbers = [encode_trade_number(f"M{seed}-{row}") for row in range(1, count + 1)]
    zeros = np.zeros(count, dtype=np.int64)
    return TradeColumns(
        dates=np.full(count, network.business_date.toordinal(), dtype=np.int64),
        instruments=instruments,
        numbers=np.array(numbers, dtype=np.int64),
        sellers=accounts[sellers],
        buyers=accounts[(sellers + steps) % len(accounts)],
        quantities=quantities,
        prices=prices,
        currencies=np.array([network.currency_number(each) for each in names], dtype=np.int64),
        amounts=np.array(amounts, dtype=np.int64),
        times=zeros,
        cancels=zeros,
    )
