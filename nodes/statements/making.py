"""Making statements from what a node's books have: holdings now, and every movement."""

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from ledger.books.keyed import Keyed, add_up
from ledger.books.movements import REGISTERS, Movements, blocks_of_days, read_movements
from ledger.books.postings import Register
from ledger.domain.accounts import account_of, asset_of
from ledger.domain.errors import MalformedError
from nodes.statements.model import Period, StatementKind, StatementRow, StatementRows

if TYPE_CHECKING:
    from nodes.node import Node


def make_statement(node: "Node", kind: StatementKind, period: Period) -> StatementRows:
    """A statement of a node's own holdings. Raises MalformedError for no such period."""
    first, last = blocks_of(node, period)
    rows = {
        StatementKind.POSITIONS: _positions,
        StatementKind.MOVEMENTS: _movements,
        StatementKind.CASH: _cash,
    }[kind](node, first, last)
    return StatementRows(node.id, kind, first, last, tuple(rows))


def blocks_of(node: "Node", period: Period) -> tuple[int, int]:
    """The first and the last block of a period. Raises MalformedError when it is not past."""
    height = max(node.projection.height, 0)
    if period.day is not None:
        with node.database.reading() as session:
            found = blocks_of_days(session, period.day, period.day)
            before = blocks_of_days(session, 0, period.day)
        last = before[1] if before else 0
        return found or (last + 1, last)
    first = 0 if period.first_block is None else period.first_block
    last = height if period.last_block is None else period.last_block
    if not 0 <= first <= last + 1 or last > height:
        raise MalformedError(f"blocks from 0 to {height}", f"{first} to {last}")
    return first, last


def movements_of(node: "Node", first: int, last: int) -> Movements:
    """The movements of a node's own holdings in some blocks."""
    with node.database.reading() as session:
        return read_movements(session, first, last)


def holdings_at(node: "Node", register: Register, block: int) -> Keyed:
    """What the node's own accounts had after a block: available and held."""
    now = node.projection.columns(register).of_participant(node.number)
    later = movements_of(node, block + 1, max(node.projection.height, 0))
    rows = later.rows_of(register)
    changes = -np.stack([later.available[rows], later.held[rows]])
    before = add_up(now, later.keys[rows], changes)
    return now.with_values(before.keys, before.ends)


def asset_words(node: "Node", register: Register, key: int) -> tuple[str, str, str]:
    """Account, asset and symbol of a holding."""
    account = node.network.account_id(account_of(key))
    if register is Register.CASH:
        currency = node.network.currency(asset_of(key))
        return account, currency, currency
    instrument = node.network.instrument(asset_of(key))
    return account, instrument.isin, instrument.symbol


def _positions(node: "Node", _: int, last: int) -> Iterator[StatementRow]:
    for register in Register:
        holdings = holdings_at(node, register, last)
        available, held = holdings.values.tolist()
        for key, free, blocked in zip(holdings.keys.column.tolist(), available, held, strict=True):
            if free or blocked:
                account, asset, symbol = asset_words(node, register, key)
                yield StatementRow(
                    account, register.value, asset, symbol, free + blocked, free, blocked
                )


def _movements(node: "Node", first: int, last: int) -> Iterator[StatementRow]:
    movements = movements_of(node, first, last)
    for row in np.flatnonzero(movements.available + movements.held).tolist():
        register = REGISTERS[int(movements.registers[row])]
        yield _movement(node, register, movements, row)


def _movement(
    node: "Node", register: Register, movements: Movements, row: int, entry: str = ""
) -> StatementRow:
    account, asset, symbol = asset_words(node, register, int(movements.keys[row]))
    return StatementRow(
        account=account,
        register=register.value,
        asset=asset,
        symbol=symbol,
        amount=int(movements.available[row] + movements.held[row]),
        entry=entry,
        block=int(movements.blocks[row]),
        date=iso_date(int(movements.days[row])),
        cause=movements.kind(row).value,
        reference="0x" + movements.reference(row).hex(),
    )


def _cash(node: "Node", first: int, last: int) -> Iterator[StatementRow]:
    """Account by account: the opening balance, every entry, the closing balance."""
    movements = movements_of(node, first, last)
    rows = movements.rows_of(Register.CASH)
    rows = rows[(movements.available + movements.held)[rows] != 0]
    opening = holdings_at(node, Register.CASH, first - 1).summed()
    closing = holdings_at(node, Register.CASH, last).summed()
    for key in closing.keys.column.tolist():
        account, asset, symbol = asset_words(node, Register.CASH, key)
        cash = Register.CASH.value
        before, after = opening.get(key) or 0, closing.get(key) or 0
        yield StatementRow(account, cash, asset, symbol, before, entry="opening", block=first)
        for row in rows[movements.keys[rows] == key].tolist():
            yield _movement(node, Register.CASH, movements, row, "entry")
        yield StatementRow(account, cash, asset, symbol, after, entry="closing", block=last)


def iso_date(day: int) -> str:
    """An ordinal as an ISO date; nothing for no date."""
    return date.fromordinal(day).isoformat() if day else ""
