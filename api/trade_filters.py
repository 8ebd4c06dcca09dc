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
from ledger.books.intake import CAPTURED, UNAFFIRMED
from ledger.clearing.columns import Column, TradeColumns, are_of
from ledger.domain.errors import MalformedError
from ledger.domain.identifiers import encode_trade_number, isin_of_name
from ledger.domain.instructions import State
from ledger.domain.key_holders import KeyHolder
from ledger.domain.reasons import Reason
from nodes.consortium import Consortium

SCANNED_MAX: Final = 1_000_000
SCANNED_AT_ONCE: Final = 10_000
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
    first: int
    end: int

    @property
    def is_of_all(self) -> bool:
        """Whether every trade of the range is wanted."""
        return (self.participant, self.instrument, self.number, self.state) == (None,) * 4

    def rows_of(self, trades: TradeColumns) -> Column:
        """The rows that are wanted as far as the trades themselves say it."""
        wanted = np.ones(len(trades), dtype=bool)
        if self.participant is not None:
            wanted &= are_of(self.participant, trades)
        if self.instrument is not None:
            wanted &= trades.instruments == self.instrument
        if self.number is not None:
            wanted &= trades.numbers == self.number
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
    captured_from: PositionQuery = None,
    captured_before: PositionQuery = None,
) -> TradeFilter:
    """What is asked for. Refuses names of nobody and nothing."""
    network = sandbox.consortium.network
    if state is not None and state not in STATES:
        raise refuse(Reason.INVALID, f"state: expected {', '.join(STATES)}, found {state}")
    if participant is not None:
        require_participant(sandbox.consortium, participant)
    try:
        traded = network.instrument_number(isin_of_name(instrument)) if instrument else None
        encoded = encode_trade_number(number) if number else None
    except MalformedError as error:
        raise refuse(Reason.INVALID, str(error)) from error
    except KeyError:
        raise refuse(Reason.UNKNOWN, f"instrument {instrument} is not traded here") from None
    return TradeFilter(
        participant=network.participant_number(participant) if participant else None,
        instrument=traded,
        number=encoded,
        state=state,
        first=captured_from or 0,
        end=POSITION_MAX if captured_before is None else captured_before,
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
        own = own_rows(consortium.network, holder, trades)
        for row in np.intersect1d(own, wanted.rows_of(trades)).tolist():
            position = place + row
            if wanted.state not in (None, consortium.clearing_house.standing_of(position).state):
                continue
            if len(found) == limit:
                return TradePage(found, position)
            found.append((trades, row, position))
        place += len(trades)
    return TradePage(found, place if place < end else None)
