"""Is the run sound? What was told and what the books say are held against each other.

submitted = settled + refused + pending, trade by trade. Whatever the rates are, a run that is not
sound has no figures.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from loadtests.afterwards import Book
from loadtests.counting import Answer, Register, Tally
from loadtests.trades import DIGITS, PREFIX_LENGTH

NAMED_MAX: Final = 5


@dataclass(slots=True)
class Count:
    """Trades of a run. Of a sound one, the last four are 0.

    Attributes:
        offered: intended by the shape; the rest was not sent in time.
        resolved: sent without an answer to trust, and found in the books, or found not to be.
        lost: accepted, and not in the books.
        moved: accepted at another position than it stands at.
        undead: refused, and captured all the same.
        strangers: in the books, and never sent, or to be refused.
    """

    offered: int = 0
    submitted: int = 0
    settled: int = 0
    refused: int = 0
    pending: int = 0
    resolved: int = 0
    lost: int = 0
    moved: int = 0
    undead: int = 0
    strangers: int = 0

    @property
    def is_exact(self) -> bool:
        """Whether everything submitted has become exactly one thing."""
        return self.submitted == self.settled + self.refused + self.pending


@dataclass(slots=True)
class Soundness:
    """What was found, and what of it makes the run void."""

    count: Count
    faults: list[str] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether there is nothing wrong."""
        return not self.faults

    def as_json(self) -> dict[str, Any]:
        """For the report."""
        return {"sound": self.is_sound, "faults": self.faults, "count": asdict(self.count)}


def count_of(registers: Sequence[Register], book: Book) -> Count:
    """Counts every trade once, by what was told and by what the books say."""
    count = Count()
    known = 0
    for register in registers:
        for place, told in enumerate(register.answers):
            count.offered += 1
            number = f"{register.prefix}{place:0{DIGITS}d}"
            settled, waiting = book.settled.get(number), book.waiting.get(number)
            found = settled or waiting
            known += found is not None
            if told == Answer.UNSENT:
                count.strangers += found is not None
                continue
            count.submitted += 1
            count.settled += settled is not None
            count.pending += waiting is not None
            count.resolved += told == Answer.UNKNOWN
            if told == Answer.ACCEPTED:
                count.lost += found is None
                count.moved += found is not None and found[0] != register.positions[place]
            else:
                count.refused += found is None
                count.undead += told == Answer.REFUSED and found is not None
    # What stands in the books under a number of this run and was found by none of its trades.
    count.strangers += len(book.settled) + len(book.waiting) - known
    return count


def judge(
    count: Count, tally: Tally, books: dict[str, Any], missing_workers: Sequence[str] = ()
) -> Soundness:
    """What makes a run void, if anything does."""
    found = Soundness(count)
    faults = found.faults
    for name in ("lost", "moved", "undead", "strangers", "pending"):
        if value := getattr(count, name):
            faults.append(f"{value} {name}")
    if not count.is_exact:
        faults.append(f"submitted {count.submitted} is not settled + refused + pending")
    for kind in ("duplicate", "bad"):
        wrong = tally.sent[kind] - tally.right[kind] - tally.shed[kind]
        if wrong:
            faults.append(f"{wrong} {kind} messages answered otherwise than they must be")
    faults += [f"{what} does not hold" for what, holds in books.items() if holds is False]
    faults += [f"worker {each} did not report what it had counted" for each in missing_workers]
    return found


def prefixes_of(registers: Sequence[Register]) -> frozenset[str]:
    """Whose numbers are this run's."""
    assert all(len(each.prefix) == PREFIX_LENGTH for each in registers), "made by the trade maker"
    return frozenset(each.prefix for each in registers)
