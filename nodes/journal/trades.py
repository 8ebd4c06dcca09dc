"""Events of trades: one for each when they are few, else one for all that came together."""

from collections.abc import Iterable, Mapping
from logging import DEBUG
from typing import Any, Final

import numpy as np

from ledger.books import cycles as records
from ledger.books.changes import TradesChange, ranges_of
from ledger.books.tables import CycleRow
from ledger.clearing.cells import occurring
from ledger.clearing.columns import Column, TradeColumns, participants_of
from ledger.logs import logger_of
from nodes.clearing_house.node import ClearingHouse
from nodes.journal.event import Draft
from nodes.journal.own_view import OWN_COUNTS
from nodes.trade_words import describe_trade_id

SINGLES_MAX: Final = 20
"""Up to so many trades that come together have an event each."""
RANGE_TRADES_MAX: Final = 200_000
RANGES_SHOWN_MAX: Final = 100
_STRUCK: Final = "struck"

log = logger_of(__name__)


class CapturedTrades:
    """Trades that the clearing house has taken in."""

    name = "captured"

    def __init__(self, house: ClearingHouse) -> None:
        self._house = house

    def present(self) -> int:
        """Where the intake ends."""
        return self._house.intake.stream.end_position

    def since(self, cursor: int) -> tuple[list[Draft], int]:
        """Those from a position on."""
        drafts: list[Draft] = []
        end = self.present()
        for first in range(cursor, end, RANGE_TRADES_MAX):
            last = min(first + RANGE_TRADES_MAX, end)
            drafts += of_trades(self._house, "captured", np.arange(first, last))
        return drafts, end


class Cycles:
    """Netting cycles, and the trades that settled in them. The cursor: those seen, those open."""

    name = "cycles"

    def __init__(self, house: ClearingHouse) -> None:
        self._house = house

    def present(self) -> dict[str, Any]:
        """The last number, and the cycles of which it is not known what became of them."""
        rows = self._house.cycles.all()
        open_numbers = [row.number for row in rows if row.state == records.SUBMITTED]
        return {"seen": rows[-1].number if rows else 0, "open": open_numbers}

    def since(self, cursor: dict[str, Any]) -> tuple[list[Draft], dict[str, Any]]:
        """Cycles that were struck, and what became of them and of earlier ones."""
        known = self._house.cycles
        seen, drafts, still_open = cursor["seen"], list[Draft](), list[int]()
        for number in [*cursor["open"], *range(seen + 1, known.next_number())]:
            row = known.get(number)
            if row is None:
                continue
            if number > seen and row.state != records.EMPTY:
                drafts.append(_of_cycle(_STRUCK, row))
            if row.state == records.SUBMITTED:
                still_open.append(number)
            else:
                drafts += self._ended(row)
        return drafts, {"seen": known.next_number() - 1, "open": still_open}

    def _ended(self, row: CycleRow) -> list[Draft]:
        hash = self._house.outbox.hash_of(f"cycle:{row.number}")
        ended = _of_cycle(row.state, row, hash)
        if row.state != records.SETTLED:
            return [ended]
        positions = self._house.intake.staying(row.first_position, row.end_position)
        values = {"cycle": row.number}
        return [ended, *of_trades(self._house, "settled", positions, values, row.block, hash)]


def of_change(house: ClearingHouse, change: TradesChange) -> list[Draft]:
    """What became of single trades."""
    positions = np.concatenate([np.arange(first, first + n) for first, n in change.ranges])
    values = {"reason": change.reason} if change.reason else {}
    return of_trades(house, change.state, positions, values, change.block)


def of_trades(  # what trades have in common
    house: ClearingHouse,
    act: str,
    positions: Column,
    values: dict[str, Any] | None = None,
    block: int | None = None,
    transaction: bytes | None = None,
) -> list[Draft]:
    """Events of trades at ascending positions."""
    if not len(positions):
        return []
    trades = _trades_at(house, positions)
    if len(positions) <= SINGLES_MAX:
        return [
            Draft(
                kind=f"trade.{act}",
                subject=describe_trade_id(house.network, trades, row),
                data={"position": position, **(values or {})},
                participants=_participants(house, trades.take(slice(row, row + 1))),
                block=block,
                transaction=transaction,
            )
            for row, position in enumerate(positions.tolist())
        ]
    if log.isEnabledFor(DEBUG):
        _write_lines(house, act, trades, positions, {"block": block, **(values or {})})
    ranges = ranges_of(positions.tolist())
    first, last = int(positions[0]), int(positions[-1])
    data = {
        "count": len(positions),
        "first_position": first,
        "last_position": last,
        "ranges": [list(each) for each in ranges[:RANGES_SHOWN_MAX]],
        "ranges_total": len(ranges),
        OWN_COUNTS: _own_counts(house, trades),
        **(values or {}),
    }
    return [
        Draft(
            kind=f"trades.{act}",
            subject=f"{first}..{last}",
            data=data,
            participants=_participants(house, trades),
            block=block,
            transaction=transaction,
        )
    ]


def _write_lines(
    house: ClearingHouse,
    act: str,
    trades: TradeColumns,
    positions: Column,
    fields: Mapping[str, object],
) -> None:
    """A line in the log for each trade of many that have one event together."""
    event = f"trade.{act}"
    for row, position in enumerate(positions.tolist()):
        name = describe_trade_id(house.network, trades, row)
        log.debug(event, trade=name, position=position, **fields)


def participant_ids(house: ClearingHouse, numbers: Iterable[int]) -> frozenset[str]:
    """Participants by their numbers."""
    return frozenset(map(house.network.participant_id, numbers))


def _trades_at(house: ClearingHouse, positions: Column) -> TradeColumns:
    first, end = int(positions[0]), int(positions[-1]) + 1
    if end - first == len(positions):
        return house.intake.stream.trades(first, end)
    return house.intake.stream.trades_at(positions)


def _participants(house: ClearingHouse, trades: TradeColumns) -> frozenset[str]:
    sides = participants_of(trades.sellers), participants_of(trades.buyers)
    return participant_ids(house, occurring(*sides).tolist())


def _own_counts(house: ClearingHouse, trades: TradeColumns) -> dict[str, int]:
    """How many of some trades are whose; one between accounts of a participant counts once."""
    sellers, buyers = participants_of(trades.sellers), participants_of(trades.buyers)
    sides = np.concatenate([sellers, buyers[buyers != sellers]])
    counts = np.bincount(sides)
    numbers = np.flatnonzero(counts)
    names = map(house.network.participant_id, numbers.tolist())
    return dict(zip(names, counts[numbers].tolist(), strict=True))


def _of_cycle(act: str, row: CycleRow, transaction: bytes | None = None) -> Draft:
    data = {
        "number": row.number,
        "first_position": row.first_position,
        "last_position": row.end_position - 1,
        "trades": row.trade_count,
        "parties": row.party_count,
        "rule_version": row.rule_version,
    }
    return Draft(
        kind=f"cycle.{act}",
        subject=str(row.number),
        data=data,
        block=None if act == _STRUCK else row.block,
        transaction=transaction,
    )
