"""Sorting a submitted batch: trades that are new, repeats, or contradict the capture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import Integer, literal_column
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, func, select

from ledger.books.batches import BatchStream
from ledger.books.database import UnitOfWork
from ledger.books.highest_numbers import HighestNumbers
from ledger.books.rows import upsert
from ledger.books.series import SeriesOrder
from ledger.books.tables import RefusalRow, table_of
from ledger.books.trade_index import (
    NOT_FOUND,
    Fingerprints,
    TradeIndex,
    fingerprints_of,
    same_identity,
    same_terms,
)
from ledger.clearing.columns import Column, Mask, TradeColumns
from ledger.domain.reasons import Reason, Rejected

_OTHER_TERMS = "the trade was captured with other terms"
_NEVER_CAPTURED = "the cancelled trade was never captured"


@dataclass(frozen=True, slots=True)
class SortedBatch:
    """A submitted batch, sorted.

    Attributes:
        accepted: the new trades, in order; ``cancels`` is one more than the position cancelled.
        accepted_rows: their rows in the submitted batch.
        positions: for each submitted row where it stands in the capture, or NOT_FOUND if refused.
        refused: why not, by row.
        series: the series of the accepted trades, where sorting has shown them.
    """

    accepted: TradeColumns
    accepted_rows: Column
    positions: Column
    refused: dict[int, Rejected]
    series: SeriesOrder | None = None

    @property
    def count(self) -> int:
        """How many rows are captured."""
        return len(self.accepted)

    @property
    def repeated(self) -> int:
        """How many rows were captured before, with the same terms."""
        return len(self.positions) - len(self.accepted) - len(self.refused)


class BatchSorter:
    """Sorts one batch against a capture, in a fixed number of vectorised steps.

    Rows whose number is above all others of its series so far are new. The original of another row
    is the trade of the same identity that the capture has, or else the first in the batch that is
    accepted. A row with an original repeats it or contradicts it. Only refused rows, and the rare
    ones whose fingerprint lies, are looked at one by one.
    """

    def __init__(
        self,
        captured: BatchStream,
        index: TradeIndex,
        trades: TradeColumns,
        highest: HighestNumbers,
    ) -> None:
        self._captured = captured
        self._index = index
        self._highest = highest
        self._trades = trades
        self._end = captured.end_position
        self._refused: dict[int, Rejected] = {}

    def sort(self) -> SortedBatch:
        """The verdict on every row."""
        series = SeriesOrder.of(self._trades)
        new = self._highest.are_new(series)
        if new.all() and not self._trades.cancels.any():
            rows = np.arange(len(self._trades), dtype=np.int64)
            return SortedBatch(self._trades, rows, self._end + rows, {}, series)
        return self._sort_others(new)

    def _sort_others(self, new: Mask) -> SortedBatch:
        """The verdicts on a batch in which not every row is a new trade."""
        is_cancel = self._trades.cancels > 0
        count = len(self._trades)
        self._prints = fingerprints_of(self._trades)
        # Where the original of each row stands: in the capture, or as a row of this batch.
        self._known: Column = np.full(count, NOT_FOUND, dtype=np.int64)
        self._first: Column = np.arange(count, dtype=np.int64)
        self._accepted: Mask = new & ~is_cancel
        self._cancels: Column = np.zeros(count, dtype=np.int64)
        self._take_known(np.flatnonzero(~new))
        others = np.flatnonzero((self._known == NOT_FOUND) & ~is_cancel & ~new)
        self._take_firsts(others, others)
        positions = self._end + np.cumsum(self._accepted) - 1
        if is_cancel.any():
            self._take_cancels(np.flatnonzero(is_cancel & (self._known == NOT_FOUND)))
            positions = self._end + np.cumsum(self._accepted) - 1
            inner = self._cancels < 0
            self._cancels[inner] = positions[-1 - self._cancels[inner]] + 1
        else:
            self._cancels = self._trades.cancels
        positions = np.where(self._known == NOT_FOUND, positions[self._first], self._known)
        positions[list(self._refused)] = NOT_FOUND
        trades = replace(self._trades, cancels=self._cancels)
        if not self._accepted.all():
            trades = trades.take(self._accepted)
        return SortedBatch(trades, np.flatnonzero(self._accepted), positions, self._refused)

    def _take_known(self, rows: Column) -> None:
        """Settles those of some rows whose trades were captured before."""
        self._known[rows] = self._find(self._trades.take(rows), self._prints[rows])
        hits = np.flatnonzero(self._known != NOT_FOUND)
        if len(hits):
            records = self._captured.trades_at(self._known[hits])
            differing = hits[~same_terms(records, self._trades.take(hits))]
            self._refuse(differing, Rejected(Reason.DUPLICATE, _OTHER_TERMS))

    def _take_firsts(self, rows: Column, may_be_first: Column) -> None:
        """Accepts the first row of each identity; the others repeat or contradict it.

        Both are ascending; only rows that may be the first are accepted.
        """
        first = _first_of_identity(self._trades, self._prints, rows, may_be_first)
        self._first[rows] = first
        self._accepted[rows[first == rows]] = True
        others = rows[first != rows]
        if len(others):
            ours, theirs = self._trades.take(self._first[others]), self._trades.take(others)
            differing = others[~same_terms(ours, theirs)]
            self._refuse(differing, Rejected(Reason.DUPLICATE, _OTHER_TERMS))

    def _take_cancels(self, rows: Column) -> None:
        """Settles new cancellations: each names a trade of the capture, or an earlier row.

        All valid cancellations of a trade have its terms, so the second repeats the first.
        """
        asked = replace(self._trades.take(rows), cancels=np.zeros(len(rows), dtype=np.int64))
        known = self._find(asked, fingerprints_of(asked))
        inner = self._earlier_rows(rows, known)
        found, is_inner = (known != NOT_FOUND) | (inner != NOT_FOUND), inner != NOT_FOUND
        self._refuse(rows[~found], Rejected(Reason.UNKNOWN, _NEVER_CAPTURED))
        same = np.zeros(len(rows), dtype=bool)
        is_known = known != NOT_FOUND
        records = self._captured.trades_at(known[is_known])
        same[is_known] = same_terms(records, asked.take(is_known))
        same[is_inner] = same_terms(self._trades.take(inner[is_inner]), asked.take(is_inner))
        self._refuse(rows[found & ~same], Rejected(Reason.DUPLICATE, _OTHER_TERMS))
        # Rows of this batch are noted below zero until it is known where they will stand.
        self._cancels[rows[is_known]] = known[is_known] + 1
        self._cancels[rows[is_inner]] = -1 - inner[is_inner]
        self._take_firsts(rows[same], rows[same])

    def _earlier_rows(self, rows: Column, known: Column) -> Column:
        """The accepted row of this batch that each cancellation names, if it stands before it."""
        accepted = np.flatnonzero(self._accepted)
        everything = np.concatenate([accepted, rows])
        plain = replace(self._trades, cancels=np.zeros(len(self._trades), dtype=np.int64))
        order = np.argsort(everything, kind="stable")
        first = np.empty(len(everything), dtype=np.int64)
        first[order] = _first_of_identity(
            plain, fingerprints_of(plain), everything[order], accepted
        )
        inner = first[len(accepted) :]
        return np.where((known == NOT_FOUND) & (inner < rows) & self._accepted[inner], inner, -1)

    def _find(self, trades: TradeColumns, prints: Fingerprints) -> Column:
        """Where the capture has trades of these identities, or NOT_FOUND."""
        found = self._index.find(prints)
        hits = np.flatnonzero(found != NOT_FOUND)
        if len(hits):
            records = self._captured.trades_at(found[hits])
            for row in hits[~same_identity(records, trades.take(hits))].tolist():
                found[row] = self._find_slowly(prints[row], trades.take(slice(row, row + 1)))
        return found

    def _find_slowly(self, fingerprint: np.uint64, trade: TradeColumns) -> int:
        """The position of a trade whose fingerprint another trade shares."""
        for position in self._index.find_all(fingerprint):
            if same_identity(self._captured.trades_at(np.array([position])), trade).all():
                return position
        return NOT_FOUND

    def _refuse(self, rows: Column, refusal: Rejected) -> None:
        self._refused.update(dict.fromkeys(rows.tolist(), refusal))


def _first_of_identity(
    trades: TradeColumns, fingerprints: Fingerprints, rows: Column, may_be_first: Column
) -> Column:
    """For each of some ascending rows, the first row of its identity that may be first, or itself.

    Only rows whose fingerprint occurs twice are compared at all.
    """
    prints = fingerprints[rows]
    ascending = np.sort(prints)
    repeated = ascending[1:][ascending[1:] == ascending[:-1]]
    first = rows.copy()
    if not len(repeated):
        return first
    shared = np.flatnonzero(np.isin(prints, repeated))
    some = trades.take(rows[shared])
    is_later = ~np.isin(rows[shared], may_be_first)
    keys = (is_later, some.numbers, some.instruments, some.dates * 2 + (some.cancels > 0))
    # Stable: within an identity those that may be first come first, in order of rows.
    order = np.lexsort(keys)
    ordered = some.take(order)
    begins = np.ones(len(order), dtype=bool)
    begins[1:] = ~same_identity(ordered.take(slice(1, None)), ordered.take(slice(None, -1)))
    leads = np.flatnonzero(begins)[np.cumsum(begins) - 1]
    first[shared[order]] = rows[shared[order][leads]]
    return first


def split_batch(whole: SortedBatch, sizes: Sequence[int]) -> list[SortedBatch]:
    """The verdicts on the parts of a batch that was sorted as one."""
    if len(sizes) == 1:
        return [whole]
    parts: list[SortedBatch] = []
    first, taken = 0, 0
    for size in sizes:
        count = int(np.searchsorted(whole.accepted_rows, first + size)) - taken
        rows = whole.accepted_rows[taken : taken + count] - first
        accepted = whole.accepted.take(slice(taken, taken + count))
        positions = whole.positions[first : first + size]
        refused = {
            row - first: why for row, why in whole.refused.items() if first <= row < first + size
        }
        parts.append(SortedBatch(accepted, rows, positions, refused))
        first, taken = first + size, taken + count
    return parts


def record_refusals(
    session: UnitOfWork, batch_id: str, refused: Mapping[int, tuple[str, Rejected]]
) -> None:
    """Puts on record which rows were refused: subject and why. The same again changes nothing."""
    rows = [
        {
            "batch_id": batch_id,
            "row": row,
            "subject": subject,
            "reason": refusal.reason.name,
            "detail": refusal.detail,
        }
        for row, (subject, refusal) in refused.items()
    ]
    upsert(session, RefusalRow, rows)


def first_refusals(session: Session, batch_id: str, count_max: int) -> Sequence[RefusalRow]:
    """The first refused rows of a batch."""
    rows = select(RefusalRow).where(RefusalRow.batch_id == batch_id)
    return session.exec(rows.order_by(col(RefusalRow.row)).limit(count_max)).all()


def all_refusals(session: Session) -> Sequence[RefusalRow]:
    """Every refusal on record."""
    return session.exec(select(RefusalRow)).all()


@dataclass(frozen=True, slots=True)
class NumberedRefusal:
    """A refusal on record; numbers rise in the order in which they were put there."""

    number: int
    batch_id: str
    row: int
    subject: str
    reason: str


_NUMBER = literal_column("rowid", Integer)


def refusals_after(session: Session, number: int, count: int) -> list[NumberedRefusal]:
    """The first so many refusals after one."""
    known = table_of(RefusalRow).c
    rows = select_columns(_NUMBER, known.batch_id, known.row, known.subject, known.reason)
    wanted = rows.where(number < _NUMBER).order_by(_NUMBER).limit(count)
    return [NumberedRefusal(*row) for row in session.connection().execute(wanted)]


def last_refusal(session: Session) -> int:
    """The number of the last refusal; 0 when there is none."""
    last = select_columns(func.max(_NUMBER)).select_from(table_of(RefusalRow))
    return session.connection().scalar(last) or 0


def count_refusals(session: Session) -> int:
    """How many refusals are on record."""
    return session.exec(select(func.count()).select_from(RefusalRow)).one()
