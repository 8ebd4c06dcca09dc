"""Made queues for gridlock resolution, from a seed: securities and cash, unlike accounts."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ledger.settlement.gridlock.queue_columns import NONE, QueueColumns

SEED: Final = 2_026
INSTRUMENTS: Final = 50
LOT: Final = 100
_Column = NDArray[np.int64]


def securities_and_cash(rows: int, accounts: int, share: float = 0.25) -> QueueColumns:
    """DvPs mostly, some payments and free deliveries; every fiftieth linked to the next.

    Accounts have about this share of what they would owe net if everything settled.
    """
    random = np.random.default_rng(SEED)
    sellers, buyers = _two_sides(random, rows, accounts)
    instruments = random.zipf(1.3, rows) % INSTRUMENTS
    quantities = random.integers(1, 100, rows) * LOT
    amounts = quantities * (500 + 37 * instruments) + random.integers(0, 100, rows)
    kind = random.integers(0, 10, rows)
    delivers, pays = kind != 0, kind != 1
    every = np.arange(rows)
    security = accounts * (1 + instruments)
    leg_row = np.concatenate([every[delivers], every[pays]])
    order = np.argsort(leg_row, kind="stable")
    link = np.full(rows, NONE)
    linked = every[: rows // 2] * 2 % 50 == 0
    link[::2][: len(linked)][linked] = every[: rows // 2][linked]
    link[1::2][linked] = every[: rows // 2][linked]
    return _with_balances(
        random,
        share,
        keys=accounts * (1 + INSTRUMENTS),
        leg_row=leg_row[order],
        leg_debtor=np.concatenate([(security + sellers)[delivers], buyers[pays]])[order],
        leg_creditor=np.concatenate([(security + buyers)[delivers], sellers[pays]])[order],
        leg_amount=np.concatenate([quantities[delivers], amounts[pays]])[order],
        link=link,
        value=np.where(pays, amounts, 0),
    )


def payments(rows: int, accounts: int, share: float = 0.25, barred: float = 0.001) -> QueueColumns:
    """Payments in one currency: what the published algorithms were written for."""
    random = np.random.default_rng(SEED)
    payers, payees = _two_sides(random, rows, accounts)
    amounts = random.integers(1, 1_000_000, rows)
    return _with_balances(
        random,
        share,
        keys=accounts,
        leg_row=np.arange(rows),
        leg_debtor=payers,
        leg_creditor=payees,
        leg_amount=amounts,
        barred=barred,
        link=np.full(rows, NONE),
        value=amounts,
    )


def chain(rows: int, accounts: int) -> QueueColumns:
    """Everybody pays the next in turn, what they receive; the very last lacks one unit.

    The longest cascade there is: one row falls after another, until none is left.
    """
    every = np.arange(rows)
    available = np.zeros(accounts, dtype=np.int64)
    amounts = np.full(rows, 100)
    amounts[-1] += 1
    return QueueColumns(
        leg_row=every,
        leg_debtor=every % accounts,
        leg_creditor=(every + 1) % accounts,
        leg_amount=amounts,
        available=available,
        link=np.full(rows, NONE),
        can_settle=np.ones(rows, dtype=np.bool_),
        value=amounts,
    )


def _two_sides(random: np.random.Generator, rows: int, accounts: int) -> tuple[_Column, _Column]:
    first = random.zipf(1.2, rows) % accounts
    return first, (first + random.integers(1, accounts, rows)) % accounts


def _with_balances(
    random: np.random.Generator, share: float, keys: int, barred: float = 0.001, **columns: _Column
) -> QueueColumns:
    net = np.zeros(keys, dtype=np.int64)
    np.add.at(net, columns["leg_debtor"], columns["leg_amount"])
    np.subtract.at(net, columns["leg_creditor"], columns["leg_amount"])
    available = (np.maximum(net, 0) * random.random(keys) * 2 * share).astype(np.int64)
    rows = len(columns["value"])
    return QueueColumns(available=available, can_settle=random.random(rows) >= barred, **columns)
