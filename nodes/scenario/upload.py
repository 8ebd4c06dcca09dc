"""Scenarios played for somebody who is not at this machine: a file that was sent, or a bundled one.

Each is played in memory, on a network of its own.
"""

from pathlib import Path
from typing import Final

from nodes.scenario.document import parse_document
from nodes.scenario.loader import load_story, story_of
from nodes.scenario.result import ScenarioResult, result_of
from nodes.scenario.runner import play
from nodes.scenario.story import Story

UPLOADED: Final = Path("scenario")
"""What a file that was sent is called in errors."""


def play_upload(content: bytes) -> ScenarioResult:
    """Plays the story in a file's content. Raises ScenarioError."""
    return _result(story_of(parse_document(content, UPLOADED)))


def play_bundled(file: Path) -> ScenarioResult:
    """Plays a scenario of the pack."""
    return _result(load_story(file))


def _result(story: Story) -> ScenarioResult:
    played = play(story)
    try:
        return result_of(played)
    finally:
        played.consortium.close()
