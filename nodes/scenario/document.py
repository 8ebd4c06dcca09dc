"""A YAML or JSON document whose every value knows the line it stands on.

Values are kept as they were written, so that ``1.50`` is told from ``'1.50'``, and a quoted time
from a bare ``11:00``, which YAML takes for a number.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import yaml

from ledger.domain.amounts import AMOUNT_MAX

_TEXT_TAG: Final = "tag:yaml.org,2002:str"
_TRUTH_TAG: Final = "tag:yaml.org,2002:bool"
_NUMBER_TAG: Final = "tag:yaml.org,2002:int"
_FLOAT_TAG: Final = "tag:yaml.org,2002:float"
_YES: Final = frozenset({"on", "true"})
_NO: Final = frozenset({"off", "false"})
_WORDS_BY_TRUTH: Final = {
    **dict.fromkeys(("on", "true", "yes"), _YES),
    **dict.fromkeys(("off", "false", "no"), _NO),
}


class ScenarioError(Exception):
    """A file that is not a valid scenario: where, and what was expected. Nothing was run."""

    def __init__(self, file: Path, line: int, key: str, expected: str, found: str = "") -> None:
        tail = f", found {found!r}" if found else ""
        super().__init__(f"{file}:{line}: {key}: expected {expected}{tail}")
        self.file, self.line, self.key, self.expected = file, line, key, expected


@dataclass(frozen=True, slots=True)
class Value:
    """A value and where it is. ``key`` is its path in the document."""

    file: Path
    key: str
    node: yaml.Node

    @property
    def line(self) -> int:
        """The line, from 1."""
        return int(self.node.start_mark.line) + 1

    def text(self) -> str:
        """A scalar as it is written."""
        if not isinstance(self.node, yaml.ScalarNode):
            self.fail("a single value")
        return str(self.node.value)

    def decimal(self) -> str:
        """A scalar that is decimal text or a whole number; a bare fraction is refused."""
        text = self.text()
        if self.node.tag == _FLOAT_TAG:
            self.fail(f"decimal text, found the number {text}: put quotes around it")
        return text

    def whole_number(self) -> int:
        """A scalar that is a whole number, up to the most of an amount."""
        text = self.text()
        is_number = self.node.tag == _NUMBER_TAG and re.fullmatch(r"[0-9]{1,16}", text, re.ASCII)
        if not is_number or int(text) > AMOUNT_MAX:
            self.fail(f"a whole number up to {AMOUNT_MAX}", text[:40])
        return int(text)

    def choice(self, choices: Sequence[str]) -> str:
        """One of some words; ``on``/``true`` and ``off``/``false`` are the same word."""
        text = self.text()
        is_truth = self.node.tag == _TRUTH_TAG or text in _WORDS_BY_TRUTH
        same = _WORDS_BY_TRUTH[text.lower()] if is_truth else {text}
        for choice in choices:
            if choice in same:
                return choice
        return self.fail(" or ".join(choices), text)

    def truth(self) -> bool:
        """``true`` or ``false``."""
        return self.choice(("true", "false")) == "true"

    def is_text(self) -> bool:
        """Whether YAML reads this scalar as text, and not as a number, a truth value or nothing."""
        return bool(self.node.tag == _TEXT_TAG)

    def items(self) -> list["Value"]:
        """The values of a list."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.fail("a list")
        return [
            Value(self.file, f"{self.key}[{i}]", node) for i, node in enumerate(self.node.value)
        ]

    def pairs(self) -> Iterator[tuple[str, "Value"]]:
        """The keys and values of a mapping; a repeated key is refused."""
        if not isinstance(self.node, yaml.MappingNode):
            self.fail("a mapping")
        seen: set[str] = set()
        for key_node, node in self.node.value:
            name = str(key_node.value)
            value = Value(self.file, f"{self.key}.{name}".lstrip("."), node)
            if name in seen:
                raise ScenarioError(
                    self.file, key_node.start_mark.line + 1, name, "a key only once"
                )
            seen.add(name)
            yield name, value

    def mapping(self, required: Sequence[str], optional: Sequence[str] = ()) -> dict[str, "Value"]:
        """A mapping with known keys."""
        found = dict(self.pairs())
        for name, value in found.items():
            if name not in required and name not in optional:
                value.fail(f"a key among {', '.join([*required, *optional])}", name)
        for name in required:
            if name not in found:
                self.fail(f"the key {name}")
        return found

    def is_mapping(self) -> bool:
        """Whether this is a mapping."""
        return isinstance(self.node, yaml.MappingNode)

    def fail(self, expected: str, found: str = "") -> NoReturn:
        """Raises the error that names this value."""
        raise ScenarioError(self.file, self.line, self.key or "document", expected, found)


def read_document(file: Path) -> Value:
    """The document in a file. Raises ScenarioError when it is not YAML or JSON."""
    return parse_document(file.read_bytes(), file)


def parse_document(content: bytes, file: Path) -> Value:
    """The document that is the content of a file. Raises ScenarioError."""
    try:
        node: Any = yaml.compose(content.decode(), Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = str(getattr(error, "problem", None) or error)
        raise ScenarioError(file, line, "document", "YAML or JSON", problem) from error
    except RecursionError as error:
        raise ScenarioError(file, 1, "document", "lists and mappings less deep") from error
    except UnicodeDecodeError as error:
        raise ScenarioError(file, 1, "document", "UTF-8 text", str(error)) from error
    if node is None:
        raise ScenarioError(file, 1, "document", "a mapping", "nothing")
    return Value(file, "", node)
