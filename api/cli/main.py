"""The command ``novate``. Exit status: 0 done, 1 something does not hold, 2 bad input."""

from importlib.metadata import version
from typing import Annotated, Final

import typer

from api.cli.lazy import Entry, lazy_group

SERVE: Final = "Serve, and talk to what is served"
DAYS: Final = "Settle market days"
STORIES: Final = "Stories"
LOOK: Final = "Look and verify"
WORDS: Final = "Rules and reasons"

COMMANDS: Final = {
    "up": Entry("api.cli.up:up", SERVE),
    "node": Entry("api.cli.node:node", SERVE),
    "key": Entry("api.cli.key:key", SERVE),
    "fund": Entry("api.cli.fund:fund", SERVE),
    "events": Entry("api.cli.events:events", SERVE),
    "listen": Entry("api.cli.listen:listen", SERVE),
    "requests": Entry("api.cli.requests:requests", SERVE),
    "backup": Entry("api.cli.backup:backup", SERVE),
    "restore": Entry("api.cli.backup:restore", SERVE),
    "make-day": Entry("api.cli.day:make_day", DAYS),
    "conformance": Entry("api.cli.conformance:conformance", STORIES),
    "dvp-models": Entry("api.cli.dvp_models:dvp_models", STORIES),
    "init": Entry("api.cli.init:init", STORIES),
    "rules": Entry("api.cli.rules:rules", WORDS),
    "reasons": Entry("api.cli.reasons:reasons", WORDS),
    "processes": Entry("api.cli.processes:processes_app", SERVE),
    "instruction": Entry("api.cli.instruction:instruction_app", SERVE),
    "side": Entry("api.cli.side:side_app", SERVE),
    "breaks": Entry("api.cli.breaks:breaks_app", SERVE),
    "queue": Entry("api.cli.queue:queue_app", SERVE),
    "dry-run": Entry("api.cli.dry_run:dry_run_app", SERVE),
    "statement": Entry("api.cli.statement:statement_app", SERVE),
    "clock": Entry("api.cli.clock:clock_app", SERVE),
    "webhook": Entry("api.cli.webhook:webhook_app", SERVE),
    "sandbox": Entry("api.cli.sandbox:sandbox_app", SERVE),
    "day": Entry("api.cli.day:day_app", DAYS),
    "scenario": Entry("api.cli.scenario:scenario_app", STORIES),
    "fault": Entry("api.cli.fault:fault_app", STORIES),
    "chain": Entry("api.cli.chain:chain_app", LOOK),
    "proof": Entry("api.cli.proof:proof_app", LOOK),
    "bench": Entry("api.cli.bench:bench_app", LOOK),
    "load": Entry("api.cli.load:load_app", LOOK),
}
"""In the order of the help."""

app = typer.Typer(
    cls=lazy_group(COMMANDS),
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
