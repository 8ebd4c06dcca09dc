"""Which trades a list shows: by participant, instrument, number, range of capture, and state.

A page is looked for in so many trades at most; when that many did not fill it, it is short and its
cursor goes on from there.
"""

from dataclasses import dataclass
from typing import Annotated, Final

import numpy as np

from api.dependencies import RunningSandbox
from api.errors import refuse
from api.fields import TRADE_NUMBER_PATTERN
from api.own_trades import own_rows
from api.parameters import OnlyInstrument, OnlySide
from api.participants import require_participant
from api.said import in_query
from ledger.books.cycles import SETTLED as CYCLE_SETTLED
from ledger.books.intake import CAPTURED, SETTLED, UNAFFIRMED
from ledger.clearing.columns import Column, Mask, TradeColumns, are_of
from ledger.domain.errors import MalformedError
from ledger.domain.identifiers import encode_trade_number, isin_of_name, parse_date
from ledger.domain.instructions import State
from ledger.domain.key_holders import KeyHolder
from ledger.domain.reasons import Reason
from nodes.consortium import Consortium

SCANNED_MAX: Final = 1_000_000
SCANNED_AT_ONCE: Final = 10_000
LOOKED_THROUGH_MAX: Final = 200_000
"""Of the newest first, which is for people: a page comes at once, if need be a short one."""
POSITION_MAX: Final = 2**53
STATES: Final = (CAPTURED, UNAFFIRMED, *(state.value for state in State))

PositionQuery = Annotated[
    int | None,
    in_query(
        "Place in the order of capture, from 0.",
        "受理顺序号，从 0 起。",
        0,
        ge=0,
        le=POSITION_MAX,
    ),
]


Row = tuple[TradeColumns, int, int]
"""Trades, the row of one among them, and its position."""


@dataclass(frozen=True, slots=True)
class TradePage:
    """Some trades, and where to go on; None at the end."""

    rows: list[Row]
    next_position: int | None


@dataclass(frozen=True, slots=True)
class TradeFilter:
    """Which trades are wanted, in the network's numbers; None: any."""

    participant: int | None
    instrument: int | None
    number: int | None
    state: str | None
    date: int | None
    first: int
    end: int

    @property
    def is_of_all(self) -> bool:
        """Whether every trade of the range is wanted."""
        asked = (self.participant, self.instrument, self.number, self.state, self.date)
        return asked == (None,) * 5

    def rows_of(self, trades: TradeColumns) -> Column:
        """The rows that are wanted as far as the trades themselves say it."""
        wanted = np.ones(len(trades), dtype=bool)
        if self.participant is not None:
            wanted &= are_of(self.participant, trades)
        if self.instrument is not None:
            wanted &= trades.instruments == self.instrument
        if self.number is not None:
            wanted &= trades.numbers == self.number
        if self.date is not None:
            wanted &= trades.dates == self.date
        return np.flatnonzero(wanted)


