"""``novate load``: load over HTTP on a sandbox of its own, a report, and comparison of runs."""

from importlib import import_module
from typing import Final

import typer

from api.cli.terminal import bad_input

load_app = typer.Typer(
    help="Put load on a sandbox of its own, and report.", no_args_is_help=True, add_completion=False
)
_AS_GIVEN: Final = {"allow_extra_args": True, "ignore_unknown_options": True}


@load_app.callback()
def _load() -> None:
    """Put load on a sandbox of its own, and report."""


@load_app.command("run", context_settings=_AS_GIVEN, add_help_option=False)
def run(context: typer.Context) -> None:
    """Run a profile, or --overload; --help lists profiles and options.

    Ends with 0 when the run is sound and within its thresholds, 1 when it is not sound, 4 when it
    misses a threshold.
    """
    _end_as("loadtests.run", context)


@load_app.command("compare", context_settings=_AS_GIVEN, add_help_option=False)
def compare(context: typer.Context) -> None:
    """Compare two files report.json; ends with 4 when something is worse beyond noise."""
    _end_as("loadtests.compare", context)


def _end_as(name: str, context: typer.Context) -> None:
    """Runs a module of the load kit, which is no part of the product, and ends as it ends."""
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        bad_input(f"{error.name} is missing: install novate[load]")
    raise typer.Exit(module.main(context.args))
