"""Time. The only module that reads the machine's clocks; everything else is handed a Clock.

Chain time stamps blocks. Business time is the market's: the date and the second of the day at which
instructions expire and breaks are first seen. They are different things.
"""

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Protocol

SECONDS_A_DAY = 86_400
NS: Final = 1_000_000_000
"""Nanoseconds a second: the stopwatch counts them."""


class Clock(Protocol):
    """What time it is, in three senses."""

    def chain_time(self) -> int:
        """Seconds since 1970, for block timestamps; never goes back."""

    def not_before(self, chain_seconds: int) -> None:
        """From now on chain time is never before this: where a chain has got that is opened."""

    def business_time(self) -> datetime:
        """The market's date and time of day."""

    def next_business_date(self, day: date) -> date:
        """The calendar: the business date after a date."""

    def has_ended(self, day: date) -> bool:
        """Whether a business date is over, and what had to be done at its end was begun."""

    def stopwatch_ns(self) -> int:
        """Nanoseconds that only ever grow, for measuring how long something took."""


def every_day(day: date) -> date:
    """The calendar of a market that never rests: the next day."""
    return day + timedelta(days=1)


@dataclass(slots=True)
class WallClock:
    """The machine's clock; business time is the same in UTC.

    Chain time stands still while the machine's clock is behind a time that was shown before.
    """

    latest: int = 0

    def chain_time(self) -> int:
        """Seconds since 1970, for block timestamps; never goes back."""
        self.not_before(int(time.time()))
        return self.latest

    def not_before(self, chain_seconds: int) -> None:
        """From now on chain time is never before this."""
        self.latest = max(self.latest, chain_seconds)

    def business_time(self) -> datetime:
        """The market's date and time of day."""
        return datetime.now(tz=UTC)

    def next_business_date(self, day: date) -> date:
        """The calendar: every day is a business date."""
        return every_day(day)

    def has_ended(self, day: date) -> bool:
        """Whether a business date is over: it ends at midnight."""
        return self.business_time().date() > day

    def stopwatch_ns(self) -> int:
        """Nanoseconds that only ever grow, for measuring how long something took."""
        return time.perf_counter_ns()


@dataclass(slots=True)
class SimulatedClock:
    """A clock that stands still until it is set; it never goes back.

    Chain time follows business time, so that the same story always makes the same blocks.
    """

    now: datetime

    @staticmethod
    def at(day: date, second: int = 9 * 3600) -> "SimulatedClock":
        """A clock that shows a second of a day."""
        return SimulatedClock(_moment(day, second))

    def set(self, day: date, second: int) -> None:
        """Moves to a second of a day. Raises ValueError for a moment already past."""
        moment = _moment(day, second)
        if moment < self.now:
            raise ValueError(f"{moment} is before {self.now}: time does not go back")
        self.now = moment

    def set_at_least(self, day: date, second: int) -> None:
        """Moves to a second of a day, or stays when it is already past."""
        self.now = max(self.now, _moment(day, second))

    def chain_time(self) -> int:
        """Seconds since 1970, for block timestamps; never goes back."""
        return int(self.now.timestamp())

    def not_before(self, chain_seconds: int) -> None:
        """From now on chain time is never before this."""
        self.now = max(self.now, datetime.fromtimestamp(chain_seconds, tz=UTC))

    def business_time(self) -> datetime:
        """The market's date and time of day."""
        return self.now

    def next_business_date(self, day: date) -> date:
        """The calendar: every day is a business date."""
        return every_day(day)

    def has_ended(self, day: date) -> bool:
        """Whether a business date is over: it ends at midnight."""
        return self.business_time().date() > day

    def stopwatch_ns(self) -> int:
        """Nanoseconds that only ever grow, for measuring how long something took."""
        return time.perf_counter_ns()


def _moment(day: date, second: int) -> datetime:
    midnight = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    return datetime.fromtimestamp(midnight + second, tz=UTC)


def machine_time() -> datetime:
    """What the machine's clock shows: to say when something was done, never to decide by it."""
    return datetime.now(tz=UTC)


def pause(seconds: float) -> None:
    """Waits; for loops that poll the outside world."""
    time.sleep(seconds)


def utc_of_micros(micros: int) -> datetime:
    """The moment so many microseconds after the beginning of 1970."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
