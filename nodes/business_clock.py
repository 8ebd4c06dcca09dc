"""The business clock of a running market: the machine's clock, which an operator may set.

Business time runs with the machine's clock, ahead of it by so much as it was set forward; it can be
frozen and let run again from where it stood. It never goes back. Chain time is the machine's
throughout: blocks do not know what the market's clock shows.

How it is set is a small file in the state folder, written whole: a market that is killed goes on
with the time it had, and a frozen clock stays frozen.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from threading import RLock
from typing import Final

import msgspec

from ledger.books.database import StorageError
from ledger.books.whole_files import write_bytes_whole
from ledger.domain.errors import MalformedError
from nodes.clock import Clock, WallClock, every_day
from nodes.folder_meta import StateFolderError

OPENING: Final = time(9)
"""When a business day begins, for whoever moves on to the next one."""
LATEST: Final = datetime(2999, 12, 31, 23, 59, 59, tzinfo=UTC)
_TIME: Final = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2})?", re.ASCII)
_MOMENT: Final = re.compile(rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{_TIME.pattern}", re.ASCII)
ADVANCE_SECONDS_MAX: Final = 366 * 86_400

NextBusinessDate = Callable[[date], date]
"""A calendar, as far as a clock needs one: the business date after a date."""


Target = Callable[[datetime], datetime]
"""Where a clock is moved, from what it shows."""


def stay(now: datetime) -> datetime:
    """It is not moved."""
    return now


def at(moment: time | datetime) -> Target:
    """To a time of the present business date, or a date and time."""
    if isinstance(moment, datetime):
        return lambda _: moment
    return lambda now: datetime.combine(now.date(), moment, tzinfo=UTC)


def later_by(seconds: int) -> Target:
    """Forward by so many seconds. Raises MalformedError for too many, or fewer than none."""
    if not 0 <= seconds <= ADVANCE_SECONDS_MAX:
        raise MalformedError(f"0 to {ADVANCE_SECONDS_MAX} seconds", seconds)
    return lambda now: now + timedelta(seconds=seconds)


class Setting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a clock is set.

    Attributes:
        ahead: by how much a running clock is ahead of the machine's.
        frozen_at: what a frozen clock shows; None while it runs.
        end_of_day: time of day at which a business day ends; None: at midnight.
        ended: the last business date that has ended.
    """

    ended: date
    ahead: timedelta = timedelta()
    frozen_at: datetime | None = None
    end_of_day: time | None = None


