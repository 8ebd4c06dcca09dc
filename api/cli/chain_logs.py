"""``novate chain logs``: the events of our contracts, by name."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from api.chain_views import event_view
from api.cli.chain_options import DEFAULT_STATE, JsonOption, StateOption
from api.cli.terminal import bad_input, output
from contracts.decoding import event_names
from nodes.explorer.folder import open_explorer
from nodes.folder_meta import StateFolderError


def logs(
    state: StateOption = DEFAULT_STATE,
    event: Annotated[
        str | None, typer.Option(help=f"Only these: {', '.join(sorted(event_names()))}.")
    ] = None,
    first: Annotated[int, typer.Option("--from", min=0, help="First block.")] = 0,
    last: Annotated[int | None, typer.Option("--to", min=0, help="Last block.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List events, oldest first."""
    if event is not None and event not in event_names():
        bad_input(f"there is no event {event}", f"Use one of: {', '.join(sorted(event_names()))}.")
    table = Table("block", "contract", "event", "values")
    try:
        with open_explorer(state) as explorer:
            height = explorer.height()
            for each in explorer.logs(event, first, height if last is None else min(last, height)):
                view = event_view(each)
                if as_json:
                    typer.echo(view.model_dump_json())
                    continue
                words = "\n".join(f"{value.name} {value.value}" for value in view.values)
                table.add_row(
                    f"{view.block:,}", view.contract, view.name, Text(words, overflow="fold")
                )
    except StateFolderError as error:
        bad_input(str(error))
    if not as_json:
        output().print(table)
