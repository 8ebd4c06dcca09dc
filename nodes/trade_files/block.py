"""One block of a trade file: texts checked and turned into columns of numbers.

Each check is one vectorised test; of all values that fail one, the block remembers the first.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.clearing.columns import Column
from ledger.domain.amounts import AMOUNT_MAX, PRICE_DECIMALS
from ledger.domain.errors import MalformedError
from ledger.domain.identifiers import (
    encode_trade_number,
    isin_of_name,
    isin_of_symbol,
    parse_account,
    parse_date,
)
from nodes.network import FIRST_DATE
from nodes.trade_files.formats import (
    B3_AFTER_MARKET_SESSION,
    B3_REGULAR_SESSION,
    TradeFileFormat,
)

NO_PARTICIPANT: Final = -1
_PLAIN_NUMBER: Final = r"^(0|[1-9][0-9]{0,14})$"
_QUANTITY: Final = r"^[0-9]{1,16}$"


@dataclass(frozen=True, slots=True)
class Block:
    """Some consecutive lines of a file, as columns; texts are numbered in the file's name lists.

    Attributes:
        first_line: number of the first of the lines, from 2 (1 is the header).
        sellers: index into the file's participants, NO_PARTICIPANT when the field is empty.
        prices: millionths; zero and below cannot be cleared.
        after_market: 1 for lines of the after-market session.
        reference_dates: the day whose file a line is from, where the format says.
    """

    first_line: int
    instruments: Column
    numbers: Column
    dates: Column
    times: Column
    quantities: Column
    prices: Column
    sellers: Column
    buyers: Column
    cancels: Column
    after_market: Column
    reference_dates: Column

    def __len__(self) -> int:
        return len(self.numbers)


class NameList:
    """Texts in order of first appearance, numbered from 0."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._number_by_name: dict[str, int] = {}

    def number(self, name: str) -> int:
        """The number of a text, a new one when it was not seen before."""
        if name not in self._number_by_name:
            self._number_by_name[name] = len(self.names)
            self.names.append(name)
        return self._number_by_name[name]


