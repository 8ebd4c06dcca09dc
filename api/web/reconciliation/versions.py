"""The versions of a break side by side: what each record says, and where it differs."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from ledger.books.break_life import Break, BreakVersion
from ledger.domain.amounts import grouped
from ledger.domain.break_actions import BreakSubject

NOTHING: Final = "-"
"""What a record says that does not know of it."""
_LEDGER_FIRST: Final = re.compile(r"ledger (?P<ledger>.+?), (?P<statement>.+)")
_LEDGER: Final = "ledger "
_STATEMENT: Final = "statement "
_WORDS: Final = re.compile(r"\s+|[^\s,:]+|[,:]")
_AMOUNT: Final = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Part:
    """Some words of a version; ``differs``: the other record says something else here."""

    text: str
    differs: bool


@dataclass(frozen=True, slots=True)
class Side:
    """What one record says. ``name`` is the key of its name; no parts: it knows of nothing."""

    name: str
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(part.text for part in self.parts)


def sides_of(found: Break) -> list[Side]:
    """The records that a break is between, the owner's first."""
    return sides_of_version(BreakSubject.of(found.id), found.version)


def sides_of_version(subject: BreakSubject, version: BreakVersion) -> list[Side]:
    """The records that a version names."""
    ours, *others = _said(subject, version)
    first = _Words(ours[0], _words(ours[1]))
    rest = [_Words(name, _words(text)) for name, text in others]
    # Of the own record that is marked which any other contradicts.
    own = set[int]().union(*(_differing(first.words, other.words) for other in rest))
    sides = [_side(first, own)]
    sides += [_side(other, _differing(other.words, first.words)) for other in rest]
    return sides


@dataclass(frozen=True, slots=True)
class _Words:
    name: str
    words: list[str]


def _said(subject: BreakSubject, version: BreakVersion) -> list[tuple[str, str]]:
    """Whose record says what."""
    ours, theirs = version.ours, version.theirs
    if subject is BreakSubject.TRADE:
        return [("side_own_blotter", ours), ("side_exchange", theirs)]
    if subject is BreakSubject.ISSUE:
        return [("side_own_book", ours), ("side_ledger", theirs)]
    both = _LEDGER_FIRST.fullmatch(theirs)
    if both is not None:
        stated = both["statement"]
        stated = NOTHING if stated == "no statement" else stated.removeprefix(_STATEMENT)
        return [
            ("side_own_book", ours),
            ("side_ledger", both["ledger"]),
            ("side_statement", stated),
        ]
    if theirs.startswith(_LEDGER):
        return [("side_own_book", ours), ("side_ledger", theirs.removeprefix(_LEDGER))]
    return [("side_ours", ours), ("side_theirs", theirs)]


def _words(text: str) -> list[str]:
    return [] if text == NOTHING else _WORDS.findall(text)


def _differing(words: list[str], other: list[str]) -> set[int]:
    """The places of the words that the other record does not have there.

    Beside a record that knows of nothing there is no word that differs.
    """
    if not other:
        return set()
    found = SequenceMatcher(None, words, other, autojunk=False)
    return {
        place
        for tag, first, end, _, _ in found.get_opcodes()
        if tag != "equal"
        for place in range(first, end)
    }


def _side(said: _Words, differing: set[int]) -> Side:
    parts = []
    for place, word in enumerate(said.words):
        shown = grouped(word) if _AMOUNT.fullmatch(word) else word
        parts.append(Part(shown, place in differing and not word.isspace()))
    return Side(said.name, tuple(parts))
