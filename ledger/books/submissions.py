"""Batches submitted from outside: what each was answered, by the hash of its content."""

from dataclasses import dataclass

import numpy as np
from sqlmodel import Session

from ledger.books.capture import SortedBatch
from ledger.books.database import UnitOfWork
from ledger.books.tables import SubmissionRow
from ledger.books.trade_index import NOT_FOUND
from ledger.clearing.columns import Column


@dataclass(frozen=True, slots=True)
class PositionRange:
    """Consecutive rows of a batch: at consecutive positions, or refused (NOT_FOUND)."""

    first_position: int
    count: int


@dataclass(frozen=True, slots=True)
class Submission:
    """The answer to a submitted batch; ``ranges`` are in the order of its rows."""

    captured: int
    repeated: int
    refused: int
    ranges: tuple[PositionRange, ...]


def submission_of(verdict: SortedBatch) -> Submission:
    """The answer to a batch that was sorted."""
    ranges = tuple(PositionRange(*pair) for pair in _pairs_of(verdict.positions).tolist())
    return Submission(verdict.count, verdict.repeated, len(verdict.refused), ranges)


def record_submission(session: UnitOfWork, content_hash: bytes, verdict: SortedBatch) -> None:
    """Keeps what a batch is answered."""
    session.merge(
        SubmissionRow(
            content_hash=content_hash,
            captured=verdict.count,
            repeated=verdict.repeated,
            refused=len(verdict.refused),
            positions=_pairs_of(verdict.positions).astype("<i8").tobytes(),
        )
    )


def find_submission(session: Session, content_hash: bytes) -> Submission | None:
    """What a batch of this content was answered; None when there was none."""
    row = session.get(SubmissionRow, content_hash)
    if row is None:
        return None
    pairs = np.frombuffer(row.positions, dtype="<i8").reshape(-1, 2)
    ranges = tuple(PositionRange(*pair) for pair in pairs.tolist())
    return Submission(row.captured, row.repeated, row.refused, ranges)


def _pairs_of(positions: Column) -> Column:
    """First position and count of each range of rows."""
    if not len(positions):
        return np.zeros((0, 2), dtype=np.int64)
    follows = (np.diff(positions) == 1) & (positions[:-1] != NOT_FOUND)
    follows |= (positions[1:] == NOT_FOUND) & (positions[:-1] == NOT_FOUND)
    starts = np.concatenate([[0], np.flatnonzero(~follows) + 1])
    counts = np.diff(np.append(starts, len(positions)))
    return np.stack([positions[starts], counts], axis=1)
