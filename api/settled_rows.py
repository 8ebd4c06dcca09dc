"""What settles, row by row, beside what the owners' own books say: trades, and changed positions.

Rows are made from the journal of events, so that whoever follows them goes on exactly where it was.
Everybody gets the rows of what it may see: its own trades, and its own positions.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, islice
from typing import Any, Final

import msgspec
import numpy as np

from api.event_access import visible_to
from api.own_trades import own_rows
from ledger.books.interface.events import KeptEvent
from ledger.books.postings import Register
from ledger.clearing.columns import Column, TradeColumns
from ledger.domain.amounts import format_amount, format_price
from ledger.domain.errors import MalformedError
from ledger.domain.key_holders import KeyHolder
from nodes.bus import UnreachableError
from nodes.consortium import Consortium
from nodes.journal.event import Event, type_of
from nodes.node import Node
from nodes.sandbox.sandbox import Sandbox
from nodes.statements.model import Period, StatementKind, StatementRow
from nodes.trade_words import describe_trade_id

ROWS_AT_ONCE: Final = 2_000
_OF_BLOCKS: Final = type_of("chain.block_final")
_OF_TRADE: Final = type_of("trade.settled")
_OF_TRADES: Final = type_of("trades.settled")
_WANTED: Final = frozenset({_OF_BLOCKS, _OF_TRADE, _OF_TRADES})


class SettledRow(msgspec.Struct, frozen=True, kw_only=True):
    """Something that settled in a block.

    Attributes:
        row: the sequence of the event it comes from, and its place in that.
        kind: ``trade``, or ``position``: a holding that the block changed.
        who: the account, or seller → buyer.
        about: the trade's id, or why the holding changed.
        asset: symbol of the instrument, or currency.
        change: quantity and price of the trade, or by how much the holding changed.
        ledger: the amount that settled; of a position what the ledger has as the row is sent.
        own_book: the same by the own records; null while these are not known.
        agrees: whether both say the same. Trades settle that both sides have affirmed.
    """

    row: str
    block: int
    kind: str
    who: str
    about: str
    asset: str
    change: str
    ledger: str
    own_book: str | None
    agrees: bool | None


class SettledRows:
    """Rows for the holder of a key."""

    def __init__(self, sandbox: Sandbox, holder: KeyHolder) -> None:
        self._sandbox = sandbox
        self._holder = holder
        self._reader = None if holder.sees_everything else holder.name

    def of(self, kept: Sequence[KeptEvent], most: int | None = None) -> Iterator[list[SettledRow]]:
        """The rows of events, some at a time; of each event the last ``most``.

        Takes the market's lock for each part of them, not for all.
        """
        rows = self._rows(kept, most)
        while part := list(islice(rows, ROWS_AT_ONCE)):
            yield part

    def _rows(self, kept: Sequence[KeptEvent], most: int | None) -> Iterator[SettledRow]:
        seen = [each for each in kept if each.type in _WANTED and visible_to(self._reader, each)]
        events = [msgspec.json.decode(each.payload, type=Event) for each in seen]
        blocks = {e.data["number"]: e.sequence for e in events if e.type == _OF_BLOCKS}
        if blocks:
            # Whoever reads takes its time: not with the lock in its hands.
            with self._sandbox.lock:
                changed = self._positions(self._sandbox.consortium, blocks)
            yield from changed
        for event in events:
            if event.type != _OF_BLOCKS:
                yield from self._trades(event, most)

    def _trades(self, event: Event, most: int | None) -> Iterator[SettledRow]:
        with self._sandbox.lock:
            positions = _positions_in(self._sandbox.consortium, event.data)
        positions = positions if most is None else positions[-most:]
        numbers = count()
        for first in range(0, len(positions), ROWS_AT_ONCE):
            with self._sandbox.lock:
                consortium = self._sandbox.consortium
                trades = consortium.clearing_house.intake.stream.trades_at(
                    positions[first : first + ROWS_AT_ONCE]
                )
            for row in own_rows(consortium.network, self._holder, trades):
                yield _of_trade(consortium, event, trades, row, next(numbers))

    def _positions(self, consortium: Consortium, blocks: Mapping[int, int]) -> list[SettledRow]:
        """The holdings that some blocks have changed, of those whose holdings one sees."""
        period = Period(first_block=min(blocks), last_block=max(blocks))
        numbers = defaultdict[int, Iterator[int]](count)
        found: list[SettledRow] = []
        for node in consortium.nodes.values():
            if not self._holder.may_see(node.id):
                continue
            try:
                moved = node.statement(StatementKind.MOVEMENTS, period).rows
                standing = _standing(node) if moved else {}
            except (UnreachableError, MalformedError):
                # Its node is away, or behind: what it missed is among its breaks, if it stays so.
                continue
            for each in moved:
                if each.block in blocks:
                    name = f"{blocks[each.block]}.p{next(numbers[each.block])}"
                    found.append(_of_position(each, standing, name))
        return sorted(found, key=lambda row: row.block)


def _positions_in(consortium: Consortium, data: Mapping[str, Any]) -> Column:
    """Where the trades of an event stand in the capture."""
    house = consortium.clearing_house
    if "position" in data:
        return np.array([data["position"]], dtype=np.int64)
    cycle = house.cycles.get(data["cycle"]) if "cycle" in data else None
    if cycle is not None:
        return house.intake.staying(cycle.first_position, cycle.end_position)
    ranges = [np.arange(first, first + length) for first, length in data["ranges"]]
    return np.concatenate(ranges) if ranges else np.zeros(0, dtype=np.int64)


def _of_trade(
    consortium: Consortium, event: Event, trades: TradeColumns, row: int, number: int
) -> SettledRow:
    network = consortium.network
    instrument = network.instrument(int(trades.instruments[row]))
    seller = network.account_id(int(trades.sellers[row]))
    buyer = network.account_id(int(trades.buyers[row]))
    amount = f"{format_amount(int(trades.amounts[row]), instrument.currency)} {instrument.currency}"
    return SettledRow(
        row=f"{event.sequence}.{number}",
        block=event.block or 0,
        kind="trade",
        who=f"{seller} → {buyer}",
        about=describe_trade_id(network, trades, row),
        asset=instrument.symbol,
        change=f"{trades.quantities[row]} × {format_price(int(trades.prices[row]))}",
        ledger=amount,
        own_book=amount,
        agrees=True,
    )


def _standing(node: Node) -> dict[tuple[str, str], tuple[int, int]]:
    """What a node's own accounts have by the ledger and by its own book, by register and name."""
    return {
        (each.register.value, node.name_holding(each.register, each.key)): (
            each.available + each.held,
            each.own,
        )
        for each in node.position_report()
    }


def _of_position(
    moved: StatementRow, standing: Mapping[tuple[str, str], tuple[int, int]], name: str
) -> SettledRow:
    is_cash = moved.register == Register.CASH.value

    def said(amount: int) -> str:
        return format_amount(amount, moved.asset) if is_cash else str(amount)

    on_ledger, own = standing[moved.register, f"{moved.account} {moved.asset}"]
    return SettledRow(
        row=name,
        block=moved.block,
        kind="position",
        who=moved.account,
        about=moved.cause,
        asset=moved.symbol,
        change=f"{'+' if moved.amount > 0 else ''}{said(moved.amount)}",
        ledger=said(on_ledger),
        own_book=said(own),
        agrees=on_ledger == own,
    )
