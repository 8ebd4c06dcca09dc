"""The pulse of a market: running totals, and how many trades a second were captured and final.

Everything is kept as it goes: a look takes in what is new since the last one and no more, so that
pages may ask every second of a day with a hundred thousand cycles behind it.
"""

from array import array
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ledger.books import cycles as records
from ledger.books.intake import CANCELLED, SETTLED, UNAFFIRMED
from ledger.books.tables import CycleRow
from ledger.domain.instructions import State
from nodes.consortium import Consortium

SECONDS_KEPT: Final = 300
LATENCIES_KEPT: Final = 100_000
_NS: Final = 1_000_000_000
_NS_A_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Totals:
    """What cycles have done so far. Values in minor units of the first currency."""

    cycles: int = 0
    trades: int = 0
    lines: int = 0
    gross_value: int = 0
    net_value: int = 0
    last_block: int = 0

    def with_cycle(self, row: CycleRow) -> "Totals":
        """And one more that has settled."""
        return Totals(
            cycles=self.cycles + 1,
            trades=self.trades + row.trade_count,
            lines=self.lines + row.securities_lines + row.cash_lines,
            gross_value=self.gross_value + row.gross_value,
            net_value=self.net_value + row.net_value,
            last_block=max(self.last_block, row.block or 0),
        )


class SecondCounts:
    """How many of something happened in each of the last seconds."""

    def __init__(self, seconds: int = SECONDS_KEPT) -> None:
        self._seconds = seconds
        self._counts: deque[tuple[int, int]] = deque(maxlen=seconds)

    def add(self, second: int, count: int) -> None:
        """So many happened in a second; seconds only ever grow."""
        if not count:
            return
        if self._counts and self._counts[-1][0] == second:
            count += self._counts.pop()[1]
        self._counts.append((second, count))

    def sums(self, second: int, width: int) -> list[int]:
        """Sums over so many seconds each, oldest first; the last one ends before a second."""
        sums = [0] * (self._seconds // width)
        for place, count in self._counts:
            age = second - 1 - place
            if 0 <= age < width * len(sums):
                sums[-1 - age // width] += count
        return sums


class MarketPulse:
    """The totals of one consortium. Whoever looks holds the turn of the clearing house."""

    def __init__(self, consortium: Consortium) -> None:
        self._house = consortium.clearing_house
        self._clock = consortium.clock
        self._looked_through = 0
        self._finality_ms = array("q")
        self.totals = Totals()
        self.captured = SecondCounts()
        self.final = SecondCounts()
        self._take_in_cycles()
        self._known = self.taken_in, self.settled

    @property
    def taken_in(self) -> int:
        """How many trades the exchange has handed over."""
        return self._house.intake.stream.end_position

    @property
    def settled(self) -> int:
        """How many trades have settled, in cycles and by themselves."""
        return self.totals.trades + self.settled_alone

    @property
    def settled_alone(self) -> int:
        """How many trades have settled in no cycle."""
        return self._house.intake.count_of(SETTLED)

    @property
    def cancelled(self) -> int:
        """How many trades will not settle."""
        return self._house.intake.count_of(CANCELLED)

    @property
    def failed(self) -> int:
        """How many trades were not settled in time, or could not be."""
        return self._house.intake.count_of(State.FAILED.value)

    @property
    def unaffirmed(self) -> int:
        """How many trades lack the word of one of their brokers."""
        return self._house.intake.count_of(UNAFFIRMED)

    def look(self) -> None:
        """Takes in what has happened since the last look."""
        self._take_in_cycles()
        second, known = self.second(), (self.taken_in, self.settled)
        self.captured.add(second, max(known[0] - self._known[0], 0))
        self.final.add(second, max(known[1] - self._known[1], 0))
        self._known = known

    def second(self) -> int:
        """The second it is, on the stopwatch that the counts are kept by."""
        return self._clock.stopwatch_ns() // _NS

    def finality_ms(self, percents: Sequence[int]) -> list[int] | None:
        """Percentiles of the time from strike to final; None before the first cycle."""
        if not self._finality_ms:
            return None
        latest = np.array(self._finality_ms[-LATENCIES_KEPT:], dtype=np.int64)
        return [int(each) for each in np.percentile(latest, percents, method="higher")]

    def settled_by(self, block: int, cycles_max: int) -> int:
        """How many trades had settled in cycles by a block; looks back over so many cycles."""
        if block >= self.totals.last_block:
            return self.totals.trades
        rows = self._house.cycles.all()[: self._looked_through]
        later = 0
        for row in reversed(rows[-cycles_max:]):
            if row.state != records.SETTLED or row.block is None:
                continue
            if row.block <= block:
                break
            later += row.trade_count
        return self.totals.trades - later

    def _take_in_cycles(self) -> None:
        rows = self._house.cycles.all()
        for row in rows[self._looked_through :]:
            if row.state == records.SUBMITTED:
                break
            self._looked_through += 1
            if row.state == records.SETTLED:
                self.totals = self.totals.with_cycle(row)
                if row.finality_ns:
                    self._finality_ms.append(row.finality_ns // _NS_A_MS)
