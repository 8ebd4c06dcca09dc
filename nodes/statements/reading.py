"""Reading a statement file: checked to the last cell, and refused whole at the first fault.

Either language's header, or a file from another system with the needed columns alone: what a
column is called says what it is, and which columns there are says what the file is of. Other
columns are passed over. The control line may be missing; where it stands, it must be right.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from ledger.books.movements import REFERENCE_BYTES, REGISTERS
from ledger.books.postings import PostingKind, Register
from ledger.clearing.columns import Column
from ledger.domain.accounts import holding_key
from ledger.domain.amounts import AMOUNT_MAX, parse_amount
from ledger.domain.errors import MalformedError
from ledger.domain.identifiers import owner_of, parse_date
from ledger.reconciliation.records import ISSUED, OTHER_CAUSE, REDEEMED
from nodes.network import Network
from nodes.statements.columns import (
    AMOUNT_BY_KIND,
    CLOSING,
    CONTROL,
    ENGLISH_BY_NAME,
    ENGLISH_VALUES,
    ENTRY,
    NEEDED,
    OPENING,
    of_text,
)
from nodes.statements.model import GivenStatement, StatementKind
from nodes.statements.writing import totals_of

FILE_BYTES_MAX: Final = 16 * 1024 * 1024
LINES_MAX: Final = 200_000
CELL_CHARS_MAX: Final = 256
_REFERENCE: Final = re.compile(r"(0x)?[0-9a-f]{64}")
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_UNITS: Final = re.compile(r"-?(0|[1-9][0-9]{0,15})")
_BLOCKS: Final = re.compile(r"([0-9]{1,15})-([0-9]{1,15})")
_CAUSES: Final = {PostingKind.ISSUED.value: ISSUED, PostingKind.REDEEMED.value: REDEEMED}


class StatementFileError(Exception):
    """A fault in a statement file: where, what was expected, what was found. Nothing was taken in.

    ``line`` is 0 when the file as a whole is not what it must be.
    """

    def __init__(self, name: str, line: int, column: str, expected: str, found: str) -> None:
        place = f"{name}:{line}" if line else name
        super().__init__(f"{place}: {column}: expected {expected}, found {found[:60]!r}")
        self.line = line
        self.column = column
        self.expected = expected
        self.found = found


@dataclass(frozen=True, slots=True)
class _Line:
    """A line that was checked."""

    number: int
    register: Register
    asset: str
    key: int
    amount: int
    entry: str
    reference: bytes
    day: int
    cause: int


def read_statement(content: bytes, name: str, participant: str, network: Network) -> GivenStatement:
    """A statement of a participant's holdings. Raises StatementFileError at the first fault."""
    if not _NAME.fullmatch(name):
        raise StatementFileError(name[:64], 0, "name", "1 to 64 of A-Z a-z 0-9 . _ -", name)
    return _Reading(content, name, participant, network).statement()


