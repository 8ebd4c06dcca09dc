"""Links between instructions: which settle together or not at all, and which wait for another.

A link binds both where they name each other or a participant is a side of both. Where it does not,
the one that names waits until the other has settled, and the other need not know.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from ledger.domain.instructions import Instruction
from ledger.settlement.legs import participants_in

_NONE: Final[frozenset[str]] = frozenset()


class Links:
    """Links by label, of instructions that are to come, wait, or have ended."""

    def __init__(self) -> None:
        self._names: dict[str, frozenset[str]] = {}
        self._named_by: dict[str, set[str]] = {}
        self._sides: dict[str, frozenset[int]] = {}
        self._bound: dict[str, set[str]] = {}

    def copy(self) -> "Links":
        """The same once more: what is done to one leaves the other as it is."""
        other = Links()
        other._names, other._sides = dict(self._names), dict(self._sides)
        other._named_by = {label: set(them) for label, them in self._named_by.items()}
        other._bound = {label: set(them) for label, them in self._bound.items()}
        return other

    def add(self, instruction: Instruction, live: Mapping[str, Instruction]) -> None:
        """Takes in what an instruction names, and binds it to those it is to settle with.

        ``live`` are those that may be named now without having named anybody themselves.
        """
        label = instruction.label
        if label in self._sides or not (instruction.linked_to or label in self._named_by):
            return
        self._sides[label] = frozenset(participants_in(instruction))
        self._names[label] = frozenset(instruction.linked_to) - {label}
        for other in self._names[label]:
            self._named_by.setdefault(other, set()).add(label)
            if other in live:
                self.add(live[other], live)
        for other in self.of(label):
            if other in self._sides and self._binds(label, other):
                self.bind(label, other)

    def bind(self, one: str, other: str) -> None:
        """Has two settle together."""
        self._bound.setdefault(one, set()).add(other)
        self._bound.setdefault(other, set()).add(one)

    def of(self, label: str) -> AbstractSet[str]:
        """All that an instruction names, and that name it."""
        return self._names.get(label, _NONE) | self._named_by.get(label, _NONE)

    def bound(self, label: str) -> AbstractSet[str]:
        """Those that settle together with it, or not at all."""
        return self._bound.get(label, _NONE)

    def awaited_by(self, label: str) -> AbstractSet[str]:
        """Those without which it does not settle."""
        return self._names.get(label, _NONE) | self.bound(label)

    def _binds(self, one: str, other: str) -> bool:
        is_mutual = other in self._names[one] and one in self._names[other]
        return is_mutual or not self._sides[one].isdisjoint(self._sides[other])
