"""Reference model of gridlock resolution: the three algorithms as the rule reads, and by search."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

Key = str


@dataclass(frozen=True, slots=True)
class ModelInstruction:
    """A queued instruction. Legs are (debtor, creditor, amount); either side may be None."""

    legs: tuple[tuple[Key | None, Key | None, int], ...]
    value: int = 0
    link: int | None = None
    can_settle: bool = True


@dataclass(frozen=True, slots=True)
class ModelQueue:
    """Instructions in queue order, and what each key has (nothing, when it is not named)."""

    instructions: Sequence[ModelInstruction]
    available: Mapping[Key, int] = field(default_factory=dict)

    @property
    def keys(self) -> list[Key]:
        """Every key that somebody gives from or receives on."""
        legs = [leg for instruction in self.instructions for leg in instruction.legs]
        return sorted({side for leg in legs for side in leg[:2] if side is not None})


def fifo(queue: ModelQueue, keys: Sequence[Key] | None = None) -> set[int]:
    """Deselect from the ends of queues until no key is short; keys are looked at in this order."""
    selected = set(range(len(queue.instructions)))
    for place, instruction in enumerate(queue.instructions):
        if not instruction.can_settle:
            _deselect(queue, selected, place)
    order = queue.keys if keys is None else keys
    while short := [key for key in order if balance(queue, selected, key) < 0]:
        _deselect(queue, selected, max(selected & owing(queue, short[0])))
    return selected


def bypass(queue: ModelQueue) -> list[int]:
    """Settle the first that can by itself, then look again from the head."""
    settled: list[int] = []
    while True:
        for place in range(len(queue.instructions)):
            together = _linked(queue, place)
            if place not in settled and is_feasible(queue, {*settled, *together}):
                settled += sorted(together)
                break
        else:
            return settled


def optimum(queue: ModelQueue) -> set[int]:
    """The best of all feasible sets."""
    return max(
        filter(lambda chosen: is_feasible(queue, chosen), subsets(queue)),
        key=lambda chosen: (
            value(queue, chosen),
            len(chosen),
            [-place for place in sorted(chosen)],
        ),
    )


def largest_in_order(queue: ModelQueue) -> set[int]:
    """The largest of all feasible sets that keep every queue's order."""
    return max(sets_in_order(queue), key=len)


def sets_in_order(queue: ModelQueue) -> Iterator[set[int]]:
    """All feasible sets that keep every queue's order."""
    for chosen in subsets(queue):
        if is_feasible(queue, chosen) and is_in_order(queue, chosen):
            yield chosen


def subsets(queue: ModelQueue) -> Iterator[set[int]]:
    """All sets of instructions."""
    places = range(len(queue.instructions))
    for size in range(len(places) + 1):
        yield from map(set, combinations(places, size))


def is_feasible(queue: ModelQueue, chosen: set[int]) -> bool:
    """Whether a set may settle and leaves no key below zero."""
    return (
        all(queue.instructions[place].can_settle for place in chosen)
        and all(_linked(queue, place) <= chosen for place in chosen)
        and all(balance(queue, chosen, key) >= 0 for key in queue.keys)
    )


def is_in_order(queue: ModelQueue, chosen: set[int]) -> bool:
    """Whether nobody in the set has somebody outside it before him in a queue."""
    for key in queue.keys:
        in_queue = sorted(owing(queue, key))
        flags = [place in chosen for place in in_queue]
        if flags != sorted(flags, reverse=True):
            return False
    return True


def balance(queue: ModelQueue, chosen: set[int], key: Key) -> int:
    """What a key would have after a set has settled."""
    after = queue.available.get(key, 0)
    for place in chosen:
        for debtor, creditor, amount in queue.instructions[place].legs:
            after -= amount * (debtor == key)
            after += amount * (creditor == key)
    return after


def owing(queue: ModelQueue, key: Key) -> set[int]:
    """Who stands in a key's queue."""
    return {
        place
        for place, instruction in enumerate(queue.instructions)
        if any(debtor == key for debtor, _, _ in instruction.legs)
    }


def value(queue: ModelQueue, chosen: set[int]) -> int:
    """What a set settles, in minor units."""
    return sum(queue.instructions[place].value for place in chosen)


def _deselect(queue: ModelQueue, selected: set[int], place: int) -> None:
    if place not in selected:
        return
    selected.remove(place)
    for other in _linked(queue, place):
        _deselect(queue, selected, other)
    for key in queue.keys:
        in_queue = owing(queue, key)
        if place in in_queue:
            for later in [other for other in in_queue if other > place]:
                _deselect(queue, selected, later)


def _linked(queue: ModelQueue, place: int) -> set[int]:
    link = queue.instructions[place].link
    if link is None:
        return {place}
    return {
        other for other, instruction in enumerate(queue.instructions) if instruction.link == link
    }
