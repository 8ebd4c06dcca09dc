"""The command ``novate``. Exit status: 0 done, 1 something does not hold, 2 bad input."""

import typer

from api.cli.chain import chain_app
from api.cli.day import day, make_day
from api.cli.reasons import reasons
from api.cli.scenario import scenario_app
from api.cli.up import up

app = typer.Typer(
    help="A permissioned-ledger clearing and settlement simulator.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
app.command()(day)
app.command("make-day")(make_day)
app.command()(up)
app.command()(reasons)
app.add_typer(chain_app, name="chain")
app.add_typer(scenario_app, name="scenario")
