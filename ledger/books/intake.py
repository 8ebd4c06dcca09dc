"""The intake: captured trades in order, and what became of each.

Nearly all trades settle in the cycle of their position, so only the others are recorded one by one:
cancelled, not affirmed, or waiting as an instruction. Everything else follows from the cycles.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlmodel import select

from ledger.books.batches import BatchStream
from ledger.books.database import Database, UnitOfWork
from ledger.books.rows import upsert
from ledger.books.tables import TradeExceptionRow
from ledger.clearing.columns import Column, TradeColumns
from ledger.domain.reasons import Reason

CAPTURED: Final = "captured"
SETTLED: Final = "settled"
QUEUED: Final = "queued"
CANCELLED: Final = "cancelled"
UNAFFIRMED: Final = "unaffirmed"


@dataclass(frozen=True, slots=True)
class TradeStanding:
    """What has become of a trade. ``instruction`` is set when it settles on its own."""

    state: str
    reason: Reason | None = None
    instruction: bytes = b""


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive positions of the intake that a cycle is struck over.

    Attributes:
        rows: the positions that may be cleared, relative to ``first``.
        cancelled: the positions that cancel each other out.
    """

    first: int
    end: int
    trades: TradeColumns
    rows: Column
    cancelled: tuple[int, ...]


class Intake:
    """Captured trades as the exchange handed them over."""

    def __init__(self, database: Database) -> None:
        self.stream = BatchStream(database, "intake")
        self._exceptions: dict[int, TradeStanding] = {}
        with database.reading() as session:
            for row in session.exec(select(TradeExceptionRow)):
                reason = Reason[row.reason] if row.reason else None
                self._exceptions[row.position] = TradeStanding(row.state, reason, row.instruction)

    def take_in(
        self,
        session: UnitOfWork,
        first_position: int,
        trades: TradeColumns,
        unaffirmed: frozenset[int],
    ) -> bool:
        """Keeps what follows the trades that are here; anything else changes nothing: False."""
        if first_position != self.stream.end_position:
            return False
        self.stream.append(session, str(first_position), trades)
        standing = TradeStanding(UNAFFIRMED, Reason.UNAFFIRMED)
        self.note(session, {first_position + row: standing for row in unaffirmed})
        return True

    def note(self, session: UnitOfWork, standings: Mapping[int, TradeStanding]) -> None:
        """Records what became of single trades, by position."""
        rows = [
            {
                "position": position,
                "state": each.state,
                "reason": each.reason.name if each.reason else "",
                "instruction": each.instruction,
            }
            for position, each in standings.items()
        ]
        upsert(session, TradeExceptionRow, rows)
        session.on_commit(lambda: self._exceptions.update(standings))

    def exception(self, position: int) -> TradeStanding | None:
        """What became of a trade that did not settle in the cycle of its position."""
        return self._exceptions.get(position)

    def exceptions(self) -> Mapping[int, TradeStanding]:
        """All of them, by position."""
        return self._exceptions

    def window(self, first: int, end: int) -> Window:
        """The trades at positions [first, end) and which of them may be cleared."""
        trades = self.stream.trades(first, end)
        clearable = np.ones(len(trades), dtype=bool)
        clearable[[p - first for p in range(first, end) if p in self._exceptions]] = False
        cancelled: list[int] = []
        for row in np.flatnonzero(trades.cancels > 0).tolist():
            original = int(trades.cancels[row]) - 1
            if clearable[row] and self._undoes_nothing_settled(original, first):
                cancelled.extend([original, first + row])
                clearable[row] = False
                if original >= first:
                    clearable[original - first] = False
        return Window(first, end, trades, np.flatnonzero(clearable), tuple(cancelled))

    def _undoes_nothing_settled(self, original: int, first: int) -> bool:
        standing = self._exceptions.get(original)
        return original >= first if standing is None else standing.state != SETTLED
