"""``novate chain blocks``: the last blocks of a state folder and what is in them."""

from typing import Annotated, Final

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from api.chain_views import block_summary_view
from api.cli.chain_options import DEFAULT_STATE, JsonOption, StateOption
from api.cli.terminal import bad_input, output
from nodes.explorer.folder import open_explorer
from nodes.folder_meta import StateFolderError

LAST_MAX: Final = 10_000


def blocks(
    state: StateOption = DEFAULT_STATE,
    last: Annotated[int, typer.Option(min=1, max=LAST_MAX, help="How many, newest first.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List the last blocks. Works while novate up has the folder open, and while nothing runs."""
    try:
        with open_explorer(state) as explorer:
            views = [block_summary_view(block) for block in explorer.blocks(None, last)]
    except StateFolderError as error:
        bad_input(str(error))
    if as_json:
        for view in views:
            typer.echo(view.model_dump_json())
        return
    table = Table("block", "time (UTC)", "tx", "gas", "what happened", "finality", box=SIMPLE_HEAD)
    for column in (0, 2, 3):
        table.columns[column].justify = "right"
    for column in (0, 1, 2, 3):
        table.columns[column].no_wrap = True
    for view in views:
        time = view.time.removesuffix(" UTC")
        numbers = f"{view.number:,}", time, f"{view.transactions:,}", f"{view.gas_used:,}"
        table.add_row(*numbers, Text(view.content), view.finality.state)
    output().print(table)
