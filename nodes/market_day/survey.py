"""The survey: one pass over a trade file before anything is captured.

It finds every fault, counts what is in the file, and works out the opening positions with which the
day can settle: the lowest point of every account's running position, in the order of the file.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import numpy as np

from ledger.clearing.columns import Column, Mask, TradeColumns, holding_keys
from ledger.domain.amounts import (
    AMOUNT_MAX,
    PRICE_SCALE,
    SUPPLY_MAX,
    format_amount,
    format_price,
    half_up,
    minor_digits,
)
from nodes.market_day.names import NameCheck
from nodes.trade_files.block import NO_PARTICIPANT, Block
from nodes.trade_files.formats import TradeFileFormat
from nodes.trade_files.reader import TradeFile, TradeFileError

OnLines = Callable[[int], None]
"""Hears how many lines have been read."""

WORTH_MAX: Final = 2**62
"""Most minor units, and units, of all trades of a file together: sums stay below 2**63."""


@dataclass(slots=True)
class Counts:
    """What is in a trade file, by lines.

    ``without_price`` are those whose price is zero, below, or too small to come to a minor unit.
    """

    lines: int = 0
    trades: int = 0
    cancellations: int = 0
    after_market: int = 0
    same_participant: int = 0
    without_participant: int = 0
    without_price: int = 0

    @property
    def clearable(self) -> int:
        """Lines that a clearing house can take."""
        return self.trades + self.cancellations


@dataclass(frozen=True, slots=True)
class Survey:
    """A trade file without faults.

    Attributes:
        digest: SHA-256 of the content.
        accounts: the accounts in the file, in its order.
        symbols: the instruments in the file, in its order.
        lowest_quantities: lowest running position by (symbol index, account index), if below zero.
        lowest_amounts: the same for cash, by account index.
    """

    digest: bytes
    business_date: date
    counts: Counts
    accounts: tuple[str, ...]
    symbols: tuple[str, ...]
    lowest_quantities: Mapping[tuple[int, int], int]
    lowest_amounts: Mapping[int, int]


@dataclass(slots=True)
class RunningMinimum:
    """The lowest point of running sums, by key."""

    totals: dict[int, int] = field(default_factory=dict)
    lowest: dict[int, int] = field(default_factory=dict)

    def add(self, keys: Column, amounts: Column) -> None:
        """Extends the sums, in order."""
        order = np.argsort(keys, kind="stable")
        keys, sums = keys[order], np.cumsum(amounts[order])
        starts = np.flatnonzero(np.diff(keys, prepend=-1))
        before = np.concatenate([[0], sums])[starts]
        ends = np.append(starts[1:], len(keys)) - 1
        lowest = np.minimum.reduceat(sums, starts) - before
        for key, low, total in zip(
            keys[starts].tolist(), lowest.tolist(), (sums[ends] - before).tolist(), strict=True
        ):
            so_far = self.totals.get(key, 0)
            self.lowest[key] = min(self.lowest.get(key, 0), so_far + low)
            self.totals[key] = so_far + total


def survey(file: TradeFile, on_lines: OnLines = lambda _: None) -> Survey:
    """Surveys a file. Raises TradeFileError at its first fault."""
    counts, quantities, amounts = Counts(), RunningMinimum(), RunningMinimum()
    names, worth = NameCheck(file), Worth(file)
    first_date, last_date = 0, 0
    for block in file.blocks():
        names.look(block)
        if not file.format.is_public:
            first_date = first_date or int(block.dates[0])
            _check_own_format(file, block, first_date)
        trades = file_columns(file, block)
        worth.add(block, trades)
        _count(counts, file.format, block)
        if len(trades):
            delivered = trades.as_delivered()
            _run(quantities, delivered.instruments, delivered, trades.quantities, pays=False)
            _run(amounts, delivered.currencies, delivered, trades.amounts, pays=True)
        days = block.reference_dates if block.reference_dates.any() else block.dates
        last_date = max(last_date, int(days.max()))
        on_lines(counts.lines)
    if not counts.clearable:
        raise TradeFileError(file.path, 2, "line", "at least one trade to clear", "none")
    return Survey(
        digest=file.digest,
        business_date=date.fromordinal(last_date),
        counts=counts,
        accounts=tuple(file.format.participant_prefix + name for name in file.participants.names),
        symbols=tuple(file.instruments.names),
        lowest_quantities={
            ((key >> 32) - 1, (key & 0xFFFFFFFF) - 1): low
            for key, low in quantities.lowest.items()
            if low < 0
        },
        lowest_amounts={
            (key & 0xFFFFFFFF) - 1: low for key, low in amounts.lowest.items() if low < 0
        },
    )


def file_columns(file: TradeFile, block: Block) -> TradeColumns:
    """The clearable lines of a block as trades.

    Instruments and accounts are numbered from 1 as in the file, the currency is 1. Raises
    TradeFileError for an amount above the most that is allowed.
    """
    rows = np.flatnonzero(is_clearable(file.format, block))
    quantities, prices = block.quantities[rows], block.prices[rows]
    amounts = _amounts(file, block, rows, quantities, prices)
    ones = np.ones(len(rows), dtype=np.int64)
    return TradeColumns(
        dates=block.dates[rows],
        instruments=block.instruments[rows] + 1,
        numbers=block.numbers[rows],
        sellers=block.sellers[rows] + 1,
        buyers=block.buyers[rows] + 1,
        quantities=quantities,
        prices=prices,
        currencies=ones,
        amounts=amounts,
        times=block.times[rows],
        cancels=block.cancels[rows],
    )


def is_clearable(form: TradeFileFormat, block: Block) -> Mask:
    """Which lines a clearing house can take: both participants known, worth a minor unit or more.

    A format in which no line may be without either has been read without one.
    """
    known = (block.sellers != NO_PARTICIPANT) & (block.buyers != NO_PARTICIPANT)
    scale = 10 ** minor_digits(form.currency)
    # Half a minor unit is rounded up; this is the test without the product, which could overflow.
    is_worth_something = block.prices > (PRICE_SCALE - 1) // (2 * scale * block.quantities)
    return np.asarray(known & (block.prices > 0) & is_worth_something)


class Worth:
    """What all trades of a file come to, cancelled ones included: it must stay within bounds."""

    def __init__(self, file: TradeFile) -> None:
        self._file = file
        self._amount = 0
        self._quantity = 0

    def add(self, block: Block, trades: TradeColumns) -> None:
        """Raises TradeFileError at the block with which it is too much."""
        self._amount += sum(trades.amounts.tolist())
        self._quantity += sum(trades.quantities.tolist())
        if max(self._amount, self._quantity) > WORTH_MAX:
            last_line = block.first_line + len(block) - 1
            expected = f"at most {WORTH_MAX} units, and minor units, in all lines up to here"
            column = self._file.format.column_by_field["quantity"]
            found = str(max(self._amount, self._quantity))
            raise TradeFileError(self._file.path, last_line, column, expected, found)


def _amounts(
    file: TradeFile, block: Block, rows: Column, quantities: Column, prices: Column
) -> Column:
    """Quantity times price in minor units, half up, exactly."""
    scale = 10 ** minor_digits(file.format.currency)
    # Where the product could leave 63 bits it is worked out in Python's integers.
    large = prices > SUPPLY_MAX // (2 * scale) // quantities
    safe = np.where(large, 0, quantities) * prices * scale
    amounts: Column = (2 * safe + PRICE_SCALE) // (2 * PRICE_SCALE)
    for place in np.flatnonzero(large).tolist():
        exact = half_up(int(quantities[place]) * int(prices[place]) * scale, PRICE_SCALE)
        amounts[place] = min(exact, AMOUNT_MAX + 1)
    excessive = np.flatnonzero(amounts > AMOUNT_MAX)
    if len(excessive):
        line = block.first_line + int(rows[excessive[0]])
        column = file.format.column_by_field["quantity"]
        expected = f"quantity times price of at most {AMOUNT_MAX} minor units"
        raise TradeFileError(file.path, line, column, expected, str(quantities[excessive[0]]))
    return amounts


def _check_own_format(file: TradeFile, block: Block, day: int) -> None:
    """Our own format has one day a file, and no line that cannot be cleared."""
    other_day = np.flatnonzero(block.dates != day)
    worthless = np.flatnonzero(~is_clearable(file.format, block))
    if len(other_day):
        row, column = int(other_day[0]), file.format.column_by_field["date"]
        expected = f"{date.fromordinal(day)}, the day of the first line"
        found = str(date.fromordinal(int(block.dates[row])))
    elif len(worthless):
        row, column = int(worthless[0]), file.format.column_by_field["price"]
        expected = f"a price at which it is worth {format_amount(1, file.format.currency)}"
        found = format_price(int(block.prices[row]))
    else:
        return
    raise TradeFileError(file.path, block.first_line + row, column, expected, found)


def _count(counts: Counts, form: TradeFileFormat, block: Block) -> None:
    clearable = is_clearable(form, block)
    known = (block.sellers != NO_PARTICIPANT) & (block.buyers != NO_PARTICIPANT)
    counts.lines += len(block)
    counts.cancellations += int((clearable & (block.cancels > 0)).sum())
    counts.trades += int((clearable & (block.cancels == 0)).sum())
    counts.after_market += int(block.after_market.sum())
    counts.same_participant += int((clearable & (block.sellers == block.buyers)).sum())
    counts.without_participant += int((~known).sum())
    counts.without_price += int((known & ~clearable).sum())


def _run(
    sums: RunningMinimum, assets: Column, trades: TradeColumns, amounts: Column, *, pays: bool
) -> None:
    """Extends running positions by both sides of each trade, trade by trade."""
    keys = np.stack(
        [holding_keys(assets, trades.sellers), holding_keys(assets, trades.buyers)], axis=1
    )
    signed = np.stack([amounts, -amounts] if pays else [-amounts, amounts], axis=1)
    sums.add(keys.ravel(), signed.ravel())
