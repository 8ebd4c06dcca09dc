"""Gridlock resolution without queue order: settle the first that can, look again from the head.

Looking at every row again after every settlement would be quadratic. Instead each unit waits at one
of the keys that it needs. A key offers the first unit waiting there whose need it covers; the
first of all offers is tried. When another key is short of what it needs, it goes to wait there;
otherwise it settles, and only the keys that it touched offer anew. A unit that could settle is
covered by the key it waits at, so that the first of all that can settle is never passed over.

Going to wait elsewhere costs a search of a tree: in all about legs times a logarithm, unless the
same units go back and forth between two keys that are short in turn.
"""

from heapq import heappop, heappush

import numpy as np

from ledger.settlement.gridlock.least_trees import LeastTrees
from ledger.settlement.gridlock.queue_columns import NONE, Flags, Numbers, QueueColumns
from ledger.settlement.gridlock.units import Units, units_of


def bypass(queue: QueueColumns) -> list[int]:
    """The rows that settle one by one (links jointly), in the order in which they do."""
    units = units_of(queue)
    rows_by_unit = units.rows()
    return [row for unit in _Waiting(queue, units).settle() for row in rows_by_unit[unit]]


class _Waiting:
    """The units that have not settled, each at the key where it waits.

    All needs stand in one list, by key, then unit: a key's queue is a stretch of places.
    """

    def __init__(self, queue: QueueColumns, units: Units) -> None:
        needed = np.flatnonzero(units.need > 0)
        added = np.flatnonzero(units.need < 0)
        by_key = np.argsort(units.key[needed], kind="stable")
        order = needed[by_key]
        self._unit_count = units.count
        self._balance_by_key: list[int] = queue.balances.tolist()
        self._unit_by_place: list[int] = units.unit[order].tolist()
        self._key_by_place: list[int] = units.key[order].tolist()
        self._need_by_place: list[int] = units.need[order].tolist()
        places = np.empty(len(order), dtype=np.int64)
        places[by_key] = np.arange(len(order))
        self._places: list[int] = places.tolist()
        self._first_need_by_unit = _starts(units.unit[needed], units.count)
        self._added_keys: list[int] = units.key[added].tolist()
        self._added_amounts: list[int] = (-units.need[added]).tolist()
        self._first_gain_by_unit = _starts(units.unit[added], units.count)

        waits = np.zeros(len(order), dtype=np.bool_)
        waits[places] = _first_waits(queue, units, needed)
        self._most = int(units.need[order].max(initial=0))
        self._trees = LeastTrees(
            units.key[order], units.need[order], waits, self._most + 1, queue.keys
        )
        self._place_by_unit = [NONE] * units.count
        for place in np.flatnonzero(waits).tolist():
            self._place_by_unit[self._unit_by_place[place]] = place
        free = units.can_settle.copy()
        free[units.unit[needed]] = False
        self._offers = [(unit, NONE) for unit in np.flatnonzero(free).tolist()]
        self._offered_by_key = [units.count] * queue.keys

    def settle(self) -> list[int]:
        """Settles units until none can; the order in which they did."""
        settled: list[int] = []
        for key in range(len(self._balance_by_key)):
            self._offer(key)
        while self._offers:
            unit, key = heappop(self._offers)
            if key == NONE:
                self._book(unit)
                settled.append(unit)
                continue
            if unit != self._offered_by_key[key]:
                continue  # The key has made another offer since.
            self._offered_by_key[key] = self._unit_count
            if self._is_covered_at(unit, key):
                self._trees.remove(key, self._place_by_unit[unit])
                place = self._short_place(unit)
                self._place_by_unit[unit] = place
                if place == NONE:
                    self._book(unit)
                    settled.append(unit)
                else:
                    self._trees.put(self._key_by_place[place], place, self._need_by_place[place])
            self._offer(key)
        return settled

    def _offer(self, key: int) -> None:
        """Offers the first unit waiting at a key that the key covers."""
        place = self._trees.first(key, min(self._balance_by_key[key], self._most))
        if place != NONE:
            unit = self._unit_by_place[place]
            if unit < self._offered_by_key[key]:
                self._offered_by_key[key] = unit
                heappush(self._offers, (unit, key))

    def _is_covered_at(self, unit: int, key: int) -> bool:
        """Whether a unit waits at a key and the key covers its need: no longer so after a debit."""
        place = self._place_by_unit[unit]
        return (
            place != NONE
            and self._key_by_place[place] == key
            and self._need_by_place[place] <= self._balance_by_key[key]
        )

    def _short_place(self, unit: int) -> int:
        """The place of a need of this unit that is not covered; none: it can settle."""
        first, end = self._first_need_by_unit[unit], self._first_need_by_unit[unit + 1]
        for place in self._places[first:end]:
            if self._need_by_place[place] > self._balance_by_key[self._key_by_place[place]]:
                return place
        return NONE

    def _book(self, unit: int) -> None:
        first, end = self._first_need_by_unit[unit], self._first_need_by_unit[unit + 1]
        for place in self._places[first:end]:
            self._balance_by_key[self._key_by_place[place]] -= self._need_by_place[place]
        for gain in range(self._first_gain_by_unit[unit], self._first_gain_by_unit[unit + 1]):
            key = self._added_keys[gain]
            self._balance_by_key[key] += self._added_amounts[gain]
            self._offer(key)


def _first_waits(queue: QueueColumns, units: Units, needed: Numbers) -> Flags:
    """At which of its needs a unit waits first: one that is not covered, where there is one."""
    unit = units.unit[needed]
    is_covered = (units.need[needed] <= queue.balances[units.key[needed]]).astype(np.bool_)
    order = np.lexsort([is_covered, unit])
    waits = np.zeros(len(needed), dtype=np.bool_)
    waits[order] = np.diff(unit, prepend=NONE) != 0
    return waits & units.can_settle[unit]


def _starts(numbers: Numbers, count: int) -> list[int]:
    """Where each number's stretch begins in an ascending column, and where the last one ends."""
    return np.searchsorted(numbers, np.arange(count + 1)).tolist()  # type: ignore[no-any-return] # numpy says Any
