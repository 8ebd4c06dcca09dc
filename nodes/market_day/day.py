"""The market day: opening positions, capture, affirmation, cycles, settlement, reconciliation.

Everything is done in an order and under names that follow from the file, so a day that was cut off is
simply run again: what is done already is found done, and the rest ends in the same state.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from contracts.lines import LINES_PER_CALL_MAX, Lines
from ledger.books.postings import Register
from ledger.clearing.columns import Column, TradeColumns, participants_of
from ledger.domain.identifiers import isin_of_symbol
from nodes.bootstrap import parts
from nodes.clearing_house import records
from nodes.clock import SimulatedClock
from nodes.consortium import Consortium
from nodes.market_day.faults import Fault, desk_version
from nodes.market_day.opening import Opening
from nodes.market_day.survey import Survey, file_columns
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

    def run(self, on_cleared: OnTrades = lambda trades: None) -> int:
        """Runs the day to its end, or what is left of it; returns the number of open breaks."""
        consortium = self._consortium
        self._open_positions()
        for batch_id, trades in self._batches():
            self._set_clock(trades)
            self._tell_desks(batch_id, trades)
            consortium.exchange.capture(batch_id, trades)
            self._pass_on()
            self._close_cycles(at_least=consortium.rules.cycle_trades_max, on_cleared=on_cleared)
        self._pass_on()
        self._close_cycles(at_least=1, on_cleared=on_cleared)
        for trader in consortium.traders():
            trader.close_of_day()
        return consortium.reconcile()

    def _open_positions(self) -> None:
        """Issues the opening positions, in calls as large as the contracts take."""
        network, opening = self._consortium.network, self._plan.opening
        securities = {
            (network.instrument_number(isin) << 32) | network.account_number(account): amount
            for (account, isin), amount in opening.securities.items()
            if amount
        }
        self._issue(Register.SECURITIES, "", securities)
        for bank in network.banks():
            cash = {
                (network.currency_number(currency) << 32) | network.account_number(account): amount
                for (account, currency), amount in opening.cash.items()
                if amount and self._consortium.bank_of_account(account).id == bank
            }
            self._issue(Register.CASH, bank, cash)
        self._consortium.catch_up()

    def _issue(self, register: Register, bank: str, amount_by_key: dict[int, int]) -> None:
        consortium = self._consortium
        keeper = (
            consortium.registrar.keeper
            if register is Register.SECURITIES
            else consortium.bank(bank).keeper
        )
        for i, keys in enumerate(parts(sorted(amount_by_key), LINES_PER_CALL_MAX)):
            text = f"novate opening|{register.value}|{bank}|{i}"
            reference = hashlib.sha256(text.encode()).digest()
            lines = Lines(
                np.array(keys, dtype=np.int64),
                np.array([amount_by_key[key] for key in keys], dtype=np.int64),
            )
            owners = participants_of(lines.accounts)
            for number in np.unique(owners).tolist():
                mine = Lines(lines.keys[owners == number], lines.amounts[owners == number])
                trader = consortium.trader(consortium.network.participant_id(number))
                trader.expect_deposit(reference, register, mine)
            keeper.issue(reference, lines)

    def _batches(self) -> Iterator[tuple[str, TradeColumns]]:
        """The file's clearable trades, in the network's numbers, with the ids of their batches."""
        network, file, survey = self._consortium.network, self._plan.file, self._plan.survey
        instruments = np.array(
            [network.instrument_number(isin_of_symbol(symbol)) for symbol in survey.symbols]
        )
        accounts = np.array([network.account_number(account) for account in survey.accounts])
        currency = network.currency_number(file.format.currency)
        for block in file.blocks():
            trades = file_columns(file, block)
            yield f"{survey.digest.hex()}:{block.first_line}", _renumbered(
                trades, instruments, accounts, currency
            )
        if file.digest != survey.digest:
            raise DayError(f"{file.path} has changed while it was read")

    def _set_clock(self, trades: TradeColumns) -> None:
        if len(trades):
            second = min(int(trades.times.max()) // 1_000, LAST_SECOND)
            self._clock.set_at_least(self._consortium.network.business_date, second)

    def _tell_desks(self, batch_id: str, trades: TradeColumns) -> None:
        """Gives every trader's own desk its own trades, by a way that is not the exchange's."""
        consortium = self._consortium
        sellers, buyers = participants_of(trades.sellers), participants_of(trades.buyers)
        for number in np.unique(np.concatenate([sellers, buyers])).tolist():
            participant = consortium.network.participant_id(number)
            own = trades.take((sellers == number) | (buyers == number))
            version = desk_version(consortium.network, self._plan.faults, participant, own)
            consortium.trader(participant).record_trades(batch_id, version)

    def _pass_on(self) -> None:
        consortium = self._consortium
        taken = consortium.clearing_house.intake.stream.end_position
        consortium.exchange.pass_on_since(taken)

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
