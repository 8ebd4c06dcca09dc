"""The business clock of a sandbox, as its other processes see it: set by one, followed by all."""

from datetime import date, datetime
from pathlib import Path

from nodes.business_clock import BusinessClock
from nodes.clock import WallClock


class FollowingClock(WallClock):
    """Shows what the file of the business clock says, and reads it again when it has changed."""

    __slots__ = ("_clock", "_file", "_version")

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file
        self._version = self._stamp()
        self._clock = BusinessClock(file)

    def business_time(self) -> datetime:
        """The market's date and time of day."""
        return self._followed().business_time()

    def next_business_date(self, day: date) -> date:
        """The calendar: the business date after a date."""
        return self._followed().next_business_date(day)

    def has_ended(self, day: date) -> bool:
        """Whether a business date is over, and what had to be done at its end was begun."""
        return self._followed().has_ended(day)

    def _followed(self) -> BusinessClock:
        """The clock as it is set now."""
        version = self._stamp()
        if version != self._version:
            self._clock, self._version = BusinessClock(self._file), version
        return self._clock

    def _stamp(self) -> tuple[int, int]:
        found = self._file.stat()
        return found.st_mtime_ns, found.st_ino
