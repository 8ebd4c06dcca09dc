"""When things have happened, as the journal noted it: at the end of the step they happened in.

Books keep what has become of a trade, not when it was captured; that is only in the journal, as
long as it keeps its events, and since the market was last begun anew.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from ledger.books.interface.events import EventFilter, EventStore, KeptEvent
from nodes.journal.event import Event

HISTORY_MAX: Final = 200
_BEGUN_ANEW: Final = ("sandbox.reset", "sandbox.restored")
_DRIFT_SECONDS: Final = 2.0
"""Beyond it the business clock was moved between two moments: then the chain's clock counts."""


@dataclass(frozen=True, slots=True)
class Moment:
    """An event of the journal that says when something has happened.

    Attributes:
        time: business time.
        chain_time: seconds since 1970, by the clock that stamps blocks.
        act: the last word of its type, such as ``settled``.
    """

    sequence: int
    time: datetime
    chain_time: int
    act: str
    data: dict[str, Any]

    def seconds_until(self, other: "Moment") -> float | None:
        """How long after this moment another was; None when that was in the same step."""
        if other.sequence <= self.sequence:
            return None
        business = (other.time - self.time).total_seconds()
        chain = other.chain_time - self.chain_time
        seconds = business if abs(business - chain) <= _DRIFT_SECONDS else float(chain)
        return seconds if seconds > 0 else None


class Moments:
    """Looks moments up in a journal, from when the market was last begun anew."""

    def __init__(self, events: EventStore) -> None:
        self._events = events
        begun = [each for kind in _BEGUN_ANEW for each in events.latest(EventFilter(type=kind), 1)]
        self._since = max((each.sequence for each in begun), default=0)

    def last(self, kind: str, subject: str) -> Moment | None:
        """When something of a kind last happened to a subject."""
        wanted = EventFilter(type=kind, subject=subject)
        return next(map(_moment, self._events.latest(wanted, 1, since=self._since)), None)

    def history(self, kind: str, subject: str) -> list[Moment]:
        """Everything of a kind that has happened to a subject, oldest first."""
        wanted = EventFilter(type=kind, subject=subject)
        found = self._events.latest(wanted, HISTORY_MAX, since=self._since)
        return [_moment(each) for each in reversed(found)]

    def captured(self, trade: str, position: int) -> Moment | None:
        """When the trade at a position was taken in: alone, or with the trades beside it."""
        return self.last("trade.captured", trade) or self._captured_with_others(position)

    def _captured_with_others(self, position: int) -> Moment | None:
        """The event of many trades that has the position: they ascend with their sequences."""
        wanted = EventFilter(type="trades.captured")
        low, high, found = self._since, self._events.last_sequence, None
        while low < high:
            middle = (low + high) // 2
            event = next(map(_moment, self._events.wanted(wanted, middle, 1)), None)
            if event is None or event.data["first_position"] > position:
                high = middle
            else:
                found, low = event, event.sequence
        return found if found and position <= found.data["last_position"] else None


def _moment(kept: KeptEvent) -> Moment:
    event = msgspec.json.decode(kept.payload, type=Event)
    return Moment(
        sequence=event.sequence,
        time=datetime.fromisoformat(event.time),
        chain_time=event.chaintime,
        act=event.type.split(".")[-2],
        data=event.data,
    )
