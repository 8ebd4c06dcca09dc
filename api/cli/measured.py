"""What the benchmarks share: how they are run, and how their results are shown."""

import json
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Annotated, Any

import typer
from rich.table import Table

from api.cli.terminal import EXIT_FAILED, bad_input, output

Validators = Annotated[
    int, typer.Option(min=1, max=64, help="Validators; 1 is the proposer alone.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def check_peer(peer: str | None) -> None:
    """Ends with status 2 for a peer that nothing is known of."""
    if peer not in {None, "anvil"}:
        bad_input(f"--peer: expected anvil, found {peer!r}")


def measured(measure: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401 # loaded by name
    """What a benchmark measures; ends with status 2 when its peer cannot be measured."""
    trouble = import_module("loadtests.benchmarks.anvil_peer").PeerError
    try:
        return measure(*arguments)
    except trouble as error:
        bad_input(str(error))


def show(result: Mapping[str, Any], *, as_json: bool) -> None:
    """Prints a result; ends with status 1 when its answer was wrong."""
    if as_json:
        typer.echo(json.dumps(result))
    else:
        table = Table(box=None, show_header=False)
        for name, value in _flat(result):
            table.add_row(name.replace("_", " "), value)
        output().print(table)
    end(result)


def end(result: Mapping[str, Any]) -> None:
    """Ends with status 1 when the answer was wrong: its figures are then void."""
    if not result["verified"]:
        raise typer.Exit(EXIT_FAILED)


def _flat(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in result.items():
        if isinstance(value, Mapping):
            rows += [(f"{name} {inner}", text) for inner, text in _flat(value)]
        elif isinstance(value, float):
            rows.append((name, f"{value:,.2f}"))
        elif isinstance(value, int) and not isinstance(value, bool):
            rows.append((name, f"{value:,}"))
        elif value != []:
            rows.append((name, str(value)))
    return rows
