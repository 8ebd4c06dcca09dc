"""What the clearing house remembers of its latest cycles for those who look on: times and answers.

The books keep what counts: what was signed, by whom, and how long it took. When each stage was
reached, and who kept silent or objected on the way, is of interest while it happens and shortly
after; it is kept in memory, with a bound, and is gone after a restart.

One thread writes and others read, also while the clearing house has its turn: so there is a lock.
"""

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock
from typing import Final

from ledger.domain.reasons import Reason
from nodes.clearing_house.observer import Stage
from nodes.clock import Clock, machine_time

SUBMITTED: Final = "submitted"
"""Written down with its transaction, and sent: between attested and final."""
RECONCILED: Final = "reconciled"
"""Every node has compared its books with the cycle, whatever became of it."""
STAGES: Final = (
    Stage.STRUCK.value,
    Stage.NETTED.value,
    Stage.COMMITTED.value,
    Stage.ATTESTED.value,
    SUBMITTED,
    Stage.FINAL.value,
)
"""In the order in which a cycle reaches them on its way to finality."""

CYCLES_KEPT: Final = 20_000
"""Some hours of a busy market."""
ANSWERS_KEPT: Final = 100
"""Of how many cycles the answers of each party are kept; of more, only the times."""
_NS_A_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What a party answered, so long after the strike. ``reason`` None: it has signed."""

    after_ms: int
    reason: Reason | None
    attempt: int


@dataclass(frozen=True, slots=True)
class WatchedCycle:
    """A cycle as it went, or goes.

    Attributes:
        struck_at: the business time of the strike.
        machine_time: that of the strike by the machine's clock, whatever the market's shows.
        struck_ns: that by the stopwatch.
        trades: how many are in it, as of the last stage.
        attempts: how often it was cut; more than one when somebody did not sign.
        parties: the numbers of those asked last, ascending.
        after_ns: nanoseconds from the strike to each stage that it has reached.
        answers: the last answer of everybody who has answered, by number.
        is_over: nothing more will happen to it.
    """

    number: int
    struck_at: str
    machine_time: datetime
    struck_ns: int
    trades: int
    attempts: int = 0
    parties: tuple[int, ...] = ()
    after_ns: dict[str, int] = field(default_factory=dict)
    answers: dict[int, Answer] = field(default_factory=dict)
    is_over: bool = False

    def after_ms(self, stage: str) -> int | None:
        """Whole milliseconds from the strike to a stage; None: it has not reached it."""
        reached = self.after_ns.get(stage)
        return None if reached is None else reached // _NS_A_MS

    @property
    def unsigned(self) -> dict[int, Answer]:
        """Those who kept silent or objected, and have not signed since."""
        return {party: each for party, each in self.answers.items() if each.reason}


class CycleWatch:
    """The latest cycles of a clearing house, the one under way last."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._cycles: OrderedDict[int, WatchedCycle] = OrderedDict()

    def under_way(self, since_ms: int = 0) -> WatchedCycle | None:
        """The cycle that is being struck or settled, if it has been for so long."""
        with self._lock:
            last = self._last()
            is_going = last and not last.is_over and self._elapsed_ms(last) >= since_ms
            return _copy(last) if last and is_going else None

    def cycle(self, number: int) -> WatchedCycle | None:
        """What is remembered of a cycle."""
        with self._lock:
            found = self._cycles.get(number)
            return _copy(found) if found else None

    def reached(self, stage: str, number: int, trades: int) -> None:
        """A cycle has reached a stage on its way."""
        with self._lock:
            if stage == Stage.STRUCK.value:
                self._begin(number, trades)
            if cycle := self._under_watch(number):
                cycle.after_ns[stage] = self._elapsed_ns(cycle)
                self._cycles[number] = replace(cycle, trades=trades)

    def were_reconciled(self, number: int) -> None:
        """Every node has compared its books with a cycle."""
        with self._lock:
            if cycle := self._under_watch(number):
                cycle.after_ns[RECONCILED] = self._elapsed_ns(cycle)

    def asks(self, number: int, parties: tuple[int, ...]) -> None:
        """These parties are asked to sign, from now on."""
        with self._lock:
            if cycle := self._under_watch(number):
                for party in parties:
                    cycle.answers.pop(party, None)
                attempts = cycle.attempts + 1
                self._cycles[number] = replace(cycle, parties=parties, attempts=attempts)

    def answered(self, number: int, party: int, reason: Reason | None) -> None:
        """A party has signed, or has not for a reason."""
        with self._lock:
            if cycle := self._under_watch(number):
                after_ms = self._elapsed_ms(cycle)
                cycle.answers[party] = Answer(after_ms, reason, cycle.attempts)

    def over(self, number: int) -> None:
        """Nothing more happens to a cycle, but that it is reconciled."""
        with self._lock:
            if cycle := self._under_watch(number):
                self._cycles[number] = replace(cycle, is_over=True)
                self._forget_answers(number - ANSWERS_KEPT)

    def _begin(self, number: int, trades: int) -> None:
        last = self._last()
        if last is not None and not last.is_over:
            # It broke off before it was written down: its number is given again.
            del self._cycles[last.number]
        self._cycles[number] = WatchedCycle(
            number,
            struck_at=self._clock.business_time().isoformat(timespec="milliseconds"),
            machine_time=machine_time(),
            struck_ns=self._clock.stopwatch_ns(),
            trades=trades,
        )
        if len(self._cycles) > CYCLES_KEPT:
            self._cycles.popitem(last=False)

    def _last(self) -> WatchedCycle | None:
        number = next(reversed(self._cycles), None)
        return None if number is None else self._cycles[number]

    def _under_watch(self, number: int) -> WatchedCycle | None:
        """A cycle, if it is the last; one that a crash cut off was struck by others."""
        last = self._last()
        return last if last and last.number == number else None

    def _forget_answers(self, number: int) -> None:
        if old := self._cycles.get(number):
            old.answers.clear()
            self._cycles[number] = replace(old, parties=())

    def _elapsed_ns(self, cycle: WatchedCycle) -> int:
        return self._clock.stopwatch_ns() - cycle.struck_ns

    def _elapsed_ms(self, cycle: WatchedCycle) -> int:
        return self._elapsed_ns(cycle) // _NS_A_MS


def _copy(cycle: WatchedCycle) -> WatchedCycle:
    return replace(cycle, after_ns=dict(cycle.after_ns), answers=dict(cycle.answers))
