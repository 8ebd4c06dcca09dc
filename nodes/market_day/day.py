"""The market day: opening positions, capture, affirmation, cycles, settlement, reconciliation.

Everything is done in an order and under names that follow from the file, so a day that was cut off
is simply run again: what is done already is found done, and the rest ends in the same state.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np

from ledger.books import cycles as records
from ledger.books.tables import RefusalRow
from ledger.clearing.columns import Column, TradeColumns
from ledger.domain.identifiers import isin_of_symbol
from nodes.clock import SimulatedClock
from nodes.consortium import Consortium
from nodes.desks import Feed, take_in
from nodes.market_day.faults import Fault, desk_version
from nodes.market_day.opening import Opening
from nodes.market_day.survey import Survey, file_columns, is_clearable
from nodes.opening_positions import issue_opening
from nodes.trade_files.reader import TradeFile

ABANDONED_IN_A_ROW_MAX: Final = 3
OPENING_SECOND: Final = 8 * 3600
LAST_SECOND: Final = 24 * 3600 - 1


class Step(Enum):
    """What a day has just done; a crash after any of them changes nothing in its outcome."""

    OPENED = "opened"
    CAPTURED = "captured"
    TAKEN_IN = "taken in"
    CYCLE_CLOSED = "cycle closed"
    QUEUE_TRIED = "queue tried"
    RECONCILED = "reconciled"


OnStep = Callable[[Step, int], None]
"""Hears of each step, and of how many trades have been cleared by then."""


class DayError(Exception):
    """The day cannot go on; the message says why."""


@dataclass(frozen=True, slots=True)
class DayPlan:
    """What a day is made of. ``opening`` is what is issued: shortages are taken off it."""

    file: TradeFile
    survey: Survey
    opening: Opening
    faults: Sequence[Fault] = ()


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line of the trade file that the exchange refused: it changed nothing."""

    line: int
    subject: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class DayOutcome:
    """What became of the lines of the file.

    Attributes:
        captured: how many lines were captured.
        refused: the lines that were refused, in order.
        was_settled: whether an earlier run had settled the day, so that nothing was left to do.
    """

    captured: int
    refused: Sequence[RefusedLine]
    was_settled: bool


