"""Counting: what became of every trade that was sent, one by one.

A register has a row for each trade of one generator, in the order they were made; generators with
different prefixes never share one, so merging is putting side by side. What was answered is first
what the generator was told; what it was not told (a connection lost, a server's error) is unknown
until the capture itself is read.
"""

import random
from array import array
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

RECENT_MAX: Final = 200
"""Messages among which one is chosen to be sent again."""
NOWHERE: Final = -1


class Answer(IntEnum):
    """What a generator knows of a trade."""

    UNSENT = 0
    ACCEPTED = 1
    REFUSED = 2
    UNKNOWN = 3


@dataclass(slots=True)
class Register:
    """The trades of one generator, by place. Moments are seconds since 1970."""

    prefix: str
    answers: bytearray = field(default_factory=bytearray)
    intended: "array[float]" = field(default_factory=lambda: array("d"))
    sent: "array[float]" = field(default_factory=lambda: array("d"))
    answered: "array[float]" = field(default_factory=lambda: array("d"))
    positions: "array[int]" = field(default_factory=lambda: array("q"))
    recent: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=RECENT_MAX))

    def __len__(self) -> int:
        """How many trades were intended."""
        return len(self.answers)

    def take(self, count: int, intended: float) -> int:
        """Room for some more trades; the place of the first."""
        first = len(self.answers)
        self.answers += bytes(count)
        self.intended.extend([intended] * count)
        for moments in (self.sent, self.answered):
            moments.extend([0.0] * count)
        self.positions.extend([NOWHERE] * count)
        return first

    def send(self, first: int, count: int, moment: float) -> None:
        """They go out: from now on nobody knows what became of them until it is answered."""
        for place in range(first, first + count):
            self.answers[place] = Answer.UNKNOWN
            self.sent[place] = moment

    def accept(self, place: int, position: int, moment: float) -> None:
        """One was captured at a position."""
        self.answers[place] = Answer.ACCEPTED
        self.positions[place] = position
        self.answered[place] = moment

    def refuse(self, first: int, count: int, moment: float) -> None:
        """Some were refused: it was said that they are not captured."""
        for place in range(first, first + count):
            self.answers[place] = Answer.REFUSED
            self.answered[place] = moment

    def remember(self, first: int, count: int) -> None:
        """A whole message was accepted; it may be sent again."""
        self.recent.append((first, count))

    def some_answered(self, chance: random.Random) -> tuple[int, int] | None:
        """A message that was accepted lately: the place of its first trade, and how many."""
        return chance.choice(self.recent) if self.recent else None

    def packed(self) -> dict[str, Any]:
        """For another process."""
        return {
            "prefix": self.prefix,
            "answers": bytes(self.answers),
            **{name: getattr(self, name).tobytes() for name, _ in _COLUMNS},
        }

    @staticmethod
    def unpacked(table: Mapping[str, Any]) -> "Register":
        """From another process."""
        register = Register(table["prefix"], bytearray(table["answers"]))
        for name, code in _COLUMNS:
            column: array[Any] = array(code)
            column.frombytes(table[name])
            setattr(register, name, column)
        return register


_COLUMNS: Final = (("intended", "d"), ("sent", "d"), ("answered", "d"), ("positions", "q"))


@dataclass(slots=True)
class Tally:
    """What a generator has seen besides: messages by what was expected, and errors."""

    sent: Counter[str] = field(default_factory=Counter)
    """Messages by kind."""
    right: Counter[str] = field(default_factory=Counter)
    """Messages by kind that were answered as they should be."""
    shed: Counter[str] = field(default_factory=Counter)
    """Messages by kind that were sent away with 429 or 503: nothing was to be learned of them."""
    errors: Counter[str] = field(default_factory=Counter)
    """By name of the request and status: ``POST /v1/trades 503``; 0 is a lost connection."""
    errors_by_second: Counter[int] = field(default_factory=Counter)
    resent: int = 0
    """Messages sent again since their connection was lost."""
    no_retry_after: int = 0
    """Answers 429 and 503 that did not say when to come again."""
    wrong: list[str] = field(default_factory=list)
    """The first answers that were not as they should be."""
    reads: dict[str, list[float]] = field(default_factory=dict)
    """Seconds that reading took, from the moment it was intended, by name."""

    def merge(self, other: "Tally") -> None:
        """Adds what another generator has seen."""
        for name in ("sent", "right", "shed", "errors", "errors_by_second"):
            getattr(self, name).update(getattr(other, name))
        self.no_retry_after += other.no_retry_after
        self.resent += other.resent
        self.wrong = (self.wrong + other.wrong)[:WRONG_MAX]
        for name, seconds in other.reads.items():
            self.reads.setdefault(name, []).extend(seconds)

    def complain(self, what: str) -> None:
        """Keeps an answer that was not as it should be."""
        if len(self.wrong) < WRONG_MAX:
            self.wrong.append(what[:WRONG_CHARACTERS_MAX])

    def packed(self) -> dict[str, Any]:
        """For another process."""
        counters = ("sent", "right", "shed", "errors", "errors_by_second")
        return {
            **{name: list(getattr(self, name).items()) for name in counters},
            "no_retry_after": self.no_retry_after,
            "resent": self.resent,
            "wrong": self.wrong,
            "reads": self.reads,
        }

    @staticmethod
    def unpacked(table: Mapping[str, Any]) -> "Tally":
        """From another process."""
        counters = ("sent", "right", "shed", "errors", "errors_by_second")
        return Tally(
            **{name: Counter(dict(map(tuple, table[name]))) for name in counters},
            no_retry_after=table["no_retry_after"],
            resent=table["resent"],
            wrong=list(table["wrong"]),
            reads={name: list(seconds) for name, seconds in table["reads"].items()},
        )


WRONG_MAX: Final = 20
WRONG_CHARACTERS_MAX: Final = 300
