"""What happens in a market because time passes: expiries, timed runs over the queue, ends of days.

Business time passes by itself or is moved; either way the queue is looked at again, at most once a
second of business time, and a business date that is over is ended once. Whoever calls holds the
sandbox's lock.
"""

from typing import Final

from ledger.domain.reasons import Reason, Rejected
from nodes.business_clock import BusinessClock, Target
from nodes.consortium import Consortium

_NOT_SET: Final = Rejected(Reason.UNAUTHORISED, "the clock of this sandbox is not set by hand")


class MarketTime:
    """Lets a consortium follow its business clock."""

    def __init__(self, consortium: Consortium) -> None:
        self._consortium = consortium
        self._looked_at = 0
        self._has_changed = False

    @property
    def clock(self) -> BusinessClock | None:
        """The clock, where it is one that can be set."""
        clock = self._consortium.clock
        return clock if isinstance(clock, BusinessClock) else None

    def move(self, target: Target, *, frozen: bool | None = None) -> Rejected | None:
        """Moves the clock, or freezes it, and lets the market follow.

        Raises MalformedError for a moment that is past.
        """
        if self.clock is None:
            return _NOT_SET
        self.clock.move(target, frozen=frozen)
        self.follow()
        return None

    def end_day(self) -> Rejected | None:
        """Ends the present business date now: what has not settled fails, unless it is carried."""
        if self.clock is None:
            return _NOT_SET
        self.clock.move_to_end_of_day()
        self.follow()
        today = self.clock.business_time().date()
        self._consortium.clearing_house.end_of_day()
        self.clock.note_ended(today)
        self._consortium.reconcile()
        return None

    def look_again(self) -> None:
        """Something has changed that may let others settle."""
        self._has_changed = True

    def pass_by(self) -> None:
        """Follows when something has changed, or business time shows another second."""
        now = int(self._consortium.clock.business_time().timestamp())
        if self._has_changed or now != self._looked_at:
            self.follow()

    def follow(self) -> None:
        """Looks at the queue as of now, and ends the business dates that are over."""
        house, clock = self._consortium.clearing_house, self.clock
        self._looked_at = int(self._consortium.clock.business_time().timestamp())
        height = house.projection.height
        over = clock.day_to_end() if clock else None
        if clock is not None and over is not None:
            # Before anything of the new date comes in: it would end with the old one.
            house.end_of_day()
            clock.note_ended(over)
            # What had to be solved by then is suspended now.
            self._has_changed = True
        house.work()
        if self._has_changed or house.projection.height > height:
            self._consortium.reconcile()
        # What is affirmed after all is looked at next.
        self._has_changed = bool(self._consortium.affirm_late())
