"""A trader's blotter: the trades it made, from its own desk, and what has become of each.

The exchange's view of the same trades comes later and from elsewhere; comparing the two is what
affirmation means.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from enum import IntEnum
from functools import partial

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session, select

from ledger.books.batches import BatchStream
from ledger.books.database import Database, UnitOfWork
from ledger.books.postings import Cause, Origin
from ledger.books.tables import MarkRow, SettledRow
from ledger.books.trade_index import (
    NOT_FOUND,
    TradeIndex,
    fingerprints_of,
    same_identity,
    same_terms,
)
from ledger.clearing.columns import Column, Mask, TradeColumns
from ledger.domain.breaks import BreakKind

AFFIRMED_MARK = "affirmed"
DIFFERENT_MARK = "different"
ID_BYTES = 32


class Standing(IntEnum):
    """What has become of a trade of the blotter. It only ever goes up."""

    OPEN = 0
    DIFFERENT = 1
    AFFIRMED = 2
    SETTLED = 3


_STANDING_BY_MARK = {AFFIRMED_MARK: Standing.AFFIRMED, DIFFERENT_MARK: Standing.DIFFERENT}


class Blotter:
    """Own trades, found by identity."""

    def __init__(self, database: Database) -> None:
        self._stream = BatchStream(database, "blotter")
        self._index = TradeIndex()
        self._standing: NDArray[np.uint8] = np.zeros(0, dtype=np.uint8)
        self._repeated: set[int] = set()
        self._signed: dict[Cause, tuple[Column, int]] = {}
        self._fed_to = max((int(batch.id) for batch in self._stream.batches), default=-1)
        for first_position, trades in self._stream.read_all():
            self._take_in(first_position, trades)
        with database.reading() as session:
            settled = set(_causes(session))
            # Of a cycle that has settled no other version can.
            settled |= {replace(c, digest=b"") for c in settled if c.origin is Origin.CYCLE}
            for mark in session.exec(select(MarkRow)):
                self._restore(mark, settled)

    def record(self, session: UnitOfWork, sequence: Column, trades: TradeColumns) -> None:
        """Takes trades of the own desk in, each with its place in the desk's feed.

        A place at or below the last one recorded is a repetition and changes nothing.
        """
        fresh = sequence > self._fed_to
        if not fresh.any():
            return
        fed_to, new = int(sequence.max()), trades.take(fresh)
        batch = self._stream.append(session, str(fed_to), new)

        def publish() -> None:
            self._fed_to = fed_to
            self._take_in(batch.first_position, new)

        session.on_commit(publish)

    def find(self, trades: TradeColumns) -> Column:
        """The own record of each trade: its position, or NOT_FOUND."""
        prints = fingerprints_of(trades)
        positions = self._index.find(prints)
        found = positions != NOT_FOUND
        wrong = np.flatnonzero(found)[~same_identity(self.at(positions[found]), trades.take(found))]
        for row in wrong.tolist():
            positions[row] = self._find_slowly(prints[row], trades.take(slice(row, row + 1)))
        return positions

    def at(self, positions: Column) -> TradeColumns:
        """Own records by position."""
        return self._stream.trades_at(positions)

    def compare(self, trades: TradeColumns) -> dict[int, BreakKind]:
        """How the own records of trades differ, by row; rows that agree are left out."""
        positions = self.find(trades)
        kinds = dict.fromkeys(
            np.flatnonzero(positions == NOT_FOUND).tolist(), BreakKind.MISSING_OURS
        )
        found = np.flatnonzero(positions != NOT_FOUND)
        theirs, ours = trades.take(found), self.at(positions[found])
        for place in np.flatnonzero(~same_terms(ours, theirs)).tolist():
            kinds[int(found[place])] = _difference_of_terms(ours, theirs, place)
        if self._repeated:
            for row, fingerprint in enumerate(fingerprints_of(trades).tolist()):
                if fingerprint in self._repeated:
                    kinds[row] = BreakKind.DUPLICATE
        return kinds

    def answer(
        self, session: UnitOfWork, first_position: int, trades: TradeColumns, agreed: Column
    ) -> None:
        """Remembers which own records the exchange asked about: rows ``agreed`` or not."""
        positions = self.find(trades)
        others = np.setdiff1d(positions[positions != NOT_FOUND], positions[agreed])
        for kind, marked in ((AFFIRMED_MARK, positions[agreed]), (DIFFERENT_MARK, others)):
            mark = MarkRow(kind=kind, id=first_position.to_bytes(8, "big"), positions=_pack(marked))
            session.merge(mark)
            session.on_commit(partial(self._raise, marked, _STANDING_BY_MARK[kind]))

    def is_free(self, positions: Column, cause: Cause, now: int) -> Mask:
        """Which records may be signed for: not settled, and not promised to something else.

        Versions of one cycle do not stand in each other's way: only one of them can settle.
        """
        free = self._standing[positions] != Standing.SETTLED
        for promise, (promised, deadline) in self._signed.items():
            same = (promise.origin, promise.reference) == (cause.origin, cause.reference)
            if not same and deadline >= now:
                free &= ~np.isin(positions, promised)
        return np.asarray(free)

    def promise(self, session: UnitOfWork, cause: Cause, positions: Column, deadline: int) -> None:
        """Remembers which records a signature will be given for, and until when it can bind."""
        # An instruction is signed again with another deadline; the earlier signature still binds.
        _, bound_until = self._signed.get(cause, (positions, deadline))
        last = max(deadline, bound_until)
        session.merge(
            MarkRow(
                kind=cause.origin.value,
                id=cause.reference + cause.digest,
                positions=_pack(positions),
                deadline=last,
            )
        )
        session.on_commit(lambda: self._signed.update({cause: (positions, last)}))

    def settle(self, settled: Sequence[Cause]) -> None:
        """Marks the records that final blocks have settled."""
        for cause in settled:
            for promise in self._decided_by(cause):
                positions, _ = self._signed.pop(promise)
                if promise == cause:
                    self._raise(positions, Standing.SETTLED)

    def _decided_by(self, cause: Cause) -> list[Cause]:
        """The promises that bind no more: an id of a cycle settles once, in whatever version."""
        if cause.origin is Origin.CYCLE:
            return [
                promise
                for promise in self._signed
                if promise.origin is Origin.CYCLE and promise.reference == cause.reference
            ]
        return [cause] if cause in self._signed else []

    def never_asked_for(self) -> Column:
        """The positions of own records that the exchange never asked about."""
        return np.flatnonzero(self._standing == Standing.OPEN)

    def _take_in(self, first_position: int, trades: TradeColumns) -> None:
        prints = fingerprints_of(trades)
        unique, counts = np.unique(prints, return_counts=True)
        self._repeated.update(unique[counts > 1].tolist())
        self._repeated.update(prints[self.find(trades) != NOT_FOUND].tolist())
        self._index.add(prints, first_position)
        fresh = np.zeros(len(trades), dtype=np.uint8)
        self._standing = np.concatenate([self._standing, fresh])

    def _restore(self, mark: MarkRow, settled: AbstractSet[Cause]) -> None:
        positions = np.frombuffer(mark.positions, dtype="<i8").astype(np.int64)
        if mark.kind in _STANDING_BY_MARK:
            self._raise(positions, _STANDING_BY_MARK[mark.kind])
            return
        promise = Cause(Origin(mark.kind), mark.id[:ID_BYTES], mark.id[ID_BYTES:])
        if promise in settled:
            self._raise(positions, Standing.SETTLED)
        elif Cause(promise.origin, promise.reference) not in settled:
            self._signed[promise] = (positions, mark.deadline)

    def _raise(self, positions: Column, standing: Standing) -> None:
        self._standing[positions] = np.maximum(self._standing[positions], standing)

    def _find_slowly(self, fingerprint: np.uint64, trade: TradeColumns) -> int:
        """The position of a trade whose fingerprint another trade shares."""
        for position in self._index.find_all(fingerprint):
            if same_identity(self.at(np.array([position])), trade).all():
                return position
        return NOT_FOUND


def _causes(session: Session) -> Iterator[Cause]:
    for row in session.exec(select(SettledRow)):
        yield Cause(Origin(row.origin), row.reference, row.digest)


def _difference_of_terms(ours: TradeColumns, theirs: TradeColumns, row: int) -> BreakKind:
    if ours.quantities[row] != theirs.quantities[row]:
        return BreakKind.QUANTITY
    if ours.sellers[row] != theirs.sellers[row] or ours.buyers[row] != theirs.buyers[row]:
        return BreakKind.ACCOUNT
    return BreakKind.AMOUNT


def _pack(positions: Column) -> bytes:
    return positions.astype("<i8").tobytes()
