"""The market day: opening positions, capture, affirmation, cycles, settlement, reconciliation.

Everything is done in an order and under names that follow from the file, so a day that was cut off
is simply run again: what is done already is found done, and the rest ends in the same state.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ledger.books import cycles as records
from ledger.clearing.columns import Column, TradeColumns
from ledger.domain.identifiers import isin_of_symbol
from nodes.clock import SimulatedClock
from nodes.consortium import Consortium
from nodes.desks import Feed, tell_desks
from nodes.market_day.faults import Fault, desk_version
from nodes.market_day.opening import Opening
from nodes.market_day.survey import Survey, file_columns, is_clearable, nobody
from nodes.opening_positions import issue_opening
from nodes.trade_files.reader import TradeFile

ABANDONED_IN_A_ROW_MAX: Final = 3
OPENING_SECOND: Final = 8 * 3600
LAST_SECOND: Final = 24 * 3600 - 1

OnTrades = Callable[[int], None]


class DayError(Exception):
    """The day cannot go on; the message says why."""


@dataclass(frozen=True, slots=True)
class DayPlan:
    """What a day is made of."""

    file: TradeFile
    survey: Survey
    opening: Opening
    faults: Sequence[Fault] = ()


class MarketDay:
    """Runs one day through a consortium."""

    def __init__(self, plan: DayPlan, consortium: Consortium, clock: SimulatedClock) -> None:
        self._plan = plan
        self._consortium = consortium
        self._clock = clock

    def run(self, on_cleared: OnTrades = nobody) -> int:
        """Runs the day to its end, or what is left of it; returns the number of open breaks."""
        consortium = self._consortium
        issue_opening(consortium, self._plan.opening)
        for first_line, lines, trades in self._batches():
            self._set_clock(trades)
            tell_desks(consortium, lines, trades, self._desk_version)
            consortium.exchange.capture(f"{self._plan.survey.digest.hex()}:{first_line}", trades)
            self._pass_on()
            self._close_cycles(at_least=consortium.rules.cycle_trades_max, on_cleared=on_cleared)
        self._pass_on()
        self._close_cycles(at_least=1, on_cleared=on_cleared)
        for trader in consortium.traders():
            trader.close_of_day()
        return consortium.reconcile()

    def _batches(self) -> Iterator[tuple[int, Column, TradeColumns]]:
        """The file's clearable trades, in the network's numbers: first line, lines, trades."""
        network, file, survey = self._consortium.network, self._plan.file, self._plan.survey
        instruments = np.array(
            [network.instrument_number(isin_of_symbol(symbol)) for symbol in survey.symbols]
        )
        accounts = np.array([network.account_number(account) for account in survey.accounts])
        currency = network.currency_number(file.format.currency)
        for block in file.blocks():
            lines = block.first_line + np.flatnonzero(is_clearable(block))
            trades = file_columns(file, block)
            yield block.first_line, lines, _renumbered(trades, instruments, accounts, currency)
        if file.digest != survey.digest:
            raise DayError(f"{file.path} has changed while it was read")

    def _set_clock(self, trades: TradeColumns) -> None:
        if len(trades):
            second = min(int(trades.times.max()) // 1_000, LAST_SECOND)
            self._clock.set_at_least(self._consortium.network.business_date, second)

    def _desk_version(self, participant: str, feed: Feed) -> Feed:
        return desk_version(self._consortium.network, self._plan.faults, participant, feed)

    def _pass_on(self) -> None:
        consortium = self._consortium
        taken = consortium.clearing_house.intake.stream.end_position
        consortium.exchange.pass_on(taken, consortium.exchange.captured.end_position)

    def _close_cycles(self, *, at_least: int, on_cleared: OnTrades) -> None:
        """Closes cycles while enough trades wait, and lets the queue and the books follow."""
        house = self._consortium.clearing_house
        abandoned = 0
        while house.net.waiting() >= at_least:
            row = house.net.close()
            assert row is not None
            abandoned = abandoned + 1 if row.state == records.ABANDONED else 0
            if abandoned > ABANDONED_IN_A_ROW_MAX:
                raise DayError(f"cycle {row.number} was abandoned time and again")
            house.gross.settle_queue()
            self._consortium.reconcile()
            on_cleared(house.cycles.watermark())


def _renumbered(
    trades: TradeColumns, instruments: Column, accounts: Column, currency: int
) -> TradeColumns:
    columns = trades.columns()
    columns["instruments"] = instruments[trades.instruments - 1]
    columns["sellers"] = accounts[trades.sellers - 1]
    columns["buyers"] = accounts[trades.buyers - 1]
    columns["currencies"] = np.full(len(trades), currency, dtype=np.int64)
    return TradeColumns(**columns)
