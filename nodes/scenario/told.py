"""A scenario told step by step: what it does, what it expects, and what was found."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

from nodes.scenario.document import parse_document
from nodes.scenario.loader import story_of
from nodes.scenario.result import Outcome, ScenarioCheck, ScenarioResult, result_of
from nodes.scenario.runner import play
from nodes.scenario.upload import UPLOADED

_AT: Final = "at"
_NAMES: Final = ("id", "instruction")
_STATE: Final = "instructions."


@dataclass(frozen=True, slots=True)
class Step:
    """One event of a scenario, in the words of its file.

    Attributes:
        name: of the trade, instruction or side that it is about; empty: it is about none.
        terms: the rest of what it says.
        at: the time of day to which the clock moves before it; empty: it stands.
    """

    verb: str
    name: str
    terms: str
    at: str


@dataclass(frozen=True, slots=True)
class ToldScenario:
    """A scenario that was played.

    Attributes:
        states: of each trade, instruction and side: what is expected of it in the end.
        checks: everything else that is expected.
    """

    title: str
    result: ScenarioResult
    steps: tuple[Step, ...]
    states: dict[str, list[ScenarioCheck]]
    checks: tuple[ScenarioCheck, ...]


def play_and_tell(content: bytes) -> ToldScenario:
    """Plays the scenario in a file's content and tells it. Raises ScenarioError."""
    story = story_of(parse_document(content, UPLOADED))
    played = play(story)
    try:
        result, checks = result_of(played), [*Outcome(played).checks()]
    finally:
        played.consortium.close()
    states: dict[str, list[ScenarioCheck]] = {}
    for each in checks:
        if each.path.startswith(_STATE):
            name = each.path.removeprefix(_STATE).removesuffix(".reason")
            states.setdefault(name, []).append(each)
    others = tuple(each for each in checks if not each.path.startswith(_STATE))
    return ToldScenario(story.title, result, steps_of(content), states, others)


def steps_of(content: bytes) -> tuple[Step, ...]:
    """The events of a scenario that is known to be one."""
    document = yaml.load(content, Loader=yaml.BaseLoader)  # noqa: S506 # it makes texts, lists and mappings alone
    return tuple(_step(each) for each in document.get("events") or ())


def _step(entry: dict[str, Any]) -> Step:
    verb, body = next(item for item in entry.items() if item[0] != _AT)
    at = str(entry.get(_AT, ""))
    if not isinstance(body, dict):
        return Step(verb, "", str(body), at)
    name = next((str(body[each]) for each in _NAMES if each in body), "")
    return Step(verb, name, ", ".join(_terms(body)), at)


def _terms(body: dict[str, Any]) -> Iterator[str]:
    for key, value in body.items():
        if key in _NAMES:
            continue
        if isinstance(value, dict):
            yield f"{key} ({', '.join(_terms(value))})"
        elif isinstance(value, list):
            yield f"{key} {' '.join(map(str, value))}"
        else:
            yield f"{key} {value}"
