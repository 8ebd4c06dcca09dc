"""Liquidity at a glance: the cash that each settlement bank keeps for its customers."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from api.access.visible import sees_holding
from api.web.charts import share
from ledger.books.postings import Register
from ledger.clearing.columns import accounts_of, assets_of, participants_of
from ledger.domain.amounts import format_amount, grouped
from ledger.domain.key_holders import KeyHolder
from nodes.consortium import Consortium

ROWS_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class BankCash:
    """What the customers of a bank have, as far as a holder sees it: decimal text."""

    bank: str
    currency: str
    customers: int
    available: str
    held: str
    held_percent: int


def bank_cash_of(consortium: Consortium, holder: KeyHolder) -> list[BankCash]:
    """By bank and currency, in the order of the network."""
    network, banks = consortium.network, consortium.network.banks()
    place_by_bank = {bank: place for place, bank in enumerate(banks)}
    bank_of = np.full(len(network.participants) + 1, -1, dtype=np.int64)
    customers = [0] * len(banks)
    for number, each in enumerate(network.participants, start=1):
        bank = each.settlement_bank
        if bank is not None and sees_holding(network, holder, each.id, Register.CASH):
            bank_of[number] = place_by_bank[bank]
            customers[place_by_bank[bank]] += 1
    sums = _sums(consortium, bank_of, len(banks))
    return [
        _row(bank, currency, customers[place], *sums[:, place, number].tolist())
        for place, bank in enumerate(banks)
        for number, currency in enumerate(network.currencies)
        if customers[place] and (number == 0 or sums[:, place, number].any())
    ]


def _sums(consortium: Consortium, bank_of: np.ndarray, banks: int) -> np.ndarray:
    """Available and held, by bank and currency."""
    columns = consortium.clearing_house.projection.columns(Register.CASH)
    keys = columns.keys.column
    places = bank_of[participants_of(accounts_of(keys))]
    seen, currencies = places >= 0, len(consortium.network.currencies)
    sums = np.zeros((2, banks, currencies), dtype=np.int64)
    cells = places[seen], assets_of(keys[seen]) - 1
    for amounts, into in zip(columns.values, sums, strict=True):
        np.add.at(into, cells, amounts[seen])
    return sums


def _row(bank: str, currency: str, customers: int, available: int, held: int) -> BankCash:
    return BankCash(
        bank=bank,
        currency=currency,
        customers=customers,
        available=grouped(format_amount(available, currency)),
        held=grouped(format_amount(held, currency)),
        held_percent=share(held, available + held),
    )