class BusinessClock:
    """A ``Clock`` whose business time is set apart from chain time. Any thread may ask it."""

    def __init__(
        self,
        file: Path | None = None,
        machine: Clock | None = None,
        next_business_date: NextBusinessDate = every_day,
    ) -> None:
        """The clock as its file has it; one that shows the machine's time when there is no file.

        Raises StateFolderError when the file cannot be read.
        """
        self._file = file
        self._machine = machine or WallClock()
        self._next_business_date = next_business_date
        self._lock = RLock()
        yesterday = self._machine.business_time().date() - timedelta(days=1)
        self._setting = _read(file) or Setting(ended=yesterday)
        self._shown = datetime.min.replace(tzinfo=UTC)
        if file is not None and not file.exists():
            # From now on a day that passes while nobody is there is known to have passed.
            self._set(self._setting)

    # The time, in three senses.

    def chain_time(self) -> int:
        """Seconds since 1970, for block timestamps; never goes back."""
        return self._machine.chain_time()

    def not_before(self, chain_seconds: int) -> None:
        """From now on chain time is never before this."""
        self._machine.not_before(chain_seconds)

    def stopwatch_ns(self) -> int:
        """Nanoseconds that only ever grow, for measuring how long something took."""
        return self._machine.stopwatch_ns()

    def business_time(self) -> datetime:
        """The market's date and time of day; never goes back, whatever the machine's clock does."""
        with self._lock:
            setting = self._setting
            running = self._machine.business_time() + setting.ahead
            self._shown = max(self._shown, setting.frozen_at or running)
            return self._shown

    # How it is set.

    @property
    def is_frozen(self) -> bool:
        """Whether it stands still."""
        return self._setting.frozen_at is not None

    @property
    def setting(self) -> Setting:
        """How it is set."""
        return self._setting

    @property
    def end_of_day(self) -> time | None:
        """The time of day at which a business day ends; None: at midnight."""
        return self._setting.end_of_day

    @property
    def ended(self) -> date:
        """The last business date that has ended."""
        return self._setting.ended

    def freeze(self) -> None:
        """Lets it stand still."""
        self.move(stay, frozen=True)

    def run(self) -> None:
        """Lets it go on from where it stands."""
        self.move(stay, frozen=False)

    def move(self, target: Target, *, frozen: bool | None = None) -> None:
        """Moves forward to a moment, frozen or running from there; None: as it was.

        Raises MalformedError for a moment that is past: it never goes back.
        """
        with self._lock:
            now = self.business_time()
            moment = target(now)
            if not now <= moment <= LATEST:
                expected = f"a time from {_shown(now)} to {_shown(LATEST)}: it never goes back"
                raise MalformedError(expected, _shown(moment))
            if self.is_frozen if frozen is None else frozen:
                self._set(_changed(self._setting, frozen_at=moment))
            else:
                ahead = moment - self._machine.business_time()
                self._set(_changed(self._setting, frozen_at=None, ahead=ahead))

    def next_business_date(self, day: date) -> date:
        """The calendar: the business date after a date."""
        return self._next_business_date(day)

    def has_ended(self, day: date) -> bool:
        """Whether a business date is over, and what had to be done at its end was begun."""
        return self.ended >= day

    def next_day(self, now: datetime) -> datetime:
        """The target of whoever moves on to the next business date: its opening."""
        return datetime.combine(self._next_business_date(now.date()), OPENING, tzinfo=UTC)

    def end_day_at(self, time_of_day: time | None) -> None:
        """From now on business days end at this time of day; None: at midnight."""
        with self._lock:
            self._set(_changed(self._setting, end_of_day=time_of_day))

    # The end of the day.

    def move_to_end_of_day(self) -> None:
        """Moves forward to the end of the present business date, or stays when it is past."""
        with self._lock:
            now, ending = self.business_time(), self._setting.end_of_day
            if ending is not None and now.time() < ending:
                self.move(at(ending))

    def day_to_end(self) -> date | None:
        """The latest business date that is over and has not been ended; None: there is none."""
        with self._lock:
            now, ending = self.business_time(), self._setting.end_of_day
            is_over = ending is not None and now.time() >= ending
            last = now.date() if is_over else now.date() - timedelta(days=1)
            return last if last > self._setting.ended else None

    def note_ended(self, day: date) -> None:
        """A business date has ended, and all before it."""
        with self._lock:
            self._set(_changed(self._setting, ended=max(day, self._setting.ended)))

    def _set(self, setting: Setting) -> None:
        """On disk first: what was answered is never forgotten. Raises StorageError."""
        if self._file is not None:
            content = msgspec.json.format(msgspec.json.encode(setting))
            try:
                write_bytes_whole(self._file, content)
            except OSError as error:
                raise StorageError(f"{self._file}: {error.strerror}") from error
        self._setting = setting


def clock_file(path: Path) -> Path:
    """The setting of the business clock in a state folder."""
    return path / "business-clock.json"


def parse_time(text: str) -> time | datetime:
    """``17:30``, ``17:30:15``, or with its date ``2026-02-11T17:30``, in UTC.

    Raises MalformedError.
    """
    try:
        if _TIME.fullmatch(text):
            return time.fromisoformat(text)
        if _MOMENT.fullmatch(text):
            return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        pass
    raise MalformedError("a time such as 17:30, 17:30:15 or 2026-02-11T17:30", text)


def parse_time_of_day(text: str) -> time:
    """``17:30`` or ``17:30:15``. Raises MalformedError."""
    parsed = parse_time(text)
    if isinstance(parsed, datetime):
        raise MalformedError("a time of day such as 17:30", text)
    return parsed


def _changed(setting: Setting, **changes: object) -> Setting:
    return msgspec.structs.replace(setting, **changes)


def _shown(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(timespec="seconds")


def _read(file: Path | None) -> Setting | None:
    if file is None or not file.exists():
        return None
    try:
        return msgspec.json.decode(file.read_bytes(), type=Setting)
    except msgspec.MsgspecError as error:
        raise StateFolderError(
            f"{file} is damaged ({error}): restore it from a backup, or remove it and the clock"
            " shows the machine's time again"
        ) from error
