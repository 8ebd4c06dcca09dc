"""``novate fault``: what can be made to go wrong."""

import typer
from rich.table import Table

from api.cli.terminal import output
from nodes.market_day.faults import FAULT_FORMS
from nodes.scenario.faults import FAULTS

fault_app = typer.Typer(help="What can be made to go wrong.", no_args_is_help=True)


@fault_app.callback()
def _fault() -> None:
    """What can be made to go wrong."""


@fault_app.command("list")
def list_faults() -> None:
    """List the faults by name: in a scenario, and as --fault of a market day."""
    form_by_name = {name.value: form for name, form in FAULT_FORMS.items()}
    table = Table("name", "what goes wrong", "in a scenario", "novate day --fault")
    for name, form in FAULTS.items():
        keys = [*form.keys, *(f"{key}?" for key in form.optional)]
        body = f"fault: {{at: {name}, {', '.join(keys)}}}"
        table.add_row(name, form.what, body, form_by_name.get(name, "-"))
    output().print(table)
