"""A statement from elsewhere, held against the ledger and the own book, three ways.

Everything is compared as of the statement's own block. A register of which the statement has no
line is not compared: somebody who keeps securities says nothing of cash.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from ledger.books.keyed import add_up
from ledger.books.movements import KINDS, REGISTERS, Movements
from ledger.books.postings import Origin, PostingKind, Register
from ledger.books.reconciliation import Comparison, Difference
from ledger.clearing.columns import Column, accounts_of, assets_of
from ledger.domain.accounts import holding_key
from ledger.domain.breaks import BreakKind
from ledger.reconciliation.codes import NOBODY, codes_of
from ledger.reconciliation.records import (
    CASH_MOVEMENTS,
    CASH_POSITIONS,
    ISSUED,
    OTHER_CAUSE,
    REDEEMED,
    SECURITIES_MOVEMENTS,
    SECURITIES_POSITIONS,
    Layout,
    Records,
)
from ledger.reconciliation.three_way import compare
from nodes.statements.making import asset_words, blocks_of, holdings_at, movements_of
from nodes.statements.model import GivenStatement, Period, StatementKind

if TYPE_CHECKING:
    from nodes.node import Node

_POSITIONS: Final = {
    Register.SECURITIES: SECURITIES_POSITIONS,
    Register.CASH: CASH_POSITIONS,
}
_MOVEMENTS: Final = {
    Register.SECURITIES: SECURITIES_MOVEMENTS,
    Register.CASH: CASH_MOVEMENTS,
}
_NOTHING: Final = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class _Versions:
    """One set of records as three sides have them; ``lines`` are those of the statement."""

    register: Register
    layout: Layout
    ours: Records
    ledger: Records
    statement: Records
    lines: Column
    references: Sequence[bytes] = ()


def compare_given(node: "Node", given: GivenStatement) -> list[Comparison]:
    """Every difference of a statement, the ledger and the own book, by register, in words.

    Raises MalformedError when the statement's blocks are not past.
    """
    first, last = blocks_of(node, Period(given.first_block, given.last_block))
    seen: Counter[str] = Counter()
    found: dict[Register, list[Difference]] = defaultdict(list)
    for versions in _sets(node, given, first, last):
        found[versions.register] += _differences(node, given, versions, seen)
    return [
        Comparison(given.scope(register), differences, is_complete=True)
        for register, differences in found.items()
    ]


def _sets(node: "Node", given: GivenStatement, first: int, last: int) -> Iterator[_Versions]:
    registers = [REGISTERS[place] for place in np.unique(given.registers).tolist()]
    for register in registers:
        here = given.registers == REGISTERS.index(register)
        if given.kind is StatementKind.POSITIONS:
            yield _positions(node, register, given, np.flatnonzero(here), last)
            continue
        is_balance = given.closing > 0
        yield _movements(node, register, given, np.flatnonzero(here & ~is_balance), first, last)
        if given.kind is StatementKind.CASH:
            yield _positions(node, register, given, np.flatnonzero(here & is_balance), last)


def _positions(
    node: "Node", register: Register, given: GivenStatement, rows: Column, last: int
) -> _Versions:
    ledger = holdings_at(node, register, last).summed()
    rows = rows[given.amounts[rows] != 0]
    keys, amounts = _own_positions(node, register, last)
    return _Versions(
        register,
        _POSITIONS[register],
        Records.of_positions(keys, amounts),
        Records.of_positions(ledger.keys.column, ledger.values[0]),
        Records.of_positions(given.keys[rows], given.amounts[rows]),
        given.lines[rows],
    )


def _own_positions(node: "Node", register: Register, last: int) -> tuple[Column, Column]:
    """What the own book had after a block: what it has, without what was booked since."""
    now = node.own_book.positions(register).of_participant(node.number)
    later = _in_own_book(node, register, last + 1, max(node.projection.height, 0))
    before = add_up(now, later.keys, -later.amounts[None])
    at = now.with_values(before.keys, before.ends)
    return at.keys.column, at.values[0]


@dataclass(frozen=True, slots=True)
class _Moved:
    """What one side has moved in one register, as columns."""

    blocks: Column
    keys: Column
    amounts: Column
    days: Column
    causes: Column
    references: Sequence[bytes]

    def take(self, rows: Column) -> "_Moved":
        """Some of it."""
        return _Moved(
            self.blocks[rows],
            self.keys[rows],
            self.amounts[rows],
            self.days[rows],
            self.causes[rows],
            [self.references[row] for row in rows.tolist()],
        )

    def records(self, numbers: Column) -> Records:
        """As records, with references by number."""
        return Records(
            {
                "references": numbers,
                "assets": assets_of(self.keys),
                "accounts": accounts_of(self.keys),
                "amounts": self.amounts,
                "dates": self.days,
                "causes": self.causes,
            }
        )


def _in_ledger(node: "Node", register: Register, first: int, last: int) -> _Moved:
    movements = movements_of(node, first, last)
    totals = movements.available + movements.held
    rows = movements.rows_of(register)
    rows = rows[totals[rows] != 0]
    return _Moved(
        movements.blocks[rows],
        movements.keys[rows],
        totals[rows],
        movements.days[rows],
        _causes(movements, rows),
        [movements.reference(row) for row in rows.tolist()],
    )


def _in_own_book(node: "Node", register: Register, first: int, last: int) -> _Moved:
    columns: list[list[Column]] = [[_NOTHING], [_NOTHING], [_NOTHING], [_NOTHING]]
    references: list[bytes] = []
    with node.database.reading() as session:
        for block, cause, entry in node.own_book.booked(session, first, last):
            if register not in entry:
                continue
            keys, amounts = (column[entry[register][1] != 0] for column in entry[register])
            in_register = cause.origin in (Origin.SECURITIES, Origin.CASH)
            signed = np.where(amounts > 0, ISSUED, REDEEMED)
            causes = signed if in_register else np.full(len(keys), OTHER_CAUSE)
            blocks = np.full(len(keys), block)
            for column, part in zip(columns, (blocks, keys, amounts, causes), strict=True):
                column.append(part)
            references += [cause.reference] * len(keys)
    blocks, keys, amounts, causes = map(np.concatenate, columns)
    # It knows no dates: a block is on the day on which the node booked it.
    return _Moved(blocks, keys, amounts, np.zeros_like(keys), causes, references)


def _as_in_ledger(own: _Moved, ledger: _Moved) -> _Moved:
    """The own book, in the ledger's words where both come to the same.

    A set is one movement of each holding in the ledger, whatever instructions are in it; the own
    book has an entry for each of these. What counts is what a block comes to, holding by holding.
    """
    codes = codes_of([[own.blocks, own.keys], [ledger.blocks, ledger.keys]])
    distinct, places = np.unique(np.concatenate(codes), return_inverse=True)
    sums = np.zeros(len(distinct), dtype=np.int64)
    np.add.at(sums, places[: len(own.keys)], own.amounts)
    np.subtract.at(sums, places[len(own.keys) :], ledger.amounts)
    differs = sums != 0
    rest = own.take(np.flatnonzero(differs[places[: len(own.keys)]]))
    same = ledger.take(np.flatnonzero(~differs[places[len(own.keys) :]]))
    day_by_block = dict(zip(ledger.blocks.tolist(), ledger.days.tolist(), strict=True))
    days = np.array([day_by_block.get(each, 0) for each in rest.blocks.tolist()], dtype=np.int64)
    return _Moved(
        np.append(same.blocks, rest.blocks),
        np.append(same.keys, rest.keys),
        np.append(same.amounts, rest.amounts),
        np.append(same.days, days),
        np.append(same.causes, rest.causes),
        [*same.references, *rest.references],
    )


def _movements(
    node: "Node",
    register: Register,
    given: GivenStatement,
    rows: Column,
    first: int,
    last: int,
) -> _Versions:
    ledger = _in_ledger(node, register, first, last)
    own = _as_in_ledger(_in_own_book(node, register, first, last), ledger)
    nothing = np.zeros(len(rows), dtype=np.int64)
    stated = _Moved(
        nothing,
        given.keys[rows],
        given.amounts[rows],
        nothing if given.days is None else given.days[rows],
        nothing if given.causes is None else given.causes[rows],
        [given.references[row] for row in rows.tolist()],
    )
    ours, theirs, said, references = _numbered(own.references, ledger.references, stated.references)
    layout, left_out = _MOVEMENTS[register], {"statuses"}
    if given.days is None:
        left_out.add("dates")
    if given.causes is None:
        left_out.add("causes")
    terms = tuple(field for field in layout.terms if field.name not in left_out)
    return _Versions(
        register,
        replace(layout, terms=terms),
        own.records(ours),
        ledger.records(theirs),
        stated.records(said),
        given.lines[rows],
        references,
    )


def _causes(movements: Movements, rows: Column) -> Column:
    kinds = movements.kinds[rows]
    causes = np.full(len(rows), OTHER_CAUSE, dtype=np.int64)
    causes[kinds == KINDS.index(PostingKind.ISSUED)] = ISSUED
    causes[kinds == KINDS.index(PostingKind.REDEEMED)] = REDEEMED
    return causes


def _numbered(*sides: Sequence[bytes]) -> tuple[Column, Column, Column, Sequence[bytes]]:
    """References as numbers that are the same for all sides, and the references by number."""
    number_by_reference: dict[bytes, int] = {}
    ours, ledger, stated = (
        np.fromiter(
            (number_by_reference.setdefault(each, len(number_by_reference)) for each in side),
            dtype=np.int64,
            count=len(side),
        )
        for side in sides
    )
    return ours, ledger, stated, list(number_by_reference)


def _differences(
    node: "Node", given: GivenStatement, versions: _Versions, seen: Counter[str]
) -> Iterator[Difference]:
    """What does not agree, in words, in a stable order."""
    found = compare(versions.ours, versions.ledger, versions.statement, versions.layout)
    rows = sorted(found, key=lambda each: _identity(versions, each[:3]))
    for ours, ledger, stated, kind, _ in rows:
        identity = ":".join(map(str, _identity(versions, (ours, ledger, stated))))
        seen[identity] += 1
        named = hashlib.sha256(f"{identity}:{seen[identity]}".encode()).hexdigest()[:32]
        records = (versions.ours, versions.ledger, versions.statement)
        amounts = [
            None if row == NOBODY else int(each.columns["amounts"][row])
            for each, row in zip(records, (ours, ledger, stated), strict=True)
        ]
        words = [
            _words(node, versions, each, row)
            for each, row in zip(records, (ours, ledger, stated), strict=True)
        ]
        line = "" if stated == NOBODY else f" line {versions.lines[stated]}"
        side, row = _first(versions, (ours, ledger, stated))
        account, asset, _ = asset_words(node, versions.register, _key(side, row))
        at_risk = _at_risk(kind, [amount or 0 for amount in amounts])
        _, worth, currency = node.comparing.value_of(versions.register, _key(side, row), at_risk)
        yield Difference(
            id=f"{given.scope(versions.register)}{named}",
            kind=kind,
            subject=" ".join([account, asset, *_reference_words(versions, side, row)]),
            ours=words[0],
            theirs=f"ledger {words[1]}, {given.name}{line} {words[2]}",
            asset=asset,
            at_risk=worth,
            currency=currency,
        )


def _at_risk(kind: BreakKind, amounts: Sequence[int]) -> int:
    """What is in doubt, in minor units or units: the span of what is said, or all of one amount."""
    span = max(amounts) - min(amounts)
    return span or (0 if kind is BreakKind.TIMING else max(map(abs, amounts)))


def _identity(versions: _Versions, rows: Sequence[int]) -> tuple[str, str, int, str]:
    """What a difference is about, the same whenever it is found."""
    side, row = _first(versions, rows)
    reference = "".join(_reference_words(versions, side, row, whole=True))
    what = "movement" if versions.references else "position"
    return what, versions.register.value, _key(side, row), reference


def _first(versions: _Versions, rows: Sequence[int]) -> tuple[Records, int]:
    """The record that names a difference: the ledger's, or ours, or the statement's."""
    ours, ledger, stated = rows
    if ledger != NOBODY:
        return versions.ledger, ledger
    if ours != NOBODY:
        return versions.ours, ours
    return versions.statement, stated


def _key(records: Records, row: int) -> int:
    return holding_key(int(records.columns["assets"][row]), int(records.columns["accounts"][row]))


def _reference_words(
    versions: _Versions, records: Records, row: int, *, whole: bool = False
) -> list[str]:
    if "references" not in records.columns:
        return []
    reference = versions.references[int(records.columns["references"][row])].hex()
    return ["0x" + (reference if whole else reference[:16])]


def _words(node: "Node", versions: _Versions, records: Records, row: int) -> str:
    """What one side has: the amount, and where or when, if that is not as elsewhere."""
    if row == NOBODY:
        return "-"
    key = _key(records, row)
    amount = node.describe_holding(versions.register, key, int(records.columns["amounts"][row]))
    account, asset, _ = asset_words(node, versions.register, key)
    return f"{amount} ({account} {asset})"
