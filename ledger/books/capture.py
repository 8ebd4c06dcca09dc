"""Sorting a submitted batch: trades that are new, repeats, or contradict the capture."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlmodel import select

from ledger.books.batches import BatchStream
from ledger.books.database import UnitOfWork
from ledger.books.tables import RefusalRow
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

    Rows of the batch itself have the virtual positions that follow the capture's end, so that an
    earlier row of the same batch is found like an earlier trade.
    """

    def __init__(self, captured: BatchStream, index: TradeIndex, trades: TradeColumns) -> None:
        self._captured = captured
        self._index = index
        self._trades = trades
        self._end = captured.end_position
        self._prints = fingerprints_of(trades)

    def sort(self) -> SortedBatch:
        """The verdict on every row."""
        trades, rows = self._trades, np.arange(len(self._trades))
        refused: dict[int, Rejected] = {}
        originals = self._earlier(self._prints, trades, rows)
        repeats = originals != NOT_FOUND
        self._refuse_other_terms(refused, rows[repeats], originals[repeats], "trade")
        cancels = np.flatnonzero((trades.cancels > 0) & ~repeats)
        cancelled = self._refuse_idle_cancels(refused, cancels)
        new = ~repeats
        new[list(refused)] = False
        positions = np.where(repeats, originals, NOT_FOUND)
        positions[new] = self._end + np.arange(int(new.sum()))
        # A repeat of a row of this batch stands where that row was put.
        inner = positions >= self._end
        inner &= repeats
        positions[inner] = positions[originals[inner] - self._end]
        positions[list(refused)] = NOT_FOUND
        marks = np.zeros(len(trades), dtype=np.int64)
        inner_cancelled = cancelled >= self._end
        cancelled[inner_cancelled] = positions[cancelled[inner_cancelled] - self._end]
        marks[cancels] = cancelled + 1
        return SortedBatch(replace(trades, cancels=marks).take(new), positions, refused)

    def _earlier(self, prints: Fingerprints, sought: TradeColumns, rows: Column) -> Column:
        """The earlier record of each sought trade, as a virtual position, or NOT_FOUND.

        ``rows`` says where in the batch each is sought from: only rows before count.
        """
        found = self._index.find(prints)
        unique, first_rows = np.unique(self._prints, return_index=True)
        places = np.minimum(np.searchsorted(unique, prints), max(len(unique) - 1, 0))
        inner = (found == NOT_FOUND) & (unique[places] == prints) & (first_rows[places] < rows)
        found[inner] = self._end + first_rows[places[inner]]
        hits = np.flatnonzero(found != NOT_FOUND)
        lies = hits[~same_identity(self._records(found[hits]), sought.take(hits))]
        for place in lies.tolist():
            found[place] = self._search(sought.take(slice(place, place + 1)), int(rows[place]))
        return found

    def _search(self, sought: TradeColumns, row: int) -> int:
        """The earlier record of a trade that shares its fingerprint with another."""
        fingerprint = fingerprints_of(sought)[0]
        inner = np.flatnonzero(self._prints[:row] == fingerprint) + self._end
        for position in [*self._index.find_all(fingerprint), *inner.tolist()]:
            if same_identity(self._records(np.array([position])), sought).all():
                return position
        return NOT_FOUND

    def _records(self, positions: Column) -> TradeColumns:
        """Trades by virtual position."""
        inner = positions >= self._end
        parts = [
            self._captured.trades_at(positions[~inner]),
            self._trades.take(positions[inner] - self._end),
        ]
        back = np.empty(len(positions), dtype=np.int64)
        back[np.concatenate([np.flatnonzero(~inner), np.flatnonzero(inner)])] = np.arange(
            len(positions)
        )
        return TradeColumns.concatenate(parts).take(back)

    def _refuse_other_terms(
        self, refused: dict[int, Rejected], rows: Column, originals: Column, what: str
    ) -> None:
        differing: Mask = ~same_terms(self._records(originals), self._trades.take(rows))
        for row in rows[differing].tolist():
            refused[row] = Rejected(Reason.DUPLICATE, f"the {what} was captured with other terms")

    def _refuse_idle_cancels(self, refused: dict[int, Rejected], cancels: Column) -> Column:
        """Refuses cancellations of nothing; returns what each of the others cancels."""
        sought = replace(self._trades, cancels=np.zeros(len(self._trades), dtype=np.int64))
        sought = sought.take(cancels)
        cancelled = self._earlier(fingerprints_of(sought), sought, cancels)
        for row in cancels[cancelled == NOT_FOUND].tolist():
            refused[row] = Rejected(Reason.UNKNOWN, "the cancelled trade was never captured")
        found = cancelled != NOT_FOUND
        self._refuse_other_terms(refused, cancels[found], cancelled[found], "cancelled trade")
        return cancelled


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


def all_refusals(session: UnitOfWork) -> Sequence[RefusalRow]:
    """Every refusal on record."""
    return session.exec(select(RefusalRow)).all()