class BlockColumns:
    """The texts of one block, read column by column. ``fault`` is row, column, expected, found."""

    def __init__(self, form: TradeFileFormat, table: pa.Table) -> None:
        self._form = form
        self._table = table
        self.fault: tuple[int, str, str, str] | None = None

    def to_block(self, first_line: int, instruments: NameList, participants: NameList) -> Block:
        """The columns as numbers; meaningless when there is a ``fault``."""
        form = self._form
        isin_of = isin_of_symbol if form.is_public else isin_of_name
        lacking = form.is_public
        return Block(
            first_line=first_line,
            instruments=self._names("instrument", instruments, isin_of, optional=False),
            numbers=self._numbers(),
            dates=self._looked_up("date", _day),
            times=self._times(),
            quantities=self._quantities(),
            prices=self._prices(),
            sellers=self._names("seller", participants, self._check_participant, optional=lacking),
            buyers=self._names("buyer", participants, self._check_participant, optional=lacking),
            cancels=self._choice("action", form.new_value, form.cancel_value),
            after_market=self._choice("session", B3_REGULAR_SESSION, B3_AFTER_MARKET_SESSION),
            reference_dates=self._looked_up("reference_date", _day),
        )

    def _texts(self, field: str) -> pa.ChunkedArray:
        return self._table.column(self._form.column_by_field[field])

    def _has(self, field: str) -> bool:
        return field in self._form.column_by_field

    def _numbers(self) -> Column:
        texts = self._texts("number")
        plain = pc.match_substring_regex(texts, _PLAIN_NUMBER)
        numbers = _int64(pc.if_else(plain, texts, "0"))
        for row in np.flatnonzero(~_bools(plain)).tolist():
            try:
                numbers[row] = encode_trade_number(texts[row].as_py())
            except (MalformedError, UnicodeDecodeError) as error:
                self._note(row, "number", _expected(error))
                break
        return numbers

    def _times(self) -> Column:
        texts = self._texts("time")
        self._require(
            "time", pc.match_substring_regex(texts, self._form.time_pattern), self._form.time_form
        )
        digits = pc.replace_substring_regex(texts, "[^0-9]", "")
        packed = _int64(self._or_zero(pc.utf8_rpad(digits, 9, "0"), r"^[0-9]{9}$"))
        hours, minutes = packed // 10**7, packed // 10**5 % 100
        return np.asarray((hours * 60 + minutes) * 60_000 + packed % 10**5)

    def _quantities(self) -> Column:
        texts = self._texts("quantity")
        quantities = _int64(self._or_zero(texts, _QUANTITY))
        valid = (quantities > 0) & (quantities <= AMOUNT_MAX)
        self._require("quantity", pa.array(valid), f"a whole number from 1 to {AMOUNT_MAX}")
        return quantities

    def _prices(self) -> Column:
        texts, mark = self._texts("price"), self._form.decimal_mark
        pattern = rf"^-?[0-9]{{1,12}}([{mark}][0-9]{{1,{PRICE_DECIMALS}}})?$"
        expected = f"a decimal price such as 41{mark}20, with at most {PRICE_DECIMALS} decimals"
        self._require("price", pc.match_substring_regex(texts, pattern), expected)
        points = pc.replace_substring(self._or_zero(texts, pattern), mark, ".")
        decimals = pc.cast(points, pa.decimal128(12 + PRICE_DECIMALS, PRICE_DECIMALS))
        # The low half of a decimal128 is the scaled price, which 18 digits keep below 2**63.
        halves = np.frombuffer(decimals.combine_chunks().buffers()[1], dtype=np.int64)
        prices = np.array(halves[::2], dtype=np.int64)
        if not self._form.is_public:
            self._require("price", pa.array(prices > 0), "a price above zero")
        return prices

    def _names(
        self, field: str, names: NameList, check: Callable[[str], object], *, optional: bool
    ) -> Column:
        def number(text: str) -> int:
            if optional and not text:
                return NO_PARTICIPANT
            check(text)
            return names.number(text)

        return self._looked_up(field, number)

    def _choice(self, field: str, zero: str, one: str) -> Column:
        def number(text: str) -> int:
            if text not in (zero, one):
                raise MalformedError(f"{zero} or {one}", text)
            return int(text == one)

        return self._looked_up(field, number)

    def _looked_up(self, field: str, number: Callable[[str], int]) -> Column:
        """A column of few different texts: each is read once."""
        if not self._has(field):
            return np.zeros(self._table.num_rows, dtype=np.int64)
        encoded = self._texts(field).combine_chunks().dictionary_encode()
        codes = encoded.indices.to_numpy().astype(np.int64)
        numbers = np.zeros(len(encoded.dictionary), dtype=np.int64)
        for code, text in enumerate(encoded.dictionary):
            try:
                numbers[code] = number(text.as_py())
            except (MalformedError, UnicodeDecodeError) as error:
                self._note(int(np.argmax(codes == code)), field, _expected(error))
        column: Column = numbers[codes]
        return column

    def _check_participant(self, text: str) -> None:
        if not re.fullmatch(self._form.participant_pattern, text, re.ASCII):
            raise MalformedError(self._form.participant_form, text)
        parse_account(self._form.participant_prefix + text)

    def _or_zero(self, texts: pa.ChunkedArray, pattern: str) -> pa.ChunkedArray:
        """The texts of a form; those of another are replaced, since they are a fault already."""
        return pc.if_else(pc.match_substring_regex(texts, pattern), texts, "0")

    def _require(self, field: str, valid: pa.Array, expected: str) -> None:
        flags = _bools(valid)
        if not flags.all():
            self._note(int(np.argmin(flags)), field, expected)

    def _note(self, row: int, field: str, expected: str) -> None:
        if self.fault is None or row < self.fault[0]:
            column = self._form.column_by_field[field]
            buffer = self._table.column(column)[row].as_buffer()
            found = buffer.to_pybytes().decode("latin-1") if buffer else ""
            self.fault = (row, column, expected, found[:120])


def _day(text: str) -> int:
    """The ordinal of a date that a chain can have."""
    day = parse_date(text)
    if day < FIRST_DATE:
        raise MalformedError(f"a date from {FIRST_DATE} on", text)
    return day.toordinal()


def _expected(error: MalformedError | UnicodeDecodeError) -> str:
    return error.expected if isinstance(error, MalformedError) else "ASCII text"


def _int64(texts: pa.ChunkedArray) -> Column:
    return np.array(pc.cast(texts, pa.int64()).to_numpy(), dtype=np.int64)


def _bools(flags: pa.Array) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    return np.asarray(
        flags.to_numpy(zero_copy_only=False) if isinstance(flags, pa.Array) else flags.to_numpy()
    )
