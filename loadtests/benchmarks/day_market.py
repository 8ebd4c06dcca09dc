"""A made market: its network, its opening positions, and its trades as a stream, batch by batch.

Every batch follows from the seed and its own place in the day, so it can be made again alone, and
nothing of it has to be kept. All of it is integers. Instruments and brokers are traded by rank:
the k-th one k times less than the first (Zipf). Each instrument has a band of prices of its own;
the venue's numbers ascend over the day, and so in each instrument.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date
from functools import cached_property
from typing import Final

import numpy as np

from ledger.clearing.columns import Column
from ledger.domain.accounts import SUB_ACCOUNT_BITS
from ledger.domain.identifiers import isin_of_symbol
from ledger.domain.participants import Instrument, Participant, Role
from nodes.market_day.opening import Opening
from nodes.network import Network, with_infrastructure

DAY: Final = date(2026, 11, 23)
CURRENCY: Final = "CNY"
BATCH_TRADES: Final = 100_000
QUANTITY_MAX: Final = 1_000
PRICE_UNIT: Final = 10_000
"""Millionths in the smallest step of a price, which is a minor unit."""
PRICE_MAX: Final = 10_000
"""Minor units; no band reaches higher."""
_LOWEST_BAND: Final = 500
_BANDS: Final = 9_000
_BAND: Final = 400
_BANKS: Final = 2
ACCOUNTS_EACH: Final = 2
_OPENS_MS: Final = 10 * 3_600_000
_OPEN_MS: Final = 7 * 3_600_000
_SLOTS_BITS: Final = 16
_STEP_BITS: Final = 20
_WORD_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class MadeTrades:
    """Trades in order. Accounts and instruments are places in the market's lists, from 0.

    Attributes:
        prices: minor units for one unit.
        times: milliseconds of the day.
    """

    numbers: Column
    instruments: Column
    sellers: Column
    buyers: Column
    quantities: Column
    prices: Column
    times: Column

    def __len__(self) -> int:
        return len(self.numbers)

    def parts(self, count_max: int) -> Iterator["MadeTrades"]:
        """The same trades, so many at a time."""
        for first in range(0, len(self), count_max):
            rows = slice(first, first + count_max)
            yield MadeTrades(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True)
class Market:
    """A market day that follows from these four."""

    trades: int
    participants: int
    instruments: int
    seed: int

    @cached_property
    def network(self) -> Network:
        """Brokers with a house and a client account each, and their two banks."""
        brokers = [Participant(f"BRK-{i:03}", Role.BROKER) for i in range(1, self.participants + 1)]
        banks = [Participant(f"BANK-{i + 1}", Role.BANK) for i in range(_BANKS)]
        symbols = [f"DAY{i:05}" for i in range(1, self.instruments + 1)]
        network = Network(
            seed=f"day-{self.seed}",
            venue="XNOV",
            business_date=DAY,
            participants=with_infrastructure([*brokers, *banks]),
            instruments=tuple(Instrument(isin_of_symbol(s), s, CURRENCY) for s in symbols),
            currencies=(CURRENCY,),
            accounts=tuple(f"{broker.id}/client" for broker in brokers),
        )
        network.check()
        return network

    @cached_property
    def accounts(self) -> tuple[str, ...]:
        """The trading accounts: house and client of each broker in turn."""
        brokers = [broker.id for broker in self.network.of_role(Role.BROKER)]
        return tuple(name for broker in brokers for name in (broker, f"{broker}/client"))

    @cached_property
    def account_numbers(self) -> Column:
        """The numbers of the trading accounts on the chain."""
        places = np.arange(len(self.accounts), dtype=np.int64)
        return (places // ACCOUNTS_EACH + 1 << SUB_ACCOUNT_BITS) | places % ACCOUNTS_EACH

    @property
    def shares_each(self) -> int:
        """What every account has of every instrument: enough to sell in every trade of the day."""
        return self.trades * QUANTITY_MAX

    @property
    def cash_each(self) -> int:
        """What every account has in cash: enough to buy in every trade of the day."""
        return self.trades * QUANTITY_MAX * PRICE_MAX

    def opening(self) -> Opening:
        """What everybody has before the first trade."""
        isins = [instrument.isin for instrument in self.network.instruments]
        return Opening(
            securities={(a, isin): self.shares_each for a in self.accounts for isin in isins},
            cash={(account, CURRENCY): self.cash_each for account in self.accounts},
            is_derived=True,
        )

    def batches(self) -> Iterator[MadeTrades]:
        """The day, batch by batch."""
        return map(self.batch, range(-(-self.trades // BATCH_TRADES)))

    def batch(self, place: int) -> MadeTrades:
        """One batch of the day."""
        first = place * BATCH_TRADES
        count = min(BATCH_TRADES, self.trades - first)
        chance = np.random.default_rng([self.seed, place])
        words = np.frombuffer(chance.bytes(6 * count * _WORD_BYTES), dtype="<u4").reshape(6, count)
        shift = 32 - _SLOTS_BITS
        instruments = self._instrument_by_slot[words[0] >> shift]
        sellers = self._participant_by_slot[words[1] >> shift]
        buyers = self._participant_by_slot[words[2] >> shift]
        buyers = np.where(buyers == sellers, self._next_participant[buyers], buyers)
        ordinals = np.arange(first, first + count, dtype=np.int64)
        step = (_OPEN_MS << _STEP_BITS) // self.trades
        return MadeTrades(
            numbers=ordinals + 1,
            instruments=instruments,
            sellers=sellers * ACCOUNTS_EACH + (words[5] & 1),
            buyers=buyers * ACCOUNTS_EACH + (words[5] >> 1 & 1),
            quantities=_below(words[3], QUANTITY_MAX) + 1,
            prices=self._lowest_prices[instruments] + _below(words[4], _BAND),
            times=_OPENS_MS + (ordinals * step >> _STEP_BITS),
        )

    @cached_property
    def _lowest_prices(self) -> Column:
        """Where the band of each instrument begins."""
        return _LOWEST_BAND + np.arange(self.instruments, dtype=np.int64) * 37 % _BANDS

    @cached_property
    def _next_participant(self) -> Column:
        """Whom a participant trades with that would trade with itself."""
        return np.roll(np.arange(self.participants, dtype=np.int64), -1)

    @cached_property
    def _instrument_by_slot(self) -> Column:
        return _ranks(self.instruments)

    @cached_property
    def _participant_by_slot(self) -> Column:
        return _ranks(self.participants)


def _ranks(count: int) -> Column:
    """Ranks from 0, each in so many slots of a table as its share is."""
    slots = 1 << _SLOTS_BITS
    ends = np.cumsum((1 << 40) // np.arange(1, count + 1, dtype=np.int64))
    places = np.arange(slots, dtype=np.int64) * (int(ends[-1]) // slots)
    return np.searchsorted(ends, places, side="right").astype(np.int64)


def _below(words: "np.ndarray[tuple[int], np.dtype[np.uint32]]", bound: int) -> Column:
    """Words as numbers below a bound."""
    return ((words.astype(np.uint64) * np.uint64(bound)) >> np.uint64(32)).astype(np.int64)
