"""The command ``novate``. Exit status: 0 done, 1 something does not hold, 2 bad input."""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from api.app import RECURSION_MAX
from api.cli.bench import bench_app
from api.cli.chain import chain_app
from api.cli.conformance import conformance
from api.cli.day import DAY_HELP, day, make_day
from api.cli.day_verify import verify as verify_day
from api.cli.dvp_models import dvp_models
from api.cli.fault import fault_app
from api.cli.proof import proof_app
from api.cli.reasons import reasons
from api.cli.rules import rules
from api.cli.scenario import scenario_app
from api.cli.up import up

# A library among the imports raises the limit so far that deep nesting would end in a crash.
sys.setrecursionlimit(RECURSION_MAX)

app = typer.Typer(
    help="A permissioned-ledger clearing and settlement simulator.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 # typer passes by position
    if wanted:
        typer.echo(f"novate {version('novate')}")
        raise typer.Exit


@app.callback()
def main(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """A permissioned-ledger clearing and settlement simulator."""


day_app = typer.Typer(help=DAY_HELP, invoke_without_command=True, callback=day)
day_app.command("verify")(verify_day)
app.add_typer(day_app, name="day")
app.command("make-day")(make_day)
app.command()(up)
app.command()(reasons)
app.command()(conformance)
app.command("dvp-models")(dvp_models)
app.command()(rules)
app.add_typer(chain_app, name="chain")
app.add_typer(bench_app, name="bench")
app.add_typer(proof_app, name="proof")
app.add_typer(scenario_app, name="scenario")
app.add_typer(fault_app, name="fault")
