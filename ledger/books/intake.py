"""The intake: captured trades in order, and what became of each.

Nearly all trades settle in the cycle of their position, so only the others are recorded one by one:
cancelled, not affirmed, or waiting as an instruction. Everything else follows from the cycles.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from threading import Lock
from typing import Final

import numpy as np
from sqlmodel import select

from ledger.books.batches import RECENT_TRADES_MAX, BatchStream
from ledger.books.changes import TradesChange, note_changes, ranges_of
from ledger.books.database import Database, UnitOfWork
from ledger.books.rows import upsert
from ledger.books.tables import TradeExceptionRow
from ledger.books.trade_records import PackedTrades, RecordError, TradeRecord
from ledger.clearing.columns import Column, Mask, TradeColumns
from ledger.domain.reasons import Reason

CAPTURED: Final = "captured"
SETTLED: Final = "settled"
QUEUED: Final = "queued"
CANCELLED: Final = "cancelled"
UNAFFIRMED: Final = "unaffirmed"
WINDOW_TRADES_MAX: Final = 1 << 24
"""Trades that are kept in memory for the next window, at some thirty bytes each."""


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
    """Captured trades as the exchange handed them over.

    The latest are kept in memory, packed: ``recent_max`` of them, best what a window holds and what
    comes in beside it, and at most WINDOW_TRADES_MAX.
    """

    def __init__(self, database: Database, recent_max: int = RECENT_TRADES_MAX) -> None:
        kept = min(max(recent_max, RECENT_TRADES_MAX), WINDOW_TRADES_MAX)
        self.stream = BatchStream(database, "intake", kept)
        self._exceptions: dict[int, TradeStanding] = {}
        self._count_by_state: Counter[str] = Counter()
        self._columns = _ExceptionColumns()
        with database.reading() as session:
            for row in session.exec(select(TradeExceptionRow)):
                reason = Reason[row.reason] if row.reason else None
                self._exceptions[row.position] = TradeStanding(row.state, reason, row.instruction)
                self._count_by_state[row.state] += 1
        self._columns.note(self._exceptions)

    def take_in(
        self,
        session: UnitOfWork,
        first_position: int,
        records: Sequence[TradeRecord],
        unaffirmed: AbstractSet[int],
        unsigned: AbstractSet[int] = frozenset(),
    ) -> Sequence[PackedTrades]:
        """Keeps records as they came, if they follow the trades that are here; returns the trades.

        Anything else changes nothing and is no trades. ``unaffirmed`` and ``unsigned`` are rows
        of all records together. Raises RecordError when a record is not what its hash says.
        """
        if first_position != self.stream.end_position:
            return []
        packed = [record.checked() for record in records]
        if not all(trades.is_sound() for trades in packed):
            raise RecordError("a record without trades, or with numbers that no trade has")
        total = sum(trades.count for trades in packed)
        if not all(0 <= row < total for row in unaffirmed | unsigned):
            raise RecordError(f"a row not affirmed is not one of {total}")
        place, kept = first_position, []
        for record, trades in zip(records, packed, strict=True):
            if not _cancel_only_earlier(trades, place):
                raise RecordError("a cancellation of a trade that comes later")
            kept.append((str(place), record, trades))
            place += record.count
        self.stream.append_records(session, kept)
        reasons = dict.fromkeys(unaffirmed, Reason.UNAFFIRMED)
        reasons |= dict.fromkeys(unsigned, Reason.UNSIGNED)
        self.note(
            session,
            {
                first_position + row: TradeStanding(UNAFFIRMED, reasons[row])
                for row in sorted(reasons)
            },
        )
        return packed

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
        note_changes(session, _changes(standings))

        def publish() -> None:
            for position, each in standings.items():
                before = self._exceptions.get(position)
                if before is not None:
                    self._count_by_state[before.state] -= 1
                self._count_by_state[each.state] += 1
            self._exceptions.update(standings)
            self._columns.note(standings)

        session.on_commit(publish)

    def exception(self, position: int) -> TradeStanding | None:
        """What became of a trade that did not settle in the cycle of its position."""
        return self._exceptions.get(position)

    def count_of(self, state: str) -> int:
        """How many of these trades are in a state, as it was noted last."""
        return self._count_by_state[state]

    def exceptions(self) -> Mapping[int, TradeStanding]:
        """All of them, by position, as of now."""
        return dict(self._exceptions)

    def staying(self, first: int, end: int) -> Column:
        """The positions in [first, end) without an exception, ascending."""
        return first + np.flatnonzero(self._has_no_exception(first, end))

    def window(self, first: int, end: int, trades: TradeColumns | None = None) -> Window:
        """The trades at positions [first, end) and which of them may be cleared.

        ``trades`` are those trades, where the caller has them already.
        """
        if trades is None:
            trades = self.stream.trades(first, end)
        clearable = self._has_no_exception(first, first + len(trades))
        cancels = np.flatnonzero((trades.cancels > 0) & clearable)
        originals = trades.cancels[cancels] - 1
        undo = self._undo_nothing_settled(originals, first)
        cancels, originals = cancels[undo], originals[undo]
        clearable[cancels] = False
        clearable[originals[originals >= first] - first] = False
        cancelled = tuple(np.stack([originals, first + cancels], axis=1).ravel().tolist())
        return Window(first, end, trades, np.flatnonzero(clearable), cancelled)

    def _has_no_exception(self, first: int, end: int) -> Mask:
        staying = np.ones(max(end - first, 0), dtype=bool)
        staying[self._columns.within(first, end) - first] = False
        return staying

    def _undo_nothing_settled(self, originals: Column, first: int) -> Mask:
        """Which cancelled trades have not settled: struck from here on, or gone another way."""
        known, is_settled = self._columns.find(originals)
        return np.where(known, ~is_settled, originals >= first)


def _changes(standings: Mapping[int, TradeStanding]) -> list[TradesChange]:
    """Those that are not told of as instructions are."""
    positions: dict[tuple[str, str], list[int]] = {}
    for position, each in standings.items():
        if not each.instruction:
            reason = each.reason.name if each.reason else ""
            positions.setdefault((each.state, reason), []).append(position)
    return [
        TradesChange(ranges_of(sorted(places)), *standing) for standing, places in positions.items()
    ]


def _cancel_only_earlier(trades: PackedTrades, first: int) -> bool:
    """Whether trades from a position on cancel none but trades before them."""
    base, above = trades.bases["cancels"], trades.columns["cancels"]
    if not base and not above.any():
        return True
    places = first + np.arange(trades.count)
    return bool((above.astype(np.int64) + base <= places).all())


@dataclass(frozen=True, slots=True)
class _Sorted:
    """Positions of exceptions, ascending, and which of these have settled since."""

    positions: Column
    are_settled: Mask

    def with_new(self, new: Mapping[int, bool]) -> "_Sorted":
        """The same, with what was noted since: of two notes of a position the later one counts."""
        positions = np.fromiter(new, dtype=np.int64, count=len(new))
        are_settled = np.fromiter(new.values(), dtype=bool, count=len(new))
        positions = np.concatenate([self.positions, positions])
        are_settled = np.concatenate([self.are_settled, are_settled])
        # Stable: the later note comes last.
        order = np.argsort(positions, kind="stable")
        positions, are_settled = positions[order], are_settled[order]
        is_last = np.append(positions[1:] != positions[:-1], True)
        return _Sorted(positions[is_last], are_settled[is_last])


class _ExceptionColumns:
    """Exceptions in columns, sorted when they are asked for: by windows, not by each trade.

    The clearing notes them, while other threads ask for those of settled cycles.
    """

    def __init__(self) -> None:
        self._sorted = _Sorted(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool))
        self._new: dict[int, bool] = {}
        self._lock = Lock()

    def note(self, standings: Mapping[int, TradeStanding]) -> None:
        """Takes what is new into account."""
        with self._lock:
            self._new.update((place, each.state == SETTLED) for place, each in standings.items())

    def within(self, first: int, end: int) -> Column:
        """Those in [first, end)."""
        positions = self._now().positions
        low, high = np.searchsorted(positions, [first, end])
        return positions[low:high]

    def find(self, positions: Column) -> tuple[Mask, Mask]:
        """Which positions are exceptions, and which of these have settled."""
        now = self._now()
        if not len(now.positions):
            return np.zeros(len(positions), dtype=bool), np.zeros(len(positions), dtype=bool)
        places = np.searchsorted(now.positions, positions)
        places = np.minimum(places, len(now.positions) - 1)
        known = now.positions[places] == positions
        return known, known & now.are_settled[places]

    def _now(self) -> _Sorted:
        with self._lock:
            if self._new:
                self._sorted = self._sorted.with_new(self._new)
                self._new = {}
            return self._sorted
