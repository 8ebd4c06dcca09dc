"""Matches on their way into the queue, by when they are due and when it is too late for them."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from typing import Generic, TypeVar

from ledger.books.entered_sides import Entered
from ledger.domain.reasons import Rejected

When = TypeVar("When", int, date)


class Timetable(Generic[When]):
    """Places in the order of entry, each with a time of its own."""

    def __init__(self) -> None:
        self._entries: list[tuple[When, int]] = []

    def add(self, when: When, place: int) -> None:
        """Puts a place in. None is in it twice."""
        insort(self._entries, (when, place))

    def remove(self, when: When, place: int) -> None:
        """Takes out a place that is in it with this time."""
        found = bisect_left(self._entries, (when, place))
        assert self._entries[found] == (when, place)
        del self._entries[found]

    def until(self, when: When) -> list[int]:
        """Those whose time is not after this one, by time, then place."""
        end = bisect_right(self._entries, when, key=itemgetter(0))
        return [place for _, place in self._entries[:end]]


@dataclass(frozen=True, slots=True)
class _Match:
    label: str
    place: int
    participants: frozenset[str]
    settlement_date: date
    expires_at: int | None


class PendingMatches:
    """Matches that are not in the queue yet, and why those that were tried are not.

    Whatever looks for those that are due reads nothing of those that are not.
    """

    def __init__(self) -> None:
        self._matches: dict[str, _Match] = {}
        self._labels: dict[int, str] = {}
        self._refusals: dict[str, Rejected] = {}
        self._dates: Timetable[date] = Timetable()
        self._expiries: Timetable[int] = Timetable()

    def add(self, label: str, sides: Iterable[Entered]) -> None:
        """A match of two sides; it has the place of the later one."""
        one, other = sides
        match = _Match(
            label,
            max(one.place, other.place),
            frozenset((one.participant, other.participant)),
            one.side.settlement_date,
            one.wishes.with_those_of(other.wishes).expires_at,
        )
        self._matches[label], self._labels[match.place] = match, label
        self._dates.add(match.settlement_date, match.place)
        if match.expires_at is not None:
            self._expiries.add(match.expires_at, match.place)

    def remove(self, label: str) -> None:
        """A match has entered the queue, or has ended before."""
        match = self._matches.pop(label)
        del self._labels[match.place]
        self._refusals.pop(label, None)
        self._dates.remove(match.settlement_date, match.place)
        if match.expires_at is not None:
            self._expiries.remove(match.expires_at, match.place)

    def refuse(self, label: str, refusal: Rejected) -> None:
        """Remembers why a match could not enter the queue when it was tried."""
        self._refusals[label] = refusal

    def refusal_of(self, label: str) -> Rejected | None:
        """Why a match could not, the last time it was tried."""
        return self._refusals.get(label)

    def participants_of(self, label: str) -> frozenset[str]:
        """Whose a match is; nobody's when there is none."""
        match = self._matches.get(label)
        return match.participants if match else frozenset()

    def due(self, today: date) -> list[str]:
        """Those whose settlement date has come, by date, then in the order of matching."""
        return [self._labels[place] for place in self._dates.until(today)]

    def refused(self) -> list[str]:
        """Those that were tried, and could not."""
        return list(self._refusals)

    def late(self, now: int) -> list[str]:
        """Those that may settle no more at a second of business time."""
        return [self._labels[place] for place in self._expiries.until(now - 1)]
