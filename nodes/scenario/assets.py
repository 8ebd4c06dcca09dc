"""Accounts, assets and amounts as scenario files write them."""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Final, TypeVar

from ledger.domain.amounts import (
    MINOR_DIGITS_BY_CURRENCY,
    parse_amount,
    parse_price,
    parse_quantity,
)
from ledger.domain.errors import MalformedError
from ledger.domain.identifiers import isin_of_name, owner_of, parse_account
from ledger.domain.participants import Instrument
from nodes.scenario.document import Value

DEFAULT_CURRENCY: Final = "CNY"
CURRENCIES: Final = tuple(MINOR_DIGITS_BY_CURRENCY)

Position = tuple[str, str]
"""Account and asset (a currency or an ISIN)."""

T = TypeVar("T")


def checked(value: Value, parse: Callable[[str], T]) -> T:
    """The value as ``parse`` reads it; its complaint names the line."""
    try:
        return parse(value.text())
    except MalformedError as error:
        value.fail(error.expected, str(error.found))


class Assets:
    """The instruments and participants of a story, and how amounts and accounts are read."""

    def __init__(
        self, instruments: Mapping[str, Instrument], participants: Collection[str] = ()
    ) -> None:
        self._by_symbol = instruments
        self._participants = participants

    def account(self, value: Value) -> str:
        """``BRK-A`` or ``BRK-A/client``."""
        return checked(value, parse_account)

    def isin(self, value: Value) -> str:
        """The ISIN of an instrument's name; of one that the story does not have, too."""
        return checked(value, isin_of_name)

    def currency_of(self, isin: str) -> str:
        """The currency that an instrument trades in."""
        for instrument in self._by_symbol.values():
            if instrument.isin == isin:
                return instrument.currency
        return DEFAULT_CURRENCY

    def currency(self, value: Value) -> str:
        """A currency code."""
        return value.choice(CURRENCIES)

    def money(self, value: Value, currency: str) -> int:
        """Minor units of a decimal text."""
        value.decimal()
        return checked(value, lambda text: parse_amount(text, currency))

    def signed_money(self, value: Value, currency: str) -> int:
        """Minor units of a decimal text that may be below zero."""
        text = value.decimal()
        sign = -1 if text.startswith("-") else 1
        return sign * checked(value, lambda text: parse_amount(text.removeprefix("-"), currency))

    def quantity(self, value: Value) -> int:
        """A whole number of units above zero."""
        return checked(value, parse_quantity)

    def units(self, value: Value) -> int:
        """A whole number of units, zero included."""
        return value.whole_number()

    def signed_units(self, value: Value) -> int:
        """A whole number of units that may be below zero."""
        text = value.text()
        if not re.fullmatch(r"-?[0-9]{1,16}", text, re.ASCII):
            value.fail("a whole number", text)
        return int(text)

    def price(self, value: Value) -> int:
        """Millionths of the currency unit."""
        value.decimal()
        return checked(value, parse_price)

    def cash_positions(
        self, value: Value, money: Callable[[Value, str], int]
    ) -> dict[Position, int]:
        """``{ACCOUNT: {CURRENCY: amount}}`` or ``{ACCOUNT: amount}`` in the default currency."""
        positions: dict[Position, int] = {}
        for name, held in value.pairs():
            account = self._named(name, held)
            if not held.is_mapping():
                positions[account, DEFAULT_CURRENCY] = money(held, DEFAULT_CURRENCY)
                continue
            for currency, amount in held.pairs():
                if currency not in CURRENCIES:
                    amount.fail("a currency code", currency)
                positions[account, currency] = money(amount, currency)
        return positions

    def securities_positions(
        self, value: Value, units: Callable[[Value], int]
    ) -> dict[Position, int]:
        """``{ACCOUNT: {ISIN: quantity}}``."""
        positions: dict[Position, int] = {}
        for name, held in value.pairs():
            account = self._named(name, held)
            for symbol, amount in held.pairs():
                positions[account, self._isin_named(symbol, amount)] = units(amount)
        return positions

    def mixed_positions(self, value: Value) -> dict[Position, int]:
        """``{ACCOUNT: {ASSET: amount}}`` of currencies and instruments together."""
        positions: dict[Position, int] = {}
        for name, held in value.pairs():
            account = self._named(name, held)
            for asset, amount in held.pairs():
                if asset in CURRENCIES:
                    positions[account, asset] = self.money(amount, asset)
                else:
                    positions[account, self._isin_named(asset, amount)] = self.units(amount)
        return positions

    def _named(self, name: str, value: Value) -> str:
        try:
            account = parse_account(name)
        except MalformedError as error:
            value.fail(error.expected, name)
        if owner_of(account) not in self._participants:
            value.fail("an account of a participant of the story", name)
        return account

    def _isin_named(self, symbol: str, value: Value) -> str:
        if symbol not in self._by_symbol:
            value.fail("an instrument of the story", symbol)
        return self._by_symbol[symbol].isin
