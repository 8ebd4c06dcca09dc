"""A sandbox's time, when it can be set: then tools may move it, and business time goes with it."""

from datetime import UTC, datetime

from nodes.clock import Clock, SimulatedClock


class SimulatedTime:
    """Sets a simulated clock by chain time."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock

    def now(self) -> int:
        """Seconds since 1970."""
        return self._clock.chain_time()

    def move_to(self, timestamp: int) -> None:
        """Moves on. Raises ValueError for a time that is past or that no calendar has."""
        try:
            moment = datetime.fromtimestamp(timestamp, tz=UTC)
        except (OverflowError, OSError) as error:
            raise ValueError(f"{timestamp} is no time in seconds since 1970") from error
        second = moment.hour * 3600 + moment.minute * 60 + moment.second
        self._clock.set(moment.date(), second)


def time_control_of(clock: Clock) -> SimulatedTime | None:
    """The control of a clock; None for the wall clock, which nobody sets."""
    return SimulatedTime(clock) if isinstance(clock, SimulatedClock) else None
