"""What became of a batch, and gaps in a venue's numbers, as they go over the wire."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from api import trade_schemas as schemas
from ledger.books.gaps import Gap
from ledger.books.submissions import Submission
from ledger.books.tables import RefusalRow
from ledger.books.trade_index import NOT_FOUND
from ledger.domain.reasons import Reason
from nodes.network import Network
from nodes.sandbox.capture_queue import CapturedTrades

RANGES_SHOWN_MAX: Final = 10_000


def captured_batch_view(
    answer: CapturedTrades, refusals: Sequence[RefusalRow]
) -> schemas.CapturedBatch:
    """The answer to a batch, with its first refused rows."""
    submission = answer.submission
    return schemas.CapturedBatch(
        batch=answer.batch_id,
        captured=submission.captured,
        repeated=submission.repeated,
        refused=submission.refused,
        positions=list(_ranges(submission)),
        ranges=len(submission.ranges),
        refusals=[_refused_row(row) for row in refusals],
    )


def gap_view(network: Network, gap: Gap) -> schemas.Gap:
    """One gap."""
    instrument = network.instrument(gap.instrument)
    return schemas.Gap(
        trade_date=date.fromordinal(gap.date_ordinal).isoformat(),
        isin=instrument.isin,
        symbol=instrument.symbol,
        first=gap.first,
        last=gap.last,
        missing=gap.missing,
    )


def _ranges(submission: Submission) -> Iterator[schemas.PositionRange]:
    row = 0
    for each in submission.ranges[:RANGES_SHOWN_MAX]:
        first = None if each.first_position == NOT_FOUND else each.first_position
        yield schemas.PositionRange(row=row, count=each.count, first_position=first)
        row += each.count


def _refused_row(row: RefusalRow) -> schemas.RefusedRow:
    reason = Reason[row.reason]
    return schemas.RefusedRow(
        row=row.row, id=row.subject, code=reason.value, reason=reason.name, detail=row.detail
    )
