"""Opening positions: from a file, or derived so that the day can settle.

The file is CSV with the header ``account,asset,amount``. An asset is a currency code (the amount is
then decimal money) or an instrument's symbol or ISIN (the amount is then a whole number of units).
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ledger.domain.amounts import format_amount, parse_amount
from ledger.domain.errors import MalformedError
from ledger.domain.identifiers import isin_of_symbol, parse_account
from nodes.market_day.survey import Survey
from nodes.trade_files.reader import TradeFileError

HEADER = ["account", "asset", "amount"]


@dataclass(frozen=True, slots=True)
class Opening:
    """What accounts have before the first trade.

    Attributes:
        securities: units by (account, ISIN).
        cash: minor units by (account, currency).
        is_derived: whether it was worked out from the day's trades.
    """

    securities: Mapping[tuple[str, str], int]
    cash: Mapping[tuple[str, str], int]
    is_derived: bool

    def write(self, path: Path) -> None:
        """Writes the file that ``read_opening`` reads."""
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(HEADER)
            for (account, currency), amount in sorted(self.cash.items()):
                writer.writerow([account, currency, format_amount(amount, currency)])
            for (account, isin), quantity in sorted(self.securities.items()):
                writer.writerow([account, isin, quantity])


def derived_opening(survey: Survey, currency: str) -> Opening:
    """The least opening positions with which every prefix of the day's trades is covered."""
    isins = [isin_of_symbol(symbol) for symbol in survey.symbols]
    return Opening(
        securities={
            (survey.accounts[account], isins[symbol]): -low
            for (symbol, account), low in survey.lowest_quantities.items()
        },
        cash={
            (survey.accounts[account], currency): -low
            for account, low in survey.lowest_amounts.items()
        },
        is_derived=True,
    )


def read_opening(path: Path, currencies: Iterable[str]) -> Opening:
    """Opening positions from a file. Raises TradeFileError at its first fault."""
    securities: dict[tuple[str, str], int] = {}
    cash: dict[tuple[str, str], int] = {}
    with path.open(newline="", encoding="utf-8") as stream:
        for line, row in enumerate(csv.reader(stream), start=1):
            if line == 1:
                if row != HEADER:
                    raise TradeFileError(path, 1, "header", ",".join(HEADER), ",".join(row))
                continue
            if len(row) != len(HEADER):
                raise TradeFileError(path, line, "line", "3 columns", f"{len(row)} columns")
            _take(path, line, row, set(currencies), securities, cash)
    return Opening(securities, cash, is_derived=False)


def _take(
    path: Path,
    line: int,
    row: list[str],
    currencies: set[str],
    securities: dict[tuple[str, str], int],
    cash: dict[tuple[str, str], int],
) -> None:
    column = "account"
    try:
        account = parse_account(row[0])
        column = "asset"
        asset = row[1] if row[1] in currencies else isin_of_symbol(row[1])
        column = "amount"
        if asset in currencies:
            book, amount = cash, parse_amount(row[2], asset)
        elif row[2].isascii() and row[2].isdigit() and len(row[2]) <= 16:
            book, amount = securities, int(row[2])
        else:
            raise MalformedError("a whole number of units", row[2])
    except MalformedError as error:
        raise TradeFileError(path, line, column, error.expected, str(error.found)) from error
    if (account, asset) in book:
        raise TradeFileError(
            path, line, "asset", "each account and asset once", f"{account} {asset}"
        )
    if amount:
        book[account, asset] = amount
