"""``novate scenario``: play scenario files."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from api.cli.engines import (
    EMBEDDED,
    PATIENCE_SECONDS,
    FinalityOption,
    PatienceOption,
    StoryEngine,
    StoryEngineOption,
    engine_failures,
    open_story_engine,
)
from api.cli.terminal import EXIT_FAILED, bad_input, file_trouble, output
from ledger.domain.reasons import Reason
from nodes.scenario.document import ScenarioError
from nodes.scenario.loader import load_story
from nodes.scenario.result import ScenarioResult, result_of
from nodes.scenario.runner import play
from nodes.scenario.story import Story

scenario_app = typer.Typer(help="Settlement stories in plain data.", no_args_is_help=True)

SUFFIXES = frozenset({".yaml", ".yml", ".json"})


@scenario_app.callback()
def _scenario() -> None:
    """Settlement stories in plain data."""


@scenario_app.command("run")
def run(
    paths: Annotated[
        list[Path], typer.Argument(help="Scenario files, YAML or JSON, and folders of them.")
    ],
    engine: StoryEngineOption = EMBEDDED,
    finality: FinalityOption = "0",
    patience: PatienceOption = PATIENCE_SECONDS,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a file.")] = False,
) -> None:
    """Play scenario files on the real contracts and a real engine.

    Ends with status 0 when every expectation holds, 1 when one does not or the engine fails, 2 when
    a file is not valid or the engine cannot be used (nothing is then run).
    """
    stories = load_stories(paths)
    chosen = open_story_engine(engine, finality, patience)
    passed = True
    for story in stories:
        result = play_story(story, chosen)
        passed &= result.passed
        typer.echo(json.dumps(asdict(result))) if as_json else _show(story, result)
    if not passed:
        raise typer.Exit(EXIT_FAILED)


def load_stories(paths: Sequence[Path]) -> list[Story]:
    """The stories in files and folders. Ends with status 2 when one is not valid."""
    try:
        return [load_story(file) for path in paths for file in _files(path)]
    except ScenarioError as error:
        bad_input(str(error), "Nothing was run.")
    except OSError as error:
        file_trouble(error)


def play_story(story: Story, chosen: StoryEngine) -> ScenarioResult:
    """Plays a story and compares it with what it expects. Ends with status 1 on an outage."""
    with engine_failures("Run the command again."):
        played = play(story, chosen.engine, chosen.seating)
        try:
            return result_of(played)
        finally:
            played.consortium.close()


def _files(path: Path) -> Iterator[Path]:
    """The file itself, or the scenario files in a folder, by name."""
    if not path.is_dir():
        yield path
        return
    files = sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES)
    if not files:
        bad_input(f"{path} has no scenario files ({', '.join(sorted(SUFFIXES))})")
    yield from files


def _show(story: Story, result: ScenarioResult) -> None:
    console = output()
    is_checked = story.expectations.are_any
    mark = "[green]passed[/green]" if is_checked else "[yellow]played, nothing expected[/yellow]"
    if not result.passed:
        mark = "[red]FAILED[/red]"
    console.print(f"{mark}  {result.scenario}  {result.state_hash[:18]}…")
    for each in result.differences:
        words = f"  {each['path']}: expected {each['expected']}, found {each['actual']}"
        console.print(words, markup=False)
    if result.passed and is_checked:
        return
    for name, found in result.instructions.items():
        if "reason" in found:
            cause = Reason[found["reason"]].explanation.cause
            line = f"  {name} is {found['state']}: {found['reason']}. {cause}"
            console.print(line, markup=False)
