"""A trader's blotter: the trades it made, from its own desk, and what has become of each.

The exchange's view of the same trades comes later and from elsewhere; comparing the two is what
affirmation means.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import partial
from typing import Final

import numpy as np
from sqlmodel import Session, select

from ledger.books.batches import BatchStream
from ledger.books.database import Database, UnitOfWork
from ledger.books.growing_column import GrowingColumn
from ledger.books.highest_numbers import HighestNumbers
from ledger.books.last_prices import LastPrices
from ledger.books.position_sets import pack_positions, set_of, unpack_positions
from ledger.books.postings import Cause, Origin
from ledger.books.promises import Promises
from ledger.books.rows import upsert
from ledger.books.series import SeriesOrder
from ledger.books.tables import MarkRow, SettledRow
from ledger.books.trade_index import (
    NOT_FOUND,
    Fingerprints,
    TradeIndex,
    fingerprints_of,
    same_identity,
    same_terms,
)
from ledger.clearing.columns import Column, Mask, TradeColumns
from ledger.domain.breaks import BreakKind

REPORTED_MARK = "reported"
AFFIRMED_MARK = "affirmed"
DIFFERENT_MARK = "different"
ID_BYTES = 32
_ASKED_EARLY: Final = b"asked early"
INDEX_RUN_TRADES_MAX: Final = 1 << 18
"""Trades of a run that leaves the memory: there are many blotters, each of a part of the day."""
PROBE_TRADES: Final = 64
NEARLY_ALIKE_TRADES_MAX: Final = 1 << 16
"""Own records that are looked through for one of another date or instrument."""
PROBES_MAX: Final = 8


class Standing(IntEnum):
    """What has become of a trade of the blotter. It only ever goes up."""

    OPEN = 0
    DIFFERENT = 1
    AFFIRMED = 2
    SETTLED = 3


_STANDING_BY_MARK = {AFFIRMED_MARK: Standing.AFFIRMED, DIFFERENT_MARK: Standing.DIFFERENT}


@dataclass(frozen=True, slots=True)
class Match:
    """Trades as somebody else has them beside the own records.

    Attributes:
        positions: the own record of each trade, or NOT_FOUND.
        kinds: how the own records differ, by row; rows that agree are left out.
    """

    positions: Column
    kinds: dict[int, BreakKind]

    def agreed(self) -> Column:
        """The rows that agree."""
        agree = np.ones(len(self.positions), dtype=bool)
        agree[list(self.kinds)] = False
        return np.flatnonzero(agree)


class Blotter:
    """Own trades, found by identity."""

    def __init__(self, database: Database) -> None:
        self._stream = BatchStream(database, "blotter")
        self._index = TradeIndex(database.folder, INDEX_RUN_TRADES_MAX)
        self._highest = HighestNumbers()
        self._standing: GrowingColumn[np.uint8] = GrowingColumn(np.uint8)
        self._repeated: set[int] = set()
        self._promises = Promises()
        self._prices = LastPrices(self._stream)
        self._fed_to = max((int(batch.id) for batch in self._stream.batches), default=-1)
        self._noted = 0
        for first_position, trades in self._stream.read_all():
            self._take_in(first_position, trades)
        with database.reading() as session:
            settled = set(_causes(session))
            # Of a cycle that has settled no other version can.
            settled |= {replace(c, digest=b"") for c in settled if c.origin is Origin.CYCLE}
            for mark in session.exec(select(MarkRow)):
                self._restore(mark, settled)

    def __len__(self) -> int:
        return len(self._standing)

    @property
    def fed_to(self) -> int:
        """The last place of the desk's feed that is recorded; -1: none yet."""
        return self._fed_to

    def last_price(self, instrument: int) -> int | None:
        """What an instrument was last traded at, in millionths; None: never by this desk."""
        return self._prices.of(instrument)

    def record(self, session: UnitOfWork, sequence: Column, trades: TradeColumns) -> None:
        """Takes trades of the own desk in, each with its place in the desk's feed.

        A place at or below the last one recorded is a repetition and changes nothing.
        """
        fresh = sequence > self._fed_to
        if not fresh.any():
            return
        fed_to, new = int(sequence.max()), trades if fresh.all() else trades.take(fresh)
        batch = self._stream.append(session, str(fed_to), new)

        def publish() -> None:
            self._fed_to = fed_to
            self._take_in(batch.first_position, new)

        session.on_commit(publish)

    @property
    def reported_to(self) -> int:
        """Up to which place of its feed the own desk is known to have reported."""
        return max(self._fed_to + 1, self._noted)

    def note_reported(self, session: UnitOfWork, end: int) -> None:
        """Keeps that the own desk has reported all up to a place of its feed."""
        mark = {"kind": REPORTED_MARK, "id": b"", "positions": b"", "deadline": end}
        upsert(session, MarkRow, [mark])
        session.on_commit(lambda: setattr(self, "_noted", max(self._noted, end)))

    def find(self, trades: TradeColumns) -> Column:
        """The own record of each trade: its position, or NOT_FOUND."""
        return self._find(trades)[0]

    def at(self, positions: Column) -> TradeColumns:
        """Own records by position."""
        return self._stream.trades_at(positions)

    def match(self, trades: TradeColumns) -> Match:
        """The own records of trades, and how they differ."""
        positions, ours = self._find(trades)
        found, theirs = np.arange(len(trades)), trades
        kinds: dict[int, BreakKind] = {}
        if ours is None:
            is_found = positions != NOT_FOUND
            kinds = dict.fromkeys(np.flatnonzero(~is_found).tolist(), BreakKind.MISSING_OURS)
            found = np.flatnonzero(is_found)
            theirs, ours = trades.take(found), self.at(positions[found])
            for row, place, kind in self._nearly_alike(trades, np.flatnonzero(~is_found)):
                positions[row], kinds[row] = place, kind
        for place in np.flatnonzero(~same_terms(ours, theirs)).tolist():
            kinds[int(found[place])] = _difference_of_terms(ours, theirs, place)
        if self._repeated:
            repeated = np.flatnonzero(self._are_repeated(fingerprints_of(trades)))
            kinds |= dict.fromkeys(repeated.tolist(), BreakKind.DUPLICATE)
        return Match(positions, kinds)

    def _nearly_alike(
        self, trades: TradeColumns, rows: Column
    ) -> Iterator[tuple[int, int, BreakKind]]:
        """Of trades without an own record, those that only date or instrument keep from having one.

        Among the latest own records that nobody has asked about: the row, the own record, what
        differs.
        """
        end = len(self)
        first = max(end - NEARLY_ALIKE_TRADES_MAX, 0)
        standing = self._standing.values[first:end]
        if not len(rows) or not (standing == Standing.OPEN).any():
            return
        ours = self._stream.trades(first, end)
        places_by_terms: dict[tuple[int, ...], list[int]] = defaultdict(list)
        candidates = np.flatnonzero(
            (standing == Standing.OPEN) & np.isin(ours.numbers, trades.numbers[rows])
        )
        for place in candidates.tolist():
            places_by_terms[_terms(ours, place)].append(place)
        for row in rows.tolist():
            for place in places_by_terms.get(_terms(trades, row), ()):
                is_same_day = ours.dates[place] == trades.dates[row]
                is_same_asset = ours.instruments[place] == trades.instruments[row]
                if is_same_day != is_same_asset:
                    kind = BreakKind.INSTRUMENT if is_same_day else BreakKind.DATE
                    yield row, first + place, kind
                    break

    def answer(self, session: UnitOfWork, first_position: int, match: Match) -> None:
        """Remembers which own records the exchange asked about, and which of them agree."""
        positions, agreed = match.positions, match.agreed()
        is_other = positions != NOT_FOUND
        is_other[agreed] = False
        by_mark = {
            AFFIRMED_MARK: set_of(positions[agreed]),
            DIFFERENT_MARK: set_of(positions[is_other]),
        }
        id, marks = first_position.to_bytes(8, "big"), []
        for kind, marked in by_mark.items():
            before, kept = session.get(MarkRow, (kind, id)), marked
            if before:
                # Asked again of some of them only, it has still asked about all.
                kept = np.union1d(marked, unpack_positions(before.positions))
            packed = pack_positions(kept)
            marks.append({"kind": kind, "id": id, "positions": packed, "deadline": 0})
            session.on_commit(partial(self._raise, marked, _STANDING_BY_MARK[kind]))
        upsert(session, MarkRow, marks)

    def note_asked(self, session: UnitOfWork, positions: Column) -> None:
        """Remembers that the exchange had asked about own records before they were reported."""
        asked = set_of(positions)
        id = int(asked[0]).to_bytes(8, "big") + _ASKED_EARLY
        mark = {"kind": DIFFERENT_MARK, "id": id, "positions": pack_positions(asked), "deadline": 0}
        upsert(session, MarkRow, [mark])
        session.on_commit(partial(self._raise, asked, Standing.DIFFERENT))

    def is_free(self, positions: Column, cause: Cause, now: int) -> Mask:
        """Which records may be signed for: not settled, and not promised to something else.

        Versions of one cycle do not stand in each other's way: only one of them can settle.
        """
        free: Mask = self._standing.values[positions] != Standing.SETTLED
        free &= ~self._promises.bind(positions, cause, now)
        return free

    def promise(self, session: UnitOfWork, cause: Cause, positions: Column, deadline: int) -> None:
        """Remembers which records a signature will be given for, and until when it can bind."""
        # An instruction is signed again with another deadline; the earlier signature still binds.
        earlier, positions = self._promises.get(cause), set_of(positions)
        last = max(deadline, earlier.deadline) if earlier else deadline
        mark = {
            "kind": cause.origin.value,
            "id": cause.reference + cause.digest,
            "positions": pack_positions(positions),
            "deadline": last,
        }
        upsert(session, MarkRow, [mark])
        session.on_commit(partial(self._promises.add, cause, positions, last))

    def settle(self, settled: Sequence[Cause]) -> None:
        """Marks the records that final blocks have settled."""
        for cause in settled:
            promise = self._promises.decide(cause)
            if promise is not None:
                self._raise(promise.positions, Standing.SETTLED)

    def never_asked_for(self) -> Column:
        """The positions of own records that the exchange never asked about."""
        return np.flatnonzero(self._standing.values == Standing.OPEN)

    def _find(self, trades: TradeColumns) -> tuple[Column, TradeColumns | None]:
        """The positions of own records; and these, where all trades stand one after another."""
        positions = np.full(len(trades), NOT_FOUND, dtype=np.int64)
        row, ours = self._follow(trades, positions)
        if not row:
            positions, ours = self._look_up(trades)
        elif row < len(trades):
            positions[row:], _ = self._look_up(trades.take(slice(row, None)))
        if self._repeated:
            ours = None
            # Of several records of one trade the first counts.
            prints = fingerprints_of(trades)
            for each in np.flatnonzero(self._are_repeated(prints)).tolist():
                one = trades.take(slice(each, each + 1))
                positions[each] = self._find_slowly(prints[each], one)
        return positions, ours

    def _follow(self, trades: TradeColumns, positions: Column) -> tuple[int, TradeColumns | None]:
        """Finds trades that come as they were recorded; returns the first row it says nothing of.

        The exchange asks in the order of capture, and so do the desks report: where one trade
        stands, the next ones follow. When all do, the own records are returned as well.
        """
        row = 0
        for _ in range(PROBES_MAX):
            if len(trades) - row < PROBE_TRADES:
                break
            first = int(self._look_up(trades.take(slice(row, row + 1)))[0][0])
            if first == NOT_FOUND:
                row += 1
                continue
            found, ours = self._count_alike(trades, row, first, row + PROBE_TRADES)
            if found < PROBE_TRADES:
                break
            found, ours = self._count_alike(trades, row, first, len(trades))
            if found == len(trades):
                positions[:] = np.arange(first, first + found)
                return found, ours
            positions[row : row + found] = np.arange(first, first + found)
            row += found
        return row, None

    def _count_alike(
        self, trades: TradeColumns, row: int, first: int, end: int
    ) -> tuple[int, TradeColumns]:
        """How many trades from a row on, up to another, stand in the blotter from ``first`` on.

        And the own records that were looked at.
        """
        ours = self._stream.trades(first, first + end - row)
        alike = same_identity(ours, trades.take(slice(row, row + len(ours))))
        return len(alike) if alike.all() else int(np.argmin(alike)), ours

    def _look_up(self, trades: TradeColumns) -> tuple[Column, TradeColumns | None]:
        """The own record of each trade, by the index; the records too, where all are found."""
        prints = fingerprints_of(trades)
        positions = self._index.find(prints)
        rows, asked = np.flatnonzero(positions != NOT_FOUND), trades
        if len(rows) < len(trades):
            asked = trades.take(rows)
        ours = self.at(positions[rows])
        wrong = rows[~same_identity(ours, asked)]
        for row in wrong.tolist():
            positions[row] = self._find_slowly(prints[row], trades.take(slice(row, row + 1)))
        return positions, None if len(wrong) or asked is not trades else ours

    def _take_in(self, first_position: int, trades: TradeColumns) -> None:
        series = SeriesOrder.of(trades)
        prints = fingerprints_of(trades)
        others = np.flatnonzero(~self._highest.are_new(series))
        if len(others):
            unique, counts = np.unique(prints[others], return_counts=True)
            self._repeated.update(unique[counts > 1].tolist())
            known = self._look_up(trades.take(others))[0] != NOT_FOUND
            self._repeated.update(prints[others[known]].tolist())
        self._index.add(prints, first_position)
        self._highest.take_in(series)
        self._standing.append(np.zeros(len(trades), dtype=np.uint8))

    def _are_repeated(self, prints: Fingerprints) -> Mask:
        repeated = np.fromiter(self._repeated, dtype=np.uint64, count=len(self._repeated))
        return np.isin(prints, repeated)

    def _restore(self, mark: MarkRow, settled: AbstractSet[Cause]) -> None:
        if mark.kind == REPORTED_MARK:
            self._noted = mark.deadline
            return
        positions = unpack_positions(mark.positions)
        if mark.kind in _STANDING_BY_MARK:
            self._raise(positions, _STANDING_BY_MARK[mark.kind])
            return
        reference, digest = mark.id[:ID_BYTES], mark.id[ID_BYTES:]
        promise = Cause(Origin(mark.kind), reference, digest)
        if promise in settled:
            self._raise(positions, Standing.SETTLED)
        elif Cause(promise.origin, promise.reference) not in settled:
            self._promises.add(promise, positions, mark.deadline)

    def _raise(self, positions: Column, standing: Standing) -> None:
        values = self._standing.values
        values[positions] = np.maximum(values[positions], standing)

    def _find_slowly(self, fingerprint: np.uint64, trade: TradeColumns) -> int:
        """The position of a trade whose fingerprint another trade shares."""
        for position in self._index.find_all(fingerprint):
            if same_identity(self.at(np.array([position])), trade).all():
                return position
        return NOT_FOUND


def _causes(session: Session) -> Iterator[Cause]:
    for row in session.exec(select(SettledRow)):
        yield Cause(Origin(row.origin), row.reference, row.digest)


def _terms(trades: TradeColumns, row: int) -> tuple[int, ...]:
    """What two records of one trade have in common, whatever date and instrument they have."""
    columns = (trades.numbers, trades.sellers, trades.buyers, trades.quantities)
    return (*(int(column[row]) for column in columns), int(trades.cancels[row] > 0))


def _difference_of_terms(ours: TradeColumns, theirs: TradeColumns, row: int) -> BreakKind:
    if ours.quantities[row] != theirs.quantities[row]:
        return BreakKind.QUANTITY
    if ours.sellers[row] != theirs.sellers[row] or ours.buyers[row] != theirs.buyers[row]:
        return BreakKind.ACCOUNT
    return BreakKind.AMOUNT
