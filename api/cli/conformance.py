"""``novate conformance``: play the bundled scenarios and show which of them hold."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from api.cli.engines import (
    EMBEDDED,
    PATIENCE_SECONDS,
    FinalityOption,
    PatienceOption,
    StoryEngine,
    StoryEngineOption,
    open_story_engine,
)
from api.cli.scenario import load_stories, play_story
from api.cli.terminal import EXIT_FAILED, bad_input, counted, output, progress_bar
from nodes.clock import WallClock
from nodes.scenario.bundled import pack_files, topic_of

NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Line:
    """One scenario of the pack, as it was played. ``shows`` is its title."""

    topic: str
    scenario: str
    shows: str
    passed: bool
    seconds: float
    state_hash: str
    differences: list[dict[str, str]]


def conformance(
    engine: StoryEngineOption = EMBEDDED,
    finality: FinalityOption = "0",
    patience: PatienceOption = PATIENCE_SECONDS,
    topic: Annotated[
        list[str] | None, typer.Option(help="Only this topic; may be repeated.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Play every bundled scenario and show, by topic, which rules hold.

    Ends with status 0 when every expectation of every scenario holds, 1 when one does not or the
    engine fails, 2 when the engine cannot be used or there is no such topic.
    """
    lines = _play_all(_files_of(topic), open_story_engine(engine, finality, patience))
    failed = sum(not line.passed for line in lines)
    if as_json:
        total = {"engine": engine, "played": len(lines), "passed": len(lines) - failed}
        typer.echo(json.dumps(total | {"scenarios": [asdict(line) for line in lines]}))
    else:
        show(lines)
    if failed:
        raise typer.Exit(EXIT_FAILED)


def _files_of(topics: Sequence[str] | None) -> list[Path]:
    known = {topic_of(file) for file in pack_files()}
    for topic in topics or ():
        if topic not in known:
            bad_input(f"--topic: expected {' or '.join(sorted(known))}, found {topic!r}")
    return [file for file in pack_files() if not topics or topic_of(file) in topics]


def _play_all(pack: Sequence[Path], chosen: StoryEngine) -> list[Line]:
    stories, clock, lines = load_stories(pack), WallClock(), []
    with progress_bar() as progress:
        task = progress.add_task("play", unit="scenarios", total=len(pack))
        for file, story in zip(pack, stories, strict=True):
            began = clock.stopwatch_ns()
            result = play_story(story, chosen)
            seconds = round((clock.stopwatch_ns() - began) / NANOSECONDS, 3)
            lines.append(
                Line(
                    topic=topic_of(file),
                    scenario=story.name,
                    shows=story.title,
                    passed=result.passed,
                    seconds=seconds,
                    state_hash=result.state_hash,
                    differences=result.differences,
                )
            )
            progress.advance(task)
    return lines


def show(lines: Sequence[Line]) -> None:
    """Prints the table, then what differs, then the total."""
    console = output()
    table = Table("topic", "scenario", "what it shows", "", "seconds")
    topic = ""
    for line in lines:
        if line.topic != topic and topic:
            table.add_section()
        mark = "[green]passed[/green]" if line.passed else "[red]FAILED[/red]"
        words = ["" if line.topic == topic else line.topic, line.scenario, escape(line.shows)]
        table.add_row(*words, mark, f"{line.seconds:.2f}")
        topic = line.topic
    console.print(table)
    for line in lines:
        for each in line.differences:
            found = f"expected {each['expected']}, found {each['actual']}"
            console.print(f"{line.scenario}  {each['path']}: {found}", markup=False)
    seconds = sum(line.seconds for line in lines)
    failed = sum(not line.passed for line in lines)
    total = f"{counted(len(lines), 'scenario')}, {len(lines) - failed} passed, {failed} failed"
    console.print(f"{total}, {seconds:.1f} s")
