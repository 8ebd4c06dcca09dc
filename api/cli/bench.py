"""``novate bench``: measurements that verify their own answers."""

from importlib import import_module
from typing import Annotated

import typer

from api.cli.bench_day import day, day_chart
from api.cli.measured import AsJson, Validators, check_peer, measured, show

bench_app = typer.Typer(
    help="Measure, and verify what was measured.", no_args_is_help=True, add_completion=False
)


bench_app.command("day")(day)
bench_app.command("day-chart")(day_chart)


@bench_app.callback()
def _bench() -> None:
    """Measure, and verify what was measured."""


@bench_app.command("gross")
def gross(
    transactions: Annotated[
        int, typer.Option(min=100, max=2_000_000, help="Settlements, one transaction each.")
    ] = 20_000,
    validators: Validators = 1,
    peer: Annotated[
        str | None, typer.Option(metavar="anvil", help="Give the same transactions to a peer.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Settle trades one by one: signed by both sides, executed, durable, final.

    Ends with status 1 when the answer is wrong: its figure is then void. 2 when a peer is missing.
    """
    check_peer(peer)
    # Benchmarks are not part of the product: loaded when they are asked for.
    module = import_module("loadtests.benchmarks.gross")
    show(measured(module.run, transactions, validators, peer).as_json(), as_json=as_json)


@bench_app.command("netted")
def netted(
    lines: Annotated[int, typer.Option(min=1_024, max=200_000, help="Net lines.")] = 65_536,
    validators: Validators = 1,
    as_json: AsJson = False,
) -> None:
    """Settle net lines: in many cycles of one call each, and in one cycle in parts.

    Ends with status 1 when the answer is wrong: its figure is then void.
    """
    module = import_module("loadtests.benchmarks.netted")
    show(measured(module.run, lines, validators).as_json(), as_json=as_json)


@bench_app.command("sets")
def sets(
    instructions: Annotated[
        int, typer.Option(min=1, max=10_000, help="Instructions in the set.")
    ] = 10_000,
    accounts: Annotated[int, typer.Option(min=2, max=900, help="Brokers, an account each.")] = 100,
    validators: Validators = 1,
    as_json: AsJson = False,
) -> None:
    """Settle instructions together as one set, in one transaction.

    Ends with status 1 when the answer is wrong: its figure is then void.
    """
    module = import_module("loadtests.benchmarks.sets")
    show(measured(module.run, instructions, accounts, validators).as_json(), as_json=as_json)


@bench_app.command("logs")
def logs(
    blocks: Annotated[
        int, typer.Option(min=2_000, max=1_000_000, help="Blocks, with two events each.")
    ] = 100_000,
    as_json: AsJson = False,
) -> None:
    """Find pages of events in a long chain, and open it.

    Ends with status 1 when the answer is wrong: its figure is then void.
    """
    module = import_module("loadtests.benchmarks.logs")
    show(measured(module.run, blocks).as_json(), as_json=as_json)


@bench_app.command("gridlock")
def gridlock(
    instructions: Annotated[
        int, typer.Option(min=100, max=1_000_000, help="Queued instructions.")
    ] = 100_000,
    as_json: AsJson = False,
) -> None:
    """Resolve long queues: in queue order, by bypass, and a short one for the greatest value.

    Ends with status 1 when an answer is wrong: its figure is then void.
    """
    module = import_module("loadtests.benchmarks.gridlock")
    show(measured(module.run, instructions).as_json(), as_json=as_json)


@bench_app.command("reconcile")
def reconcile(
    records: Annotated[
        int, typer.Option(min=1_000, max=10_000_000, help="Records in each of three versions.")
    ] = 1_000_000,
    planted: Annotated[int, typer.Option(min=0, max=500, help="Breaks to be found.")] = 37,
    seed: Annotated[int, typer.Option(min=0, help="Of the records and the places.")] = 2026,
    as_json: AsJson = False,
) -> None:
    """Compare trades, positions and movements three ways, and find exactly the planted breaks.

    Ends with status 1 when one is missed, or a false one found: its figure is then void.
    """
    module = import_module("loadtests.benchmarks.reconcile")
    show(measured(module.run, records, planted, seed).as_json(), as_json=as_json)


@bench_app.command("reconcile-live")
def reconcile_live(
    lines: Annotated[int, typer.Option(min=100, max=100_000, help="Net lines a second.")] = 5_000,
    seconds: Annotated[float, typer.Option(min=1, max=3_600, help="How long.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Settle net lines at a rate; measure from a final block until all nodes are reconciled.

    Ends with status 1 when a break is left, the rate is missed, or a node that is started again
    shows another view: the figure is then void.
    """
    module = import_module("loadtests.benchmarks.reconcile_live")
    show(measured(module.run, lines, seconds).as_json(), as_json=as_json)
