"""A statement from elsewhere, held against the ledger and the own book, three ways.

Everything is compared as of the statement's own block. A register of which the statement has no
line is not compared: somebody who keeps securities says nothing of cash.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from ledger.books.keyed import add_up
from ledger.books.movements import KINDS, REGISTERS, Movements
from ledger.books.postings import Origin, PostingKind, Register
from ledger.books.reconciliation import Difference
from ledger.clearing.columns import Column, Mask, accounts_of, assets_of
from ledger.domain.accounts import holding_key
from ledger.domain.breaks import BreakKind
from ledger.reconciliation.codes import NOBODY
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


def compare_given(node: "Node", given: GivenStatement) -> tuple[Difference, ...]:
    """Every difference of a statement, the ledger and the own book, in words.

    Raises MalformedError when the statement's blocks are not past.
    """
    first, last = blocks_of(node, Period(given.first_block, given.last_block))
    seen: Counter[str] = Counter()
    return tuple(
        difference
        for versions in _sets(node, given, first, last)
        for difference in _differences(node, given, versions, seen)
    )


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
    later = _OwnMovements(node, register, last + 1, max(node.projection.height, 0))
    before = add_up(now, later.keys, -later.amounts[None])
    at = now.with_values(before.keys, before.ends)
    return at.keys.column, at.values[0]


class _OwnMovements:
    """What the own book has booked in some blocks, in one register."""

    def __init__(self, node: "Node", register: Register, first: int, last: int) -> None:
        keys, amounts = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
        self.references: list[bytes] = []
        self.are_of_register: list[bool] = []
        with node.database.reading() as session:
            for cause, entry in node.own_book.booked(session, first, last):
                if register in entry:
                    some = entry[register][1] != 0
                    keys.append(entry[register][0][some])
                    amounts.append(entry[register][1][some])
                    count = len(keys[-1])
                    self.references += [cause.reference] * count
                    in_register = cause.origin in (Origin.SECURITIES, Origin.CASH)
                    self.are_of_register += [in_register] * count
        self.keys: Column = np.concatenate(keys)
        self.amounts: Column = np.concatenate(amounts)

    def causes(self) -> Column:
        """Issues, redemptions and other causes."""
        own: Mask = np.array(self.are_of_register, dtype=bool)
        signed = np.where(self.amounts > 0, ISSUED, REDEEMED)
        return np.where(own, signed, OTHER_CAUSE)


def _movements(
    node: "Node",
    register: Register,
    given: GivenStatement,
    rows: Column,
    first: int,
    last: int,
) -> _Versions:
    ledger, own = movements_of(node, first, last), _OwnMovements(node, register, first, last)
    totals = ledger.available + ledger.held
    moved = np.flatnonzero((ledger.registers == REGISTERS.index(register)) & (totals != 0))
    names = [ledger.reference(row) for row in moved.tolist()]
    stated = [given.references[row] for row in rows.tolist()]
    ours, theirs, said, references = _numbered(own.references, names, stated)
    layout = _MOVEMENTS[register]
    # The own book knows no dates: a block is on the day on which the node booked it.
    day_by_reference = dict(zip(theirs.tolist(), ledger.days[moved].tolist(), strict=True))
    own_days = [day_by_reference.get(number, 0) for number in ours.tolist()]
    left_out = {"statuses"}
    if given.days is None:
        left_out.add("dates")
    if given.causes is None:
        left_out.add("causes")
    terms = tuple(field for field in layout.terms if field.name not in left_out)
    nothing = np.zeros(len(rows), dtype=np.int64)
    return _Versions(
        register,
        replace(layout, terms=terms),
        _records(own.keys, own.amounts, ours, np.array(own_days, dtype=np.int64), own.causes()),
        _records(
            ledger.keys[moved], totals[moved], theirs, ledger.days[moved], _causes(ledger, moved)
        ),
        _records(
            given.keys[rows],
            given.amounts[rows],
            said,
            nothing if given.days is None else given.days[rows],
            nothing if given.causes is None else given.causes[rows],
        ),
        given.lines[rows],
        references,
    )


def _causes(movements: Movements, rows: Column) -> Column:
    kinds = movements.kinds[rows]
    causes = np.full(len(rows), OTHER_CAUSE, dtype=np.int64)
    causes[kinds == KINDS.index(PostingKind.ISSUED)] = ISSUED
    causes[kinds == KINDS.index(PostingKind.REDEEMED)] = REDEEMED
    return causes


def _records(
    keys: Column, amounts: Column, references: Column, days: Column, causes: Column
) -> Records:
    return Records(
        {
            "references": references,
            "assets": assets_of(keys),
            "accounts": accounts_of(keys),
            "amounts": amounts,
            "dates": days,
            "causes": causes,
        }
    )


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
        is_cash = versions.register is Register.CASH
        known = [amount or 0 for amount in amounts]
        yield Difference(
            id=f"{given.scope}{named}",
            kind=kind,
            subject=" ".join([account, asset, *_reference_words(versions, side, row)]),
            ours=words[0],
            theirs=f"ledger {words[1]}, {given.name}{line} {words[2]}",
            asset=asset,
            at_risk=_at_risk(kind, known) if is_cash else 0,
            currency=asset if is_cash else "",
        )


def _at_risk(kind: BreakKind, amounts: Sequence[int]) -> int:
    """Minor units in doubt: the span of what is said, or all of it where that is the same."""
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
