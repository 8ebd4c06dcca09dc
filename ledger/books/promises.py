"""Which records signatures were given for, and until when each can bind.

A record is bound by a promise to something else until the deadline of that has passed, or until
final blocks have decided it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ledger.books.postings import Cause, Origin
from ledger.clearing.columns import Column, Mask

FEW: Final = 16
"""Promises of no more records than this are looked up by record: instructions have one each."""


@dataclass(frozen=True, slots=True)
class Promise:
    """A signature's records, ascending, and the last second at which it binds."""

    positions: Column
    deadline: int


class Promises:
    """The promises that nothing has decided yet."""

    def __init__(self) -> None:
        self._made: dict[tuple[Origin, bytes], dict[Cause, Promise]] = {}
        self._of_many: dict[Cause, Promise] = {}
        self._of_few: dict[int, set[Cause]] = {}

    def get(self, cause: Cause) -> Promise | None:
        """What was promised to a cause."""
        return self._made.get(_name(cause), {}).get(cause)

    def add(self, cause: Cause, positions: Column, deadline: int) -> None:
        """Binds ascending records to a cause; in place of what was promised to it before."""
        self._drop(cause)
        promise = Promise(positions, deadline)
        self._made.setdefault(_name(cause), {})[cause] = promise
        if len(promise.positions) > FEW:
            self._of_many[cause] = promise
        else:
            for position in promise.positions.tolist():
                self._of_few.setdefault(position, set()).add(cause)

    def bind(self, positions: Column, cause: Cause, now: int) -> Mask:
        """Which records are promised to something else than this cause, and may still be needed.

        Versions of one cycle do not stand in each other's way: only one of them can settle.
        """
        bound = np.zeros(len(positions), dtype=bool)
        if not len(positions):
            return bound
        first, last = int(positions.min()), int(positions.max())
        for other, promise in self._of_many.items():
            if _binds(other, promise, cause, now) and not (
                promise.positions[-1] < first or last < promise.positions[0]
            ):
                bound |= np.isin(positions, promise.positions)
        for row in self._rows_of_few(positions).tolist():
            others = self._of_few[int(positions[row])]
            bound[row] |= any(
                _binds(other, self._made[_name(other)][other], cause, now) for other in others
            )
        return bound

    def decide(self, cause: Cause) -> Promise | None:
        """Ends the promises that bind no more once a cause has settled; its own, if there was one.

        An id of a cycle settles once, in whatever version.
        """
        own = self.get(cause)
        if cause.origin is Origin.CYCLE:
            for version in list(self._made.get(_name(cause), ())):
                self._drop(version)
        else:
            self._drop(cause)
        return own

    def _rows_of_few(self, positions: Column) -> Column:
        if not self._of_few:
            return np.zeros(0, dtype=np.int64)
        if len(positions) <= FEW:
            few = [row for row, each in enumerate(positions.tolist()) if each in self._of_few]
            return np.array(few, dtype=np.int64)
        promised = np.fromiter(self._of_few, dtype=np.int64, count=len(self._of_few))
        return np.flatnonzero(np.isin(positions, promised))

    def _drop(self, cause: Cause) -> None:
        versions = self._made.get(_name(cause), {})
        promise = versions.pop(cause, None)
        if promise is None:
            return
        if not versions:
            del self._made[_name(cause)]
        if self._of_many.pop(cause, None) is None:
            for position in promise.positions.tolist():
                causes = self._of_few[position]
                causes.remove(cause)
                if not causes:
                    del self._of_few[position]


def _name(cause: Cause) -> tuple[Origin, bytes]:
    return cause.origin, cause.reference


def _binds(other: Cause, promise: Promise, cause: Cause, now: int) -> bool:
    return _name(other) != _name(cause) and promise.deadline >= now
