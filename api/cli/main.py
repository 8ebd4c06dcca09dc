"""The command ``novate``. Exit status: 0 done, 1 something does not hold, 2 bad input."""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from api.app import RECURSION_MAX
from api.cli.bench import bench_app
from api.cli.breaks import breaks_app
from api.cli.chain import chain_app
from api.cli.clock import clock_app
from api.cli.conformance import conformance
from api.cli.day import DAY_HELP, day, make_day
from api.cli.day_verify import verify as verify_day
from api.cli.dry_run import dry_run_app
from api.cli.dvp_models import dvp_models
from api.cli.events import events
from api.cli.fault import fault_app
from api.cli.fund import fund
from api.cli.instruction import instruction_app
from api.cli.key import key
from api.cli.key_choice import with_keys
from api.cli.listen import listen
from api.cli.node import node
from api.cli.processes import processes_app
from api.cli.proof import proof_app
from api.cli.queue import queue_app
from api.cli.reasons import reasons
from api.cli.requests import requests
from api.cli.rules import rules
from api.cli.sandbox import sandbox_app
from api.cli.scenario import scenario_app
from api.cli.side import side_app
from api.cli.statement import statement_app
from api.cli.up import up
from api.cli.webhook import webhook_app

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


SERVE = "Serve, and talk to what is served"
DAYS = "Settle market days"
STORIES = "Stories"
LOOK = "Look and verify"
WORDS = "Rules and reasons"

day_app = typer.Typer(help=DAY_HELP, invoke_without_command=True, callback=day)
day_app.command("verify")(verify_day)
app.command(rich_help_panel=SERVE)(up)
app.command(rich_help_panel=SERVE)(node)
app.add_typer(processes_app, name="processes", rich_help_panel=SERVE)
app.command(rich_help_panel=SERVE)(key)
app.add_typer(instruction_app, name="instruction", rich_help_panel=SERVE)
app.add_typer(side_app, name="side", rich_help_panel=SERVE)
app.add_typer(breaks_app, name="breaks", rich_help_panel=SERVE)
app.add_typer(queue_app, name="queue", rich_help_panel=SERVE)
app.add_typer(dry_run_app, name="dry-run", rich_help_panel=SERVE)
app.command(rich_help_panel=SERVE)(fund)
app.add_typer(statement_app, name="statement", rich_help_panel=SERVE)
app.add_typer(clock_app, name="clock", rich_help_panel=SERVE)
app.command(rich_help_panel=SERVE)(events)
app.command(rich_help_panel=SERVE)(listen)
app.add_typer(webhook_app, name="webhook", rich_help_panel=SERVE)
app.add_typer(sandbox_app, name="sandbox", rich_help_panel=SERVE)
app.command(rich_help_panel=SERVE)(requests)
app.add_typer(day_app, name="day", rich_help_panel=DAYS)
app.command("make-day", rich_help_panel=DAYS)(make_day)
app.add_typer(scenario_app, name="scenario", rich_help_panel=STORIES)
app.command(rich_help_panel=STORIES)(conformance)
app.command("dvp-models", rich_help_panel=STORIES)(dvp_models)
app.add_typer(fault_app, name="fault", rich_help_panel=STORIES)
app.add_typer(chain_app, name="chain", rich_help_panel=LOOK)
app.add_typer(proof_app, name="proof", rich_help_panel=LOOK)
app.add_typer(bench_app, name="bench", rich_help_panel=LOOK)
app.command(rich_help_panel=WORDS)(rules)
app.command(rich_help_panel=WORDS)(reasons)
with_keys(app)
