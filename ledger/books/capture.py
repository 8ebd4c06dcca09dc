"""Sorting a submitted batch: trades that are new, repeats, or contradict the capture."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlmodel import Session, select

from ledger.books.batches import BatchStream
from ledger.books.database import UnitOfWork
from ledger.books.tables import RefusalRow
from ledger.books.trade_index import (
    NOT_FOUND,
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
        positions: for each submitted row where it stands in the capture, or NOT_FOUND if refused.
        refused: why not, by row.
    """

    accepted: TradeColumns
    positions: Column
    refused: dict[int, Rejected]

    @property
    def repeated(self) -> int:
        """How many rows were captured before, with the same terms."""
        return len(self.positions) - len(self.accepted) - len(self.refused)


class BatchSorter:
    """Sorts one batch against a capture.

    Nearly all rows are settled in a few vectorised steps: those that the index knows, and those
    that are plainly new. What is left, cancellations and rows that repeat a row of the same batch,
    is looked at one by one in the order of the batch. Rows of the batch have the virtual positions
    that follow the capture's end until it is known which of them are accepted.
    """

    def __init__(self, captured: BatchStream, index: TradeIndex, trades: TradeColumns) -> None:
        self._captured = captured
        self._index = index
        self._trades = trades
        self._end = captured.end_position
        self._prints = fingerprints_of(trades)
        self._originals: Column = np.full(len(trades), NOT_FOUND, dtype=np.int64)
        self._cancelled: Column = np.full(len(trades), NOT_FOUND, dtype=np.int64)
        self._refused: dict[int, Rejected] = {}
        self._accepted_rows: dict[int, list[int]] = {}
        self._plain: Mask = np.zeros(len(trades), dtype=bool)
        self._plain_prints: set[int] = set()

    def sort(self) -> SortedBatch:
        """The verdict on every row."""
        known = self._take_known()
        _, firsts, counts = np.unique(self._prints, return_index=True, return_counts=True)
        is_single = np.zeros(len(self._trades), dtype=bool)
        is_single[firsts[counts == 1]] = True
        self._plain = is_single & ~known & (self._trades.cancels == 0)
        self._plain_prints = set(self._prints[self._plain].tolist())
        for row in np.flatnonzero(~known & ~self._plain).tolist():
            self._take(row)
        return self._verdict()

    def _take_known(self) -> Mask:
        """Settles the rows of trades that were captured before; returns which they are."""
        found = self._index.find(self._prints)
        hits = np.flatnonzero(found != NOT_FOUND)
        records, submitted = self._captured.trades_at(found[hits]), self._trades.take(hits)
        same = same_identity(records, submitted)
        known = np.zeros(len(self._trades), dtype=bool)
        known[hits[same]] = True
        self._originals[hits[same]] = found[hits[same]]
        differing = same & ~same_terms(records, submitted)
        for row in hits[differing].tolist():
            self._refused[row] = Rejected(Reason.DUPLICATE, _OTHER_TERMS)
        return known

    def _take(self, row: int) -> None:
        """The rule for one row, after all rows before it."""
        trade = self._trades.take(slice(row, row + 1))
        original = self._find(trade, row)
        if original != NOT_FOUND:
            self._originals[row] = original
            if not same_terms(self._record(original), trade).all():
                self._refused[row] = Rejected(Reason.DUPLICATE, _OTHER_TERMS)
            return
        if trade.cancels[0] > 0:
            cancelled = self._find(replace(trade, cancels=np.zeros(1, dtype=np.int64)), row)
            if cancelled == NOT_FOUND:
                self._refused[row] = Rejected(Reason.UNKNOWN, _NEVER_CAPTURED)
                return
            if not same_terms(self._record(cancelled), trade).all():
                self._refused[row] = Rejected(Reason.DUPLICATE, _OTHER_TERMS)
                return
            self._cancelled[row] = cancelled
        self._accepted_rows.setdefault(int(self._prints[row]), []).append(row)

    def _find(self, trade: TradeColumns, before_row: int) -> int:
        """The record of a trade's identity: in the capture, or accepted earlier in this batch."""
        fingerprint = fingerprints_of(trade)[0]
        rows = self._accepted_rows.get(int(fingerprint), [])
        if int(fingerprint) in self._plain_prints:
            rows = np.flatnonzero(self._plain & (self._prints == fingerprint)).tolist()
        inner = [self._end + row for row in rows if row < before_row]
        for position in [*self._index.find_all(fingerprint), *inner]:
            if same_identity(self._record(position), trade).all():
                return position
        return NOT_FOUND

    def _record(self, position: int) -> TradeColumns:
        """One trade by virtual position."""
        if position >= self._end:
            return self._trades.take(slice(position - self._end, position - self._end + 1))
        return self._captured.trades_at(np.array([position]))

    def _verdict(self) -> SortedBatch:
        accepted = self._originals == NOT_FOUND
        accepted[list(self._refused)] = False
        positions = np.where(accepted, self._end + np.cumsum(accepted) - 1, self._originals)
        inner = ~accepted & (self._originals >= self._end)
        positions[inner] = positions[self._originals[inner] - self._end]
        positions[list(self._refused)] = NOT_FOUND
        inner = self._cancelled >= self._end
        self._cancelled[inner] = positions[self._cancelled[inner] - self._end]
        trades = replace(self._trades, cancels=self._cancelled + 1).take(accepted)
        return SortedBatch(trades, positions, self._refused)


def record_refusal(
    session: UnitOfWork, batch_id: str, row: int, subject: str, refusal: Rejected
) -> None:
    """Puts on record that a submitted trade was refused; the same once more changes nothing."""
    record = RefusalRow(
        batch_id=batch_id,
        row=row,
        subject=subject,
        reason=refusal.reason.name,
        detail=refusal.detail,
    )
    session.merge(record)


def all_refusals(session: Session) -> Sequence[RefusalRow]:
    """Every refusal on record."""
    return session.exec(select(RefusalRow)).all()