async def trade_filter(
    sandbox: RunningSandbox,
    state: Annotated[
        str | None,
        in_query("Only those in this state.", "仅处于该状态的。", "settled", STATES, max_length=24),
    ] = None,
    participant: OnlySide = None,
    instrument: OnlyInstrument = None,
    number: Annotated[
        str | None,
        in_query(
            "The venue's identifier.", "场所成交编号。", "T1001", pattern=TRADE_NUMBER_PATTERN
        ),
    ] = None,
    trade_date: Annotated[
        str | None,
        in_query(
            "The business date of the trade.", "成交日期（营业日）。", "2026-02-10", max_length=10
        ),
    ] = None,
    captured_from: PositionQuery = None,
    captured_before: PositionQuery = None,
) -> TradeFilter:
    """What is asked for. Refuses names of nobody and nothing."""
    return filter_of(
        sandbox.consortium,
        Asked(state, participant, instrument, number, trade_date),
        range(captured_from or 0, POSITION_MAX if captured_before is None else captured_before),
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """Which trades are asked for, in words; None: any."""

    state: str | None = None
    participant: str | None = None
    instrument: str | None = None
    number: str | None = None
    trade_date: str | None = None


def filter_of(
    consortium: Consortium, asked: Asked, positions: range = range(POSITION_MAX)
) -> TradeFilter:
    """What is asked for, in the network's numbers. Refuses names of nobody and nothing."""
    network = consortium.network
    state, participant, instrument = asked.state, asked.participant, asked.instrument
    if state is not None and state not in STATES:
        raise refuse(Reason.INVALID, f"state: expected {', '.join(STATES)}, found {state}")
    if participant is not None:
        require_participant(consortium, participant)
    try:
        traded = network.instrument_number(isin_of_name(instrument)) if instrument else None
        encoded = encode_trade_number(asked.number) if asked.number else None
        date = parse_date(asked.trade_date).toordinal() if asked.trade_date else None
    except MalformedError as error:
        raise refuse(Reason.INVALID, str(error)) from error
    except KeyError:
        raise refuse(Reason.UNKNOWN, f"instrument {instrument} is not traded here") from None
    return TradeFilter(
        participant=network.participant_number(participant) if participant else None,
        instrument=traded,
        number=encoded,
        state=state,
        date=date,
        first=positions.start,
        end=positions.stop,
    )


def find_trades(
    consortium: Consortium, holder: KeyHolder, wanted: TradeFilter, cursor: int, limit: int
) -> TradePage:
    """The first so many trades from a position on that are wanted and that the holder sees."""
    exchange, found = consortium.exchange, list[Row]()
    end = min(wanted.end, exchange.captured_end())
    place = max(cursor, wanted.first)
    stop = min(end, place + SCANNED_MAX)
    step = limit + 1 if wanted.is_of_all and holder.sees_every_trade else SCANNED_AT_ONCE
    while place < stop:
        trades = exchange.trades(place, min(place + step, stop))
        for row in _wanted_rows(consortium, holder, wanted, trades, place):
            if not _is_in_state(consortium, wanted, place + row):
                continue
            if len(found) == limit:
                return TradePage(found, place + row)
            found.append((trades, row, place + row))
        place += len(trades)
    return TradePage(found, place if place < end else None)


def find_last_trades(
    consortium: Consortium, holder: KeyHolder, wanted: TradeFilter, before: int | None, limit: int
) -> TradePage:
    """The last so many trades before a position that are wanted and seen, the newest first.

    The page's ``next_position`` is what to go on before.
    """
    exchange, found = consortium.exchange, list[Row]()
    end = min(wanted.end, exchange.captured_end())
    place = end if before is None else min(before, end)
    stop = max(wanted.first, place - LOOKED_THROUGH_MAX)
    step = limit + 1 if wanted.is_of_all and holder.sees_every_trade else SCANNED_AT_ONCE
    while place > stop:
        first = max(place - step, stop)
        trades = exchange.trades(first, place)
        for row in reversed(_wanted_rows(consortium, holder, wanted, trades, first)):
            if not _is_in_state(consortium, wanted, first + row):
                continue
            if len(found) == limit:
                return TradePage(found, first + row + 1)
            found.append((trades, row, first + row))
        place = first
    return TradePage(found, place if place > wanted.first else None)


def _wanted_rows(
    consortium: Consortium,
    holder: KeyHolder,
    wanted: TradeFilter,
    trades: TradeColumns,
    first: int,
) -> list[int]:
    """The rows of trades from a position on that may be wanted, and that the holder sees."""
    own = own_rows(consortium.network, holder, trades)
    rows = np.intersect1d(own, wanted.rows_of(trades))
    if wanted.state is not None and len(rows):
        rows = rows[_may_be_in(consortium, wanted.state, first, len(trades))[rows]]
    found: list[int] = rows.tolist()
    return found


def _may_be_in(consortium: Consortium, state: str, first: int, count: int) -> Mask:
    """Which of so many trades may be in a state: all but the exceptions go as their cycles do."""
    house = consortium.clearing_house
    is_plain, has_settled = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    is_plain[house.intake.staying(first, first + count) - first] = True
    for cycle in house.cycles.in_force(first, first + count):
        if cycle.state == CYCLE_SETTLED:
            has_settled[max(cycle.first_position - first, 0) : cycle.end_position - first] = True
    if state == CAPTURED:
        return is_plain & ~has_settled
    return ~is_plain | has_settled if state == SETTLED else ~is_plain


def _is_in_state(consortium: Consortium, wanted: TradeFilter, position: int) -> bool:
    """Whether what has become of a trade is what is asked for."""
    return wanted.state in (None, consortium.clearing_house.standing_of(position).state)