class MarketDay:
    """Runs one day through a consortium."""

    def __init__(
        self,
        plan: DayPlan,
        consortium: Consortium,
        clock: SimulatedClock,
        on_step: OnStep = lambda _step, _cleared: None,
    ) -> None:
        self._plan = plan
        self._consortium = consortium
        self._clock = clock
        self._on_step = on_step
        self._line_by_refusal: dict[tuple[str, int], int] = {}

    def run(self) -> DayOutcome:
        """Runs the day to its end, or what is left of it. Raises DayError."""
        consortium = self._consortium
        before = self._progress()
        issue_opening(consortium, self._plan.opening)
        self._done(Step.OPENED)
        # A crash may have come between a cycle and the queue that is tried after it.
        consortium.clearing_house.work()
        consortium.reconcile()
        known = {batch.id for batch in consortium.exchange.captured.batches}
        refused = self._refusals()
        for batch_id, lines, trades in self._batches():
            self._set_clock(trades)
            # A batch is judged once: what was refused stays refused, whatever came after it.
            if batch_id not in known and batch_id not in refused:
                verdict = consortium.exchange.capture(batch_id, trades)
                refused[batch_id] = list(verdict.refused)
            self._remember(batch_id, lines, refused.get(batch_id, []))
            self._done(Step.CAPTURED)
            take_in(consortium, self._desk_version)
            self._done(Step.TAKEN_IN)
            self._close_cycles(at_least=consortium.rules.cycle_trades_max)
        self._close_cycles(at_least=1)
        for trader in consortium.traders():
            trader.close_of_day()
        consortium.reconcile()
        return DayOutcome(
            captured=sum(
                batch.count
                for batch in consortium.exchange.captured.batches
                if self._is_of_the_file(batch.id)
            ),
            refused=self._refused_lines(),
            was_settled=self._progress() == before,
        )

    def _progress(self) -> tuple[int, ...]:
        """What grows as long as a day is not settled."""
        house, exchange = self._consortium.clearing_house, self._consortium.exchange
        ends = exchange.captured.end_position, house.intake.stream.end_position
        return (*ends, house.cycles.next_number(), -len(house.desk.book.queue))

    def _refusals(self) -> dict[str, list[int]]:
        """The refused rows of the file's batches, as of earlier runs."""
        refused: dict[str, list[int]] = {}
        for row in self._consortium.exchange.refusals():
            if self._is_of_the_file(row.batch_id):
                refused.setdefault(row.batch_id, []).append(row.row)
        return refused

    def _remember(self, batch_id: str, lines: Column, rows: Sequence[int]) -> None:
        for row in rows:
            self._line_by_refusal[batch_id, row] = int(lines[row])

    def _batches(self) -> Iterator[tuple[str, Column, TradeColumns]]:
        """The file's clearable trades, in the network's numbers: batch id, lines, trades."""
        network, file, survey = self._consortium.network, self._plan.file, self._plan.survey
        instruments = np.array(
            [network.instrument_number(isin_of_symbol(symbol)) for symbol in survey.symbols]
        )
        accounts = np.array([network.account_number(account) for account in survey.accounts])
        currency = network.currency_number(file.format.currency)
        for block in file.blocks():
            lines = block.first_line + np.flatnonzero(is_clearable(file.format, block))
            trades = _renumbered(file_columns(file, block), instruments, accounts, currency)
            yield f"{survey.digest.hex()}:{block.first_line}", lines, trades
        if file.digest != survey.digest:
            raise DayError(f"{file.path} has changed while it was read")

    def _set_clock(self, trades: TradeColumns) -> None:
        if len(trades):
            second = min(int(trades.times.max()) // 1_000, LAST_SECOND)
            self._clock.set_at_least(self._consortium.network.business_date, second)

    def _desk_version(self, participant: str, feed: Feed) -> Feed:
        return desk_version(self._consortium.network, self._plan.faults, participant, feed)

    def _close_cycles(self, *, at_least: int) -> None:
        """Closes cycles while enough trades wait, and lets the queue and the books follow."""
        house = self._consortium.clearing_house
        abandoned = 0
        while house.net.waiting() >= at_least:
            row = house.net.close()
            assert row is not None
            self._done(Step.CYCLE_CLOSED)
            abandoned = abandoned + 1 if row.state == records.ABANDONED else 0
            if abandoned > ABANDONED_IN_A_ROW_MAX:
                raise DayError(f"cycle {row.number} was abandoned time and again")
            house.work()
            self._done(Step.QUEUE_TRIED)
            self._consortium.reconcile()
            self._done(Step.RECONCILED)

    def _refused_lines(self) -> list[RefusedLine]:
        rows = [r for r in self._consortium.exchange.refusals() if self._is_of_the_file(r.batch_id)]
        return sorted(map(self._refused_line, rows), key=lambda refused: refused.line)

    def _refused_line(self, row: RefusalRow) -> RefusedLine:
        line = self._line_by_refusal[row.batch_id, row.row]
        return RefusedLine(line, row.subject, row.reason, row.detail)

    def _is_of_the_file(self, batch_id: str) -> bool:
        return batch_id.startswith(self._plan.survey.digest.hex())

    def _done(self, step: Step) -> None:
        self._on_step(step, self._consortium.clearing_house.cycles.watermark())


def _renumbered(
    trades: TradeColumns, instruments: Column, accounts: Column, currency: int
) -> TradeColumns:
    columns = trades.columns()
    columns["instruments"] = instruments[trades.instruments - 1]
    columns["sellers"] = accounts[trades.sellers - 1]
    columns["buyers"] = accounts[trades.buyers - 1]
    columns["currencies"] = np.full(len(trades), currency, dtype=np.int64)
    return TradeColumns(**columns)
