"""``novate scenario``: play scenario files."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from api.cli.engines import (
    EMBEDDED,
    PATIENCE_SECONDS,
    EngineOption,
    FinalityOption,
    PatienceOption,
    engine_failures,
    open_engine,
)
from api.cli.terminal import EXIT_FAILED, bad_input, output
from nodes.engine import Engine
from nodes.scenario.document import ScenarioError
from nodes.scenario.loader import load_story
from nodes.scenario.result import ScenarioResult, result_of
from nodes.scenario.runner import play
from nodes.scenario.story import Story

scenario_app = typer.Typer(help="Settlement stories in plain data.", no_args_is_help=True)


@scenario_app.callback()
def _scenario() -> None:
    """Settlement stories in plain data."""


@scenario_app.command("run")
def run(
    files: Annotated[list[Path], typer.Argument(help="Scenario files, YAML or JSON.")],
    engine: EngineOption = EMBEDDED,
    finality: FinalityOption = "0",
    patience: PatienceOption = PATIENCE_SECONDS,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a file.")] = False,
) -> None:
    """Play scenario files on the real contracts and a real engine.

    Ends with status 0 when every expectation holds, 1 when one does not or the engine fails, 2 when
    a file is not valid or the engine cannot be used (nothing is then run).
    """
    stories = _load(files)
    chain = open_engine(engine, finality, patience)
    results = [_play(story, chain) for story in stories]
    for result in results:
        typer.echo(json.dumps(asdict(result))) if as_json else _show(result)
    if not all(result.passed for result in results):
        raise typer.Exit(EXIT_FAILED)


def _load(files: list[Path]) -> list[Story]:
    try:
        return [load_story(file) for file in files]
    except ScenarioError as error:
        bad_input(str(error), "Nothing was run.")
    except (FileNotFoundError, IsADirectoryError) as error:
        bad_input(f"{error.filename} is not a file that exists", "Nothing was run.")


def _play(story: Story, engine: Engine | None) -> ScenarioResult:
    with engine_failures("Run the command again."):
        played = play(story, engine)
        try:
            return result_of(played)
        finally:
            played.consortium.close()


def _show(result: ScenarioResult) -> None:
    console = output()
    mark = "[green]passed[/green]" if result.passed else "[red]FAILED[/red]"
    console.print(f"{mark}  {result.scenario}  {result.state_hash[:18]}…")
    for each in result.differences:
        words = f"  {each['path']}: expected {each['expected']}, found {each['actual']}"
        console.print(words, markup=False)
