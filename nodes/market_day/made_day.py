"""A made market day, for demonstrations and tests, in the format of B3's public file.

Nothing in it ever happened. It is skewed like a market: a few participants and instruments have
most of the trades, prices walk, sizes come in lots. The same seed makes the same file, byte for
byte.
"""

import io
import zipfile
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from ledger.clearing.columns import Column
from nodes.trade_files.formats import B3_TRADES

MADE_DAY_SEED: Final = 20260714
_ZIP_TIME: Final = (2026, 7, 14, 18, 0, 0)
_LOT: Final = 100
_OPEN_MS: Final = 10 * 3_600_000
_CLOSE_MS: Final = 17 * 3_600_000
_CANCELLED_SHARE: Final = 0.002
_AFTER_MARKET_SHARE: Final = 0.004
_EMPTY_SHARE: Final = 0.001


@dataclass(frozen=True, slots=True)
class MadeDay:
    """The size of a made day."""

    trades: int = 100_000
    participants: int = 60
    instruments: int = 300
    seed: int = MADE_DAY_SEED
    day: date = date(2026, 7, 14)


def write_made_day(size: MadeDay, path: Path) -> int:
    """Writes a made day; zipped when the name ends in ``.zip``. Returns how many are cancelled."""
    text = io.StringIO()
    cancelled = _write(size, text)
    content = text.getvalue().encode(B3_TRADES.encoding)
    if path.suffix != ".zip":
        path.write_bytes(content)
        return cancelled
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        info = zipfile.ZipInfo(path.with_suffix(".txt").name, _ZIP_TIME)
        info.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(info, content)
    return cancelled


def _write(size: MadeDay, text: io.StringIO) -> int:
    chance = np.random.Generator(np.random.PCG64(size.seed))
    symbols = [f"MADE{i}" for i in range(1, size.instruments + 1)]
    codes = chance.permutation(np.arange(1, size.participants * 3))[: size.participants]
    instruments = _skewed(chance, size.instruments, size.trades, 1.1)
    buyers = codes[_skewed(chance, size.participants, size.trades, 0.9)]
    sellers = codes[_skewed(chance, size.participants, size.trades, 0.9)]
    quantities = _LOT * np.minimum(chance.geometric(0.12, size.trades), 500)
    times = np.sort(_busy_times(chance, size.trades))
    ticks = _prices(chance, instruments, size)
    is_after = chance.random(size.trades) < _AFTER_MARKET_SHARE
    is_empty = chance.random(size.trades) < _EMPTY_SHARE
    is_cancelled = chance.random(size.trades) < _CANCELLED_SHARE
    numbers = np.zeros(size.instruments, dtype=np.int64)
    before = size.day - timedelta(days=1)
    text.write(B3_TRADES.header + "\r\n")
    pending: list[str] = []
    for i in range(size.trades):
        instrument = int(instruments[i])
        numbers[instrument] += 10
        buyer, seller = ("", "") if is_empty[i] else (buyers[i], sellers[i])
        session, traded = ("6", before) if is_after[i] else ("1", size.day)
        price = f"{ticks[i] // 100},{ticks[i] % 100:02d}0"
        tail = (
            f"{price};{quantities[i]};{_clock(int(times[i]))};{numbers[instrument]};{session};"
            f"{traded.isoformat()};{buyer};{seller}\r\n"
        )
        head = f"{size.day.isoformat()};{symbols[instrument]};"
        text.write(f"{head}0;{tail}")
        if is_cancelled[i] and not is_empty[i]:
            pending.append(f"{head}2;{tail}")
        if len(pending) > 3:
            text.write(pending.pop(0))
    text.writelines(pending)
    return int((is_cancelled & ~is_empty).sum())


def _skewed(chance: np.random.Generator, kinds: int, count: int, power: float) -> Column:
    weights = 1.0 / np.arange(1, kinds + 1) ** power
    return chance.choice(kinds, size=count, p=weights / weights.sum())


def _busy_times(chance: np.random.Generator, count: int) -> Column:
    """Milliseconds since midnight, busiest at the open and the close."""
    shares = np.abs(chance.beta(0.7, 0.8, count))
    return (_OPEN_MS + shares * (_CLOSE_MS - _OPEN_MS)).astype(np.int64)


def _prices(chance: np.random.Generator, instruments: Column, size: MadeDay) -> Column:
    """Cents: each instrument starts somewhere and walks a cent or so at a trade."""
    start = chance.integers(300, 12_000, size.instruments)
    steps = chance.integers(-2, 3, size.trades)
    prices = np.empty(size.trades, dtype=np.int64)
    for instrument in range(size.instruments):
        mine = instruments == instrument
        prices[mine] = np.maximum(start[instrument] + np.cumsum(steps[mine]), 100)
    return prices


def _clock(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1_000)
    return f"{seconds // 3600:02d}{seconds // 60 % 60:02d}{seconds % 60:02d}{rest:03d}"
