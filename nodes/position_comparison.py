"""Positions compared: a node's book, the ledger, and the statement of whoever keeps the accounts.

What differs is told apart: what is in flight, since it is signed and not final or since the
statement is of another block, and what has no such excuse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ledger.books.keyed import Keyed
from ledger.books.postings import Register
from ledger.books.reconciliation import Comparison, Difference, Versions, compare_positions
from ledger.books.tables import POSITION_WIDTH
from ledger.books.waiting_entries import waiting_by_key
from ledger.clearing.columns import accounts_of, participants_of
from ledger.domain.accounts import SUB_ACCOUNTS_MAX, asset_of
from ledger.domain.amounts import trade_amount
from ledger.domain.break_meanings import LikelyCause
from ledger.domain.breaks import BreakKind
from ledger.domain.participants import Role
from nodes.bus import NO_ANSWER
from nodes.messages import Statement, StatementRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nodes.node import Node

UNIT_BY_REGISTER: Final = {Register.SECURITIES: BreakKind.QUANTITY, Register.CASH: BreakKind.AMOUNT}
NO_STATEMENT: Final = -1


@dataclass(frozen=True, slots=True)
class Stated:
    """What a keeper says somebody has, as of a block."""

    block: int
    positions: Keyed


class PositionComparison:
    """What one node can compare its positions with."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def own(self, register: Register) -> Comparison:
        """The own book against the ledger and the keeper's statement."""
        node = self._node
        stated = self._stated(register)
        ledger = node.projection.columns(register).of_participant(node.number).summed()
        ours = node.own_book.positions(register)
        differing = compare_positions(ours, ledger, stated.positions if stated else None)
        block = stated.block if stated else NO_STATEMENT
        return self.in_words("own", register, differing, block)

    def in_words(
        self, book: str, register: Register, differing: Mapping[int, Versions], stated_block: int
    ) -> Comparison:
        """What a comparison of one of this node's books found.

        ``stated_block`` is that of the statement, NO_STATEMENT when there is none: then no break
        closes.
        """
        scope = f"position:{book}:{register.value}:"
        waiting = waiting_by_key(self._node.database, book, register) if differing else {}
        found = [
            self._difference(scope, register, key, versions, waiting.get(key, ()), stated_block)
            for key, versions in differing.items()
        ]
        return Comparison(scope, found, is_complete=stated_block != NO_STATEMENT)

    def _difference(
        self,
        scope: str,
        register: Register,
        key: int,
        versions: Versions,
        waiting: Sequence[int],
        stated_block: int,
    ) -> Difference:
        node = self._node
        ours, ledger, statement = [
            node.describe_holding(register, key, amount)
            for amount in (versions.ours, versions.ledger, versions.statement)
        ]
        stated = "no statement" if stated_block == NO_STATEMENT else f"statement {statement}"
        if stated_block not in (NO_STATEMENT, node.projection.height):
            stated = f"{stated} as of another block"
        kind = versions.kind(UNIT_BY_REGISTER[register])
        cause = self._cause(versions, waiting, stated_block)
        is_in_flight = cause in _IN_FLIGHT
        asset, at_risk, currency = self.value_of(register, key, _spread(versions))
        return Difference(
            id=f"{scope}{key}",
            kind=BreakKind.TIMING if is_in_flight else kind,
            subject=node.name_holding(register, key),
            ours=ours,
            theirs=f"ledger {ledger}, {stated}",
            asset=asset,
            at_risk=at_risk,
            currency=currency,
            cause=cause,
            kind_if_it_stays=kind,
        )

    def value_of(self, register: Register, key: int, amount: int) -> tuple[str, int, str]:
        """The asset of a holding, and what an amount of it is worth: minor units of a currency.

        Nothing, of no currency, where no price is known or the asset is of no such network.
        """
        node = self._node
        try:
            if register is Register.CASH:
                currency = node.network.currency(asset_of(key))
                return currency, amount, currency
            instrument = node.network.instrument(asset_of(key))
        except LookupError:
            return "", 0, ""
        price = node.last_price(asset_of(key))
        if price is None:
            return instrument.isin, 0, ""
        return (
            instrument.isin,
            trade_amount(amount, price, instrument.currency),
            instrument.currency,
        )

    def _cause(self, versions: Versions, waiting: Sequence[int], stated_block: int) -> LikelyCause:
        ours, ledger = versions.ours or 0, versions.ledger or 0
        if ours != ledger:
            gap = ledger - ours
            if gap in waiting or (waiting and gap == sum(waiting)):
                return LikelyCause.SIGNED_NOT_FINAL
            is_away = stated_block == NO_STATEMENT
            return LikelyCause.KEEPER_AWAY if is_away else LikelyCause.UNBOOKED
        if stated_block not in (NO_STATEMENT, self._node.projection.height):
            return LikelyCause.STATEMENT_OF_OTHER_BLOCK
        return LikelyCause.KEEPER_DIFFERS

    def _stated(self, register: Register) -> Stated | None:
        """What the keeper of this node's accounts says; None when it cannot be had now."""
        node, keeper = self._node, self.keeper(register)
        if keeper is None:
            return Stated(node.projection.height, Keyed.empty(POSITION_WIDTH))
        statement = self._ask_for_statement(keeper)
        if statement is None or not self._makes_sense(register, statement):
            return None
        positions = Keyed.of_rows(statement.keys, statement.amounts[None])
        return Stated(statement.block, positions)

    def _makes_sense(self, register: Register, statement: Statement) -> bool:
        """Whether it is a statement of this node's accounts, and of this register's keys."""
        for column in (statement.keys, statement.amounts):
            if type(column) is not np.ndarray or column.dtype != np.int64 or column.ndim != 1:
                return False
        if type(statement.block) is not int or statement.block < 0:
            return False
        if len(statement.keys) != len(statement.amounts):
            return False
        owners = participants_of(accounts_of(statement.keys))
        # Each holding once, and no more of them than there can be: each may become a break.
        return (
            len(statement.keys) <= self._holdings_max(register)
            and bool((owners == self._node.number).all())
            and bool((statement.keys[1:] > statement.keys[:-1]).all())
        )

    def _holdings_max(self, register: Register) -> int:
        network = self._node.network
        is_cash = register is Register.CASH
        return SUB_ACCOUNTS_MAX * len(network.currencies if is_cash else network.instruments)

    def _ask_for_statement(self, keeper: str) -> Statement | None:
        node = self._node
        try:
            # A bank keeps its own accounts too, and compares its two books of them.
            if keeper == node.id:
                answer = node.handle(node.id, StatementRequest())
            else:
                answer = node.around.bus.request(node.id, keeper, StatementRequest())
        except NO_ANSWER:
            return None
        return answer if isinstance(answer, Statement) else None

    def keeper(self, register: Register) -> str | None:
        """Who keeps this node's accounts in a register; None: it has none there."""
        network = self._node.network
        if register is Register.SECURITIES:
            return network.sole(Role.REGISTRAR)
        return network.participant(self._node.id).settlement_bank


_IN_FLIGHT: Final = (LikelyCause.SIGNED_NOT_FINAL, LikelyCause.STATEMENT_OF_OTHER_BLOCK)


def _spread(versions: Versions) -> int:
    """How far the records are apart."""
    amounts = [versions.ours or 0, versions.ledger or 0, versions.statement or 0]
    return max(amounts) - min(amounts)
