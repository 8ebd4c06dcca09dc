"""The terms of a batch in the network's numbers: names looked up once each, amounts in columns."""

from collections.abc import Callable, Sequence

import numpy as np

from ledger.clearing.columns import Column, TradeColumns
from ledger.domain.amounts import AMOUNT_MAX, PRICE_SCALE, format_amount, minor_digits, trade_amount
from ledger.domain.errors import MalformedError
from ledger.domain.identifiers import isin_of_name, parse_account
from nodes.network import Network
from nodes.trade_batches.faults import FaultList

UNKNOWN = -1
_EXACT_BELOW = 2.0**60


class Terms:
    """Builds the columns of one batch; what is wrong with it is noted in ``faults``."""

    def __init__(self, network: Network, faults: FaultList) -> None:
        self._network = network
        self._faults = faults

    def instruments(self, names: Sequence[object], codes: Column) -> Column:
        """The instruments of rows that give the place of their name in a list."""
        return self._looked_up("instrument", names, codes, self._instrument)

    def accounts(self, field: str, names: Sequence[object], codes: Column) -> Column:
        """The trading accounts of rows that give the place of their name in a list."""
        return self._looked_up(field, names, codes, self._account)

    def require(self, field: str, values: Column, last: int) -> None:
        """Notes the rows whose value is not from 1 to the last."""
        wrong = np.flatnonzero((values < 1) | (values > last))
        expected = f"a whole number from 1 to {last}"
        self._faults.note(wrong, field, expected, lambda row: int(values[row]))

    def columns(
        self,
        *,
        instruments: Column,
        numbers: Column,
        sellers: Column,
        buyers: Column,
        quantities: Column,
        prices: Column,
        times: Column | None = None,
    ) -> TradeColumns:
        """The trades. Raises MalformedBatchError when anything is wrong with the batch."""
        self._faults.check()
        count = len(numbers)
        network = self._network
        currency_numbers = np.array(
            [0, *(network.currency_number(each.currency) for each in network.instruments)]
        )
        currencies = currency_numbers[instruments].astype(np.int64)
        zeros = np.zeros(count, dtype=np.int64)
        amounts = self._amounts(quantities, prices, currencies)
        self._faults.check()
        return TradeColumns(
            dates=np.full(count, network.business_date.toordinal(), dtype=np.int64),
            instruments=instruments,
            numbers=numbers,
            sellers=sellers,
            buyers=buyers,
            quantities=quantities,
            prices=prices,
            currencies=currencies,
            amounts=amounts,
            times=zeros if times is None else times,
            cancels=zeros,
        )

    def _looked_up(
        self,
        field: str,
        names: Sequence[object],
        codes: Column,
        number_of: Callable[[object], int],
    ) -> Column:
        numbers = np.full(len(names), UNKNOWN, dtype=np.int64)
        expected: dict[int, str] = {}
        for code, name in enumerate(names):
            try:
                # Of a dictionary some names may stand in no row: they do no harm.
                numbers[code] = number_of(name)
            except MalformedError as error:
                expected[code] = error.expected
        looked_up: Column = numbers[codes]
        if expected:
            self._faults.note(
                np.flatnonzero(looked_up == UNKNOWN),
                field,
                lambda row: expected[int(codes[row])],
                lambda row: names[int(codes[row])],
            )
        return looked_up

    def _instrument(self, name: object) -> int:
        if not isinstance(name, str):
            raise MalformedError("a symbol or ISIN", name)
        try:
            return self._network.instrument_number(isin_of_name(name))
        except KeyError:
            raise MalformedError("an instrument that is traded here", name) from None

    def _account(self, name: object) -> int:
        account = parse_account(name)
        try:
            number = self._network.account_number(account)
        except KeyError:
            raise MalformedError("an account that exists", name) from None
        if not self._network.trades(account):
            raise MalformedError("an account of a broker or bank", name)
        return number

    def _amounts(self, quantities: Column, prices: Column, currencies: Column) -> Column:
        """What the buyers owe, exactly as ``trade_amount`` has it for each."""
        scales = np.array([0, *(10 ** minor_digits(code) for code in self._network.currencies)])
        scale = scales[currencies].astype(np.int64)
        # Large products would not fit into 64 bits: those few rows are computed one by one.
        estimates = quantities.astype(np.float64) * prices * scale
        small = estimates < _EXACT_BELOW
        products = np.where(small, quantities * prices * scale, 0)
        amounts: Column = (2 * products + PRICE_SCALE) // (2 * PRICE_SCALE)
        for row in np.flatnonzero(~small).tolist():
            currency = self._network.currency(int(currencies[row]))
            amount = trade_amount(int(quantities[row]), int(prices[row]), currency)
            amounts[row] = min(amount, AMOUNT_MAX + 1)
        self._note_amounts(amounts, currencies)
        return amounts

    def _note_amounts(self, amounts: Column, currencies: Column) -> None:
        wrong = np.flatnonzero((amounts < 1) | (amounts > AMOUNT_MAX))
        if len(wrong):
            currency = self._network.currency(int(currencies[wrong[0]]))
            expected = (
                f"quantity times price from {format_amount(1, currency)} {currency}"
                f" to {AMOUNT_MAX} minor units"
            )
            self._faults.note(wrong, "amount", expected, lambda row: int(amounts[row]))
