"""What the clearing house remembers of its latest cycles for those who look on: times and answers.

The books keep what counts: what was signed, by whom, and how long it took. When each stage was
reached, and who kept silent or objected on the way, is of interest while it happens and shortly
after; it is kept in memory, with a bound, and is gone after a restart.

One thread writes and others read, also while the clearing house has its turn: so there is a lock.
"""

from collections import deque
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Final

from ledger.domain.reasons import Reason
from nodes.clearing_house.observer import Stage
from nodes.clock import Clock

SUBMITTED: Final = "submitted"
"""Written down with its transaction, and sent: between attested and final."""
STAGES: Final = (
    Stage.STRUCK.value,
    Stage.NETTED.value,
    Stage.COMMITTED.value,
    Stage.ATTESTED.value,
    SUBMITTED,
    Stage.FINAL.value,
)
"""In the order in which a cycle reaches them."""

CYCLES_KEPT: Final = 2_000
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
        trades: how many are in it, as of the last stage.
        attempts: how often it was cut; more than one when somebody did not sign.
        parties: the numbers of those asked last, ascending.
        after_ms: milliseconds from the strike to each stage that it has reached.
        answers: the last answer of everybody who has answered, by number.
        is_over: nothing more will happen to it.
    """

    number: int
    struck_at: str
    trades: int
    attempts: int = 0
    parties: tuple[int, ...] = ()
    after_ms: dict[str, int] = field(default_factory=dict)
    answers: dict[int, Answer] = field(default_factory=dict)
    is_over: bool = False

    @property
    def unsigned(self) -> dict[int, Answer]:
        """Those who kept silent or objected, and have not signed since."""
        return {party: each for party, each in self.answers.items() if each.reason}


class CycleWatch:
    """The latest cycles of a clearing house, the one under way last."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._cycles: deque[WatchedCycle] = deque(maxlen=CYCLES_KEPT)
        self._began_ns = 0

    def under_way(self, since_ms: int = 0) -> WatchedCycle | None:
        """The cycle that is being struck or settled, if it has been for so long."""
        with self._lock:
            last = self._cycles[-1] if self._cycles else None
            is_going = last and not last.is_over and self._elapsed_ms() >= since_ms
            return _copy(last) if last and is_going else None

    def cycle(self, number: int) -> WatchedCycle | None:
        """What is remembered of a cycle."""
        with self._lock:
            found = (each for each in reversed(self._cycles) if each.number == number)
            each = next(found, None)
            return _copy(each) if each else None

    def reached(self, stage: str, number: int, trades: int) -> None:
        """A cycle has reached a stage."""
        with self._lock:
            if stage == Stage.STRUCK.value:
                self._begin(number, trades)
            if self._is_watched(number):
                last = self._cycles[-1]
                last.after_ms[stage] = self._elapsed_ms()
                self._cycles[-1] = replace(last, trades=trades)

    def asks(self, number: int, parties: tuple[int, ...]) -> None:
        """These parties are asked to sign, from now on."""
        with self._lock:
            if self._is_watched(number):
                last = self._cycles[-1]
                for party in parties:
                    last.answers.pop(party, None)
                self._cycles[-1] = replace(last, parties=parties, attempts=last.attempts + 1)

    def answered(self, number: int, party: int, reason: Reason | None) -> None:
        """A party has signed, or has not for a reason."""
        with self._lock:
            if self._is_watched(number):
                last = self._cycles[-1]
                last.answers[party] = Answer(self._elapsed_ms(), reason, last.attempts)

    def over(self, number: int) -> None:
        """Nothing more happens to a cycle."""
        with self._lock:
            if self._is_watched(number):
                self._cycles[-1] = replace(self._cycles[-1], is_over=True)
                if len(self._cycles) > ANSWERS_KEPT:
                    old = self._cycles[-ANSWERS_KEPT - 1]
                    old.answers.clear()
                    self._cycles[-ANSWERS_KEPT - 1] = replace(old, parties=())

    def _begin(self, number: int, trades: int) -> None:
        self._began_ns = self._clock.stopwatch_ns()
        if self._cycles and not self._cycles[-1].is_over:
            # It broke off before it was written down: its number is given again.
            self._cycles.pop()
        struck_at = self._clock.business_time().isoformat(timespec="milliseconds")
        self._cycles.append(WatchedCycle(number, struck_at, trades))

    def _is_watched(self, number: int) -> bool:
        """Whether a cycle is the one under way; one that a crash cut off was struck by others."""
        return bool(self._cycles) and self._cycles[-1].number == number

    def _elapsed_ms(self) -> int:
        return (self._clock.stopwatch_ns() - self._began_ns) // _NS_A_MS


def _copy(cycle: WatchedCycle) -> WatchedCycle:
    return replace(cycle, after_ms=dict(cycle.after_ms), answers=dict(cycle.answers))