class _Reading:
    """One file that is being read."""

    def __init__(self, content: bytes, name: str, participant: str, network: Network) -> None:
        self._name = name
        self._participant = participant
        self._network = network
        self._text = self._decoded(content)
        self._places: Mapping[str, int] = {}
        self._header: list[str] = []
        self._line = 1
        self._control: list[str] | None = None

    def statement(self) -> GivenStatement:
        """The whole of it, as columns."""
        rows = self._rows()
        kind = self._kind_of(next(rows, []))
        lines = [self._checked(kind, row) for row in rows if self._is_line(row)]
        first, last = self._check_control(lines)
        taken = [line for line in lines if line.entry != OPENING]
        return GivenStatement(
            name=self._name,
            kind=kind,
            first_block=first,
            last_block=last,
            lines=_column(line.number for line in taken),
            registers=_column(REGISTERS.index(line.register) for line in taken),
            keys=_column(line.key for line in taken),
            amounts=_column(line.amount for line in taken),
            closing=_column(int(line.entry == CLOSING) for line in taken),
            references=tuple(line.reference for line in taken),
            days=_column(line.day for line in taken) if "date" in self._places else None,
            causes=_column(line.cause for line in taken) if "cause" in self._places else None,
        )

    def _decoded(self, content: bytes) -> str:
        if len(content) > FILE_BYTES_MAX:
            raise self._error("file", f"at most {FILE_BYTES_MAX} bytes", str(len(content)), line=0)
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            found = content[error.start : error.start + 4].hex()
            raise self._error("text", "UTF-8", f"bytes {found}", line=line) from error

    def _rows(self) -> Iterator[list[str]]:
        """The rows, with ``_line`` at the line on which each begins."""
        reader = csv.reader(io.StringIO(self._text, newline=""), strict=True)
        while True:
            self._line = reader.line_num + 1
            try:
                row = next(reader, None)
            except csv.Error as error:
                raise self._error("line", "comma-separated values", str(error)) from error
            if row is None:
                return
            if len(self._header) and self._line > LINES_MAX + 2:
                raise self._error("file", f"at most {LINES_MAX} lines", "more")
            yield row

    def _kind_of(self, header: list[str]) -> StatementKind:
        """What the columns make it; their places are known afterwards."""
        self._header = [cell.strip() for cell in header]
        places: dict[str, int] = {}
        for place, cell in enumerate(self._header):
            name = ENGLISH_BY_NAME.get(cell)
            if name in places:
                raise self._error("header", f"one column {cell}", "two")
            if name is not None:
                places[name] = place
        self._places = places
        kinds = [kind for kind, needed in NEEDED.items() if places.keys() >= set(needed)]
        if len(kinds) != 1:
            needs = " or ".join(f"{'+'.join(needed)}" for needed in NEEDED.values())
            raise self._error("header", f"the columns {needs}", ",".join(self._header))
        return kinds[0]

    def _is_line(self, row: list[str]) -> bool:
        """Whether it is a line of the statement; after the control line there is none."""
        if self._control is not None:
            raise self._error("line", "nothing after the control line", ",".join(row))
        if row and row[0] == CONTROL:
            self._control = row[1:]
            return False
        if len(row) != len(self._header):
            raise self._error("line", f"{len(self._header)} columns", f"{len(row)} columns")
        return True

    def _checked(self, kind: StatementKind, row: list[str]) -> _Line:
        cells = {name: of_text(row[place]) for name, place in self._places.items()}
        for name, cell in cells.items():
            if len(cell) > CELL_CHARS_MAX:
                raise self._error(name, f"at most {CELL_CHARS_MAX} characters", cell)
            cells[name] = ENGLISH_VALUES.get(name, {}).get(cell, cell)
        register, asset_number = self._asset(cells["asset"])
        entry = cells.get("entry", "")
        if kind is StatementKind.CASH:
            if entry not in (OPENING, ENTRY, CLOSING):
                raise self._error("entry", "opening, entry or closing", entry)
            if register is not Register.CASH:
                raise self._error("asset", "a currency of the network", cells["asset"])
        moves = kind is StatementKind.MOVEMENTS or entry == ENTRY
        return _Line(
            number=self._line,
            register=register,
            asset=cells["asset"],
            key=holding_key(asset_number, self._account(cells["account"])),
            amount=self._amount(register, cells["asset"], AMOUNT_BY_KIND[kind], cells),
            entry=entry,
            reference=self._reference(cells["reference"]) if moves else b"",
            day=self._day(cells["date"]) if moves and "date" in cells else 0,
            cause=_CAUSES.get(cells.get("cause", ""), OTHER_CAUSE),
        )

    def _account(self, cell: str) -> int:
        try:
            if owner_of(cell) == self._participant:
                return self._network.account_number(cell)
        except (KeyError, MalformedError):
            pass
        raise self._error("account", f"an account of {self._participant}", cell)

    def _asset(self, cell: str) -> tuple[Register, int]:
        if cell in self._network.currencies:
            return Register.CASH, self._network.currency_number(cell)
        try:
            return Register.SECURITIES, self._network.instrument_number(cell)
        except KeyError:
            expected = "an ISIN or a currency of the network"
            raise self._error("asset", expected, cell) from None

    def _amount(self, register: Register, asset: str, column: str, cells: Mapping[str, str]) -> int:
        cell = cells[column]
        if register is Register.SECURITIES:
            if not _UNITS.fullmatch(cell) or abs(int(cell)) > AMOUNT_MAX:
                raise self._error(column, "a whole number of units", cell)
            return int(cell)
        try:
            amount = parse_amount(cell.removeprefix("-"), asset)
        except MalformedError as error:
            raise self._error(column, f"a decimal amount of {asset}", cell) from error
        return -amount if cell.startswith("-") else amount

    def _reference(self, cell: str) -> bytes:
        if not _REFERENCE.fullmatch(cell):
            raise self._error("reference", f"{REFERENCE_BYTES} bytes in lower-case hex", cell)
        return bytes.fromhex(cell.removeprefix("0x"))

    def _day(self, cell: str) -> int:
        try:
            return parse_date(cell).toordinal()
        except MalformedError as error:
            raise self._error("date", "a date such as 2026-11-23", cell) from error

    def _check_control(self, lines: list[_Line]) -> tuple[int | None, int | None]:
        """The blocks that the file is of; checks the counts and sums of the control line."""
        if self._control is None:
            return None, None
        said = dict(cell.partition("=")[::2] for cell in self._control if cell)
        blocks = _BLOCKS.fullmatch(said.pop("blocks", ""))
        if blocks is None:
            raise self._error(CONTROL, "blocks=FIRST-LAST", ",".join(self._control))
        sums = totals_of([(line.register.value, line.asset, line.amount) for line in lines])
        expected = {
            "participant": self._participant,
            "lines": str(len(lines)),
            **dict(each.partition("=")[::2] for each in sums),
        }
        for name in sorted(said.keys() | expected.keys()):
            if said.get(name) != expected.get(name):
                raise self._error(
                    CONTROL,
                    f"{name}={said.get(name, 'nothing')}, as the control line has it",
                    f"{name}={expected.get(name, 'nothing')} in the lines",
                )
        return int(blocks[1]), int(blocks[2])

    def _error(
        self, column: str, expected: str, found: str, line: int | None = None
    ) -> StatementFileError:
        at = self._line if line is None else line
        return StatementFileError(self._name, at, column, expected, found)


def _column(values: Iterator[int]) -> Column:
    return np.fromiter(values, dtype=np.int64)
