"""Opening positions: from a file, or derived so that the day can settle.

The file is CSV with the header ``account,asset,amount``. An asset is a currency code (the amount is
then decimal money) or an instrument's symbol or ISIN (the amount is then a whole number of units).
"""

import csv
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ledger.domain.amounts import format_amount, parse_amount, parse_quantity
from ledger.domain.errors import MalformedError
from ledger.domain.identifiers import isin_of_symbol, parse_account
from nodes.market_day.survey import Survey
from nodes.network import Network
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

    def digest(self) -> bytes:
        """SHA-256 of the positions, in canonical text."""
        text = hashlib.sha256()
        for book in (self.cash, self.securities):
            for (account, asset), amount in sorted(book.items()):
                text.update(f"{account} {asset} {amount}\n".encode())
        return text.digest()

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


def read_opening(path: Path, network: Network) -> Opening:
    """Opening positions of a network from a file. Raises TradeFileError at its first fault."""
    reader, content, line = _Reader(path, network), path.read_bytes(), 0
    try:
        lines = csv.reader(io.StringIO(content.decode("utf-8"), newline=""))
        for line, row in enumerate(lines, start=1):
            reader.take(line, row)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = content[error.start : error.start + 10].decode("latin-1")
        raise TradeFileError(path, line, "line", "UTF-8 text", found) from error
    except csv.Error as error:
        raise TradeFileError(path, line + 1, "line", "CSV", str(error)) from error
    if not line:
        raise TradeFileError(path, 1, "header", ",".join(HEADER), "")
    return Opening(reader.securities, reader.cash, is_derived=False)


class _Reader:
    """Takes the lines of an opening file one by one."""

    def __init__(self, path: Path, network: Network) -> None:
        self.securities: dict[tuple[str, str], int] = {}
        self.cash: dict[tuple[str, str], int] = {}
        self._path = path
        self._accounts = {each for each in network.account_ids() if network.trades(each)}
        self._currencies = set(network.currencies)
        self._isins = {instrument.isin for instrument in network.instruments}
        self._seen: set[tuple[str, str]] = set()

    def take(self, line: int, row: list[str]) -> None:
        """Takes one line. Raises TradeFileError."""
        if line == 1:
            if row != HEADER:
                raise self._error(1, "header", ",".join(HEADER), ",".join(row)[:60])
            return
        if len(row) != len(HEADER):
            raise self._error(line, "line", "3 columns", f"{len(row)} columns")
        column = "account"
        try:
            account = self._account(row[0])
            column = "asset"
            asset = self._asset(row[1])
            column = "amount"
            is_cash = asset in self._currencies
            amount = parse_amount(row[2], asset) if is_cash else _units(row[2])
        except MalformedError as error:
            raise self._error(line, column, error.expected, str(error.found)) from error
        if (account, asset) in self._seen:
            expected = "each account and asset once"
            raise self._error(line, "asset", expected, f"{account} {asset}")
        self._seen.add((account, asset))
        if amount:
            (self.cash if is_cash else self.securities)[account, asset] = amount

    def _account(self, text: str) -> str:
        if parse_account(text) not in self._accounts:
            raise MalformedError("an account in the trade file", text)
        return text

    def _asset(self, text: str) -> str:
        asset = text if text in self._currencies else isin_of_symbol(text)
        if asset not in self._currencies | self._isins:
            raise MalformedError("the currency or an instrument of the trade file", text)
        return asset

    def _error(self, line: int, column: str, expected: str, found: str) -> TradeFileError:
        return TradeFileError(self._path, line, column, expected, found)


def _units(text: str) -> int:
    return 0 if text == "0" else parse_quantity(text)
