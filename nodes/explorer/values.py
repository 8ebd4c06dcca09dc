"""Decoded values as text, with the names of the network; lines and moves as tables to be paged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from contracts.decoding import Named, Value
from contracts.lines import Lines
from contracts.moves import Moves, PackedInstructions
from nodes.explorer.names import CASH, SECURITIES, Names

_ACCOUNTS: Final = frozenset({"account", "debtor", "creditor", "deliverer", "receiver"})
_PARTICIPANTS: Final = frozenset({"participant", "parties", "participants", "settlement_bank"})
_ADDRESSES: Final = frozenset({"administrator", "settlement", "participants", "securities", "cash"})
_WORD_BY_TYPE: Final = {
    Lines: "lines",
    Moves: "moves",
    PackedInstructions: "instructions",
}
_LIST_SHOWN_MAX: Final = 200
_SIGNATURES: Final = "attestations"


@dataclass(frozen=True, slots=True)
class Field:
    """A value as text, under its name; structs are spelled out as ``cycle.count``."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class LineRow:
    """One line, in names. ``amount`` is decimal text; a debit is below zero."""

    register: str
    account: str
    asset: str
    amount: str


@dataclass(frozen=True, slots=True)
class LineTable:
    """The lines of one argument, to be read page by page; a move is a debit and a credit."""

    name: str
    register: str
    lines: Lines
    names: Names

    def __len__(self) -> int:
        return len(self.lines)

    def rows(self, first: int, count: int) -> list[LineRow]:
        """At most so many lines from one on."""
        part = slice(first, first + count)
        triples = zip(
            self.lines.assets[part].tolist(),
            self.lines.accounts[part].tolist(),
            self.lines.amounts[part].tolist(),
            strict=True,
        )
        return [
            LineRow(
                register=self.register,
                account=self.names.account(account),
                asset=self.names.asset(self.register, asset),
                amount=self.names.amount(self.register, asset, amount),
            )
            for asset, account, amount in triples
        ]


def line_tables(contract: str, values: Sequence[Named], names: Names) -> tuple[LineTable, ...]:
    """The lines, and moves as lines, among the arguments of a call."""
    return tuple(
        LineTable(named.name, register, lines, names)
        for named in values
        for register, lines in _lines_of(contract, named)
    )


def _lines_of(contract: str, named: Named) -> Iterator[tuple[str, Lines]]:
    match named.value:
        case Lines() as lines:
            yield _register_of(contract, named.name), lines
        case Moves() as moves:
            yield _register_of(contract, named.name), moves.lines()
        case PackedInstructions(_, deliveries, payments):
            yield SECURITIES, deliveries.lines()
            yield CASH, payments.lines()


def fields(contract: str, values: Sequence[Named], names: Names) -> tuple[Field, ...]:
    """All values as text."""
    return tuple(_fields(contract, values, names, ""))


def _fields(contract: str, values: Sequence[Named], names: Names, path: str) -> Iterator[Field]:
    numbers = {named.name: named.value for named in values if isinstance(named.value, int)}
    for named in values:
        name = f"{path}{named.name}"
        if named.name != _SIGNATURES and _is_struct(named.value):
            yield from _fields(contract, named.value, names, f"{name}.")  # type: ignore[arg-type] # checked
        elif named.name == "admissions":
            assert isinstance(named.value, tuple)
            for i, each in enumerate(named.value, start=1):
                assert isinstance(each, tuple)
                text = ", ".join(f.text for f in _fields(contract, each, names, ""))  # type: ignore[arg-type] # structs
                yield Field(f"{name}.{i}", text)
        else:
            yield Field(name, _text(contract, named, names, numbers))


def _text(contract: str, named: Named, names: Names, numbers: dict[str, int]) -> str:
    match named.value:
        case Lines() | Moves() | PackedInstructions():
            return f"{len(named.value):,} {_WORD_BY_TYPE[type(named.value)]}"
        case bytes():
            return _bytes_text(named, names)
        case str():
            is_address = named.name in _ADDRESSES and named.value.startswith("0x")
            return names.holder(bytes.fromhex(named.value[2:])) if is_address else named.value
        case int():
            return _number_text(contract, named.name, named.value, names, numbers)
        case tuple() if named.name == _SIGNATURES:
            return f"{len(named.value):,} signatures"
        case tuple():
            shown = [
                _text(contract, Named(named.name, _simple(each)), names, numbers)
                for each in named.value[:_LIST_SHOWN_MAX]
            ]
            more = len(named.value) - len(shown)
            return ", ".join(shown) + (f" … {more:,} more" if more else "")


def _number_text(
    contract: str, name: str, number: int, names: Names, numbers: dict[str, int]
) -> str:
    """A number by what its name says it is."""
    if name in _ACCOUNTS:
        return names.account(number)
    if name in _PARTICIPANTS:
        return names.participant(number) if number else "-"
    if name in ("asset", "instrument", "currency"):
        return names.asset(_register_of(contract, name), number)
    if name == "amount":
        register = contract if contract in (SECURITIES, CASH) else CASH
        asset = numbers.get("currency", numbers.get("asset", 0))
        return names.amount(register, asset, number)
    return names.time(number) if name == "deadline" else str(number)


def _bytes_text(named: Named, names: Names) -> str:
    assert isinstance(named.value, bytes)
    digits = "0x" + named.value.hex()
    number = names.cycle(named.value) if named.name in ("id", "reference") else None
    return digits if number is None else f"{digits} (cycle {number})"


def _register_of(contract: str, name: str) -> str:
    """Which register a value of a contract is about: its own, or the one its name says."""
    if contract in (SECURITIES, CASH):
        return contract
    return CASH if name in ("cash_lines", "currency") else SECURITIES


def _is_struct(value: Value) -> bool:
    return isinstance(value, tuple) and bool(value) and isinstance(value[0], Named)


def _simple(value: "Value | Named") -> Value:
    assert not isinstance(value, Named), "a list of structs is spelled out by its caller"
    return value
