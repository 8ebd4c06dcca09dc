"""``novate bench day``: a whole market day, measured. ``novate bench day-chart``: many, drawn."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from enum import Enum
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from api.app import create_app
from api.cli.chain_options import FOLDER_NAMES
from api.cli.measured import AsJson, Validators, check_peer, end, measured, show
from api.cli.terminal import (
    EXIT_FAILED,
    bad_input,
    file_trouble,
    messages,
    output,
    progress_bar,
)
from api.server import server_of
from nodes.clock import pause
from nodes.folder_meta import StateFolderError
from nodes.process_memory import reuse_freed_memory
from nodes.sandbox.sandbox import Sandbox

_MODULE: Final = "loadtests.benchmarks.day"
_START_SECONDS: Final = 0.01
_TURN_SECONDS: Final = 0.05
"""How long one thread may compute before another one wants the interpreter. Capture and clearing
are the only two that compute, and nobody waits for either: at the usual 5 ms they take the caches
from each other, and a day takes 4 to 8 % longer."""
_RATE_WORDS: Final = {
    "captured": "captured: on disk at the exchange",
    "cleared": "cleared: in net lines that are covered",
    "committed": "committed: under the root of their cycle",
    "settled": "settled: in a sealed block",
    "final": "final: and that block is final",
    "reconciled": "reconciled: and all books agree with it",
}
_STAGE_WORDS: Final = {
    "made": "made, by the venue in its own process",
    "decoded": "decoded, while others are cleared",
    "captured": "captured, while others are cleared",
    "handed_over": "handed over to the clearing house",
    "signed": "of this: affirmed and signed by brokers",
    "checked": "of this: checked and kept by the clearing house",
    "struck": "struck: read and cut into cycles",
    "netted": "netted, and cover looked at",
    "committed": "committed",
    "attested": "attested",
    "settled": "settled: kept, told, executed, sealed",
    "final": "final: voted on",
    "reconciled": "projected and compared",
}


class Ingest(Enum):
    """In which form trades come in."""

    ARROW = "arrow"
    JSON = "json"


def day(
    trades: Annotated[
        int, typer.Option(min=1_000, max=200_000_000, help="Trades of the day.")
    ] = 1_000_000,
    participants: Annotated[
        int, typer.Option(min=2, max=1_000, help="Brokers, with a house and a client account each.")
    ] = 32,
    instruments: Annotated[
        int, typer.Option(min=1, max=10_000, help="Instruments that are traded.")
    ] = 300,
    validators: Validators = 1,
    cycle_trades: Annotated[
        int | None,
        typer.Option(
            min=1_000,
            max=20_000_000,
            help="Strike a cycle at so many trades; from 100,000 to 5,000,000 by their number.",
            show_default=False,
        ),
    ] = None,
    attest: Annotated[
        bool | None,
        typer.Option(
            "--attest/--no-attest",
            help="Whether every broker keeps a blotter here, affirms, checks its chunks and"
            " reconciles; if not, stand-ins of distant brokers sign what they are shown."
            " Attested with several validators, not with one.",
            show_default=False,
        ),
    ] = None,
    signed: Annotated[
        bool,
        typer.Option(
            "--signed",
            help="Both brokers sign every trade, and the clearing house checks each signature."
            " A hundred times slower.",
        ),
    ] = False,
    ingest: Annotated[
        Ingest,
        typer.Option(
            help="Arrow streams by a pipe, or JSON by HTTP, both from a venue in its own process."
        ),
    ] = Ingest.ARROW,
    peer: Annotated[
        str | None,
        typer.Option(metavar="anvil", help="Settle 5,000 trades one by one on a peer, to compare."),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            *FOLDER_NAMES,
            help="Leave the day in this new folder, for novate up and novate chain.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed makes the same trades.")] = 7,
    as_json: AsJson = False,
) -> None:
    """Run a whole market day: made, captured, cleared, settled, final, reconciled.

    A rate is trades a second, from the first trade that is made until the last one has come so far.
    Opening positions are issued beforehand, the answer is verified afterwards: conservation, a
    recount from the seed, 1,000 proofs, no break. Ends with status 1 when it is wrong: its figures
    are then void. 2 when the folder cannot be used or a peer is missing.
    """
    check_peer(peer)
    reuse_freed_memory()
    if state is not None and state.exists() and (not state.is_dir() or any(state.iterdir())):
        bad_input(f"{state} is not an empty folder", "Name a new folder with --folder.")
    # Benchmarks are not part of the product: loaded when they are asked for.
    module = import_module(_MODULE)
    options = module.DayOptions(
        trades=trades,
        participants=participants,
        instruments=instruments,
        validators=validators,
        cycle_trades=cycle_trades,
        attested=attest,
        signed=signed,
        ingest=ingest.value,
        seed=seed,
        peer=peer,
        state=state,
    )
    with _long_turns() if ingest is Ingest.ARROW else nullcontext():
        if as_json:
            show(_run(module.run, options, served).as_json(), as_json=True)
            return
        with progress_bar() as progress:
            task = progress.add_task("clear and settle", unit="trades", total=trades)
            result = _run(
                module.run,
                options,
                served,
                lambda cleared: progress.update(task, completed=cleared),
            )
    _show(result.as_json())


def day_chart(
    out: Annotated[Path, typer.Option(help="Where to draw, in SVG; the figures go beside it.")],
    largest: Annotated[
        int,
        typer.Option(min=6, max=8, help="The longest day: 10 to the power of so many trades."),
    ] = 7,
    validators: Validators = 1,
    redraw: Annotated[
        bool, typer.Option("--redraw", help="Draw the figures beside it again; measure nothing.")
    ] = False,
) -> None:
    """Draw rates against trades, brokers and instruments, and how long cycles take.

    Runs many days one after another, each verified. Ends with status 1 when one came out wrong.
    """
    module = import_module("loadtests.benchmarks.day_sweep")
    if not out.parent.is_dir():
        bad_input(f"{out.parent}: there is no such folder")
    try:
        if not redraw:
            with progress_bar() as progress:
                task = progress.add_task("measure", unit="days", total=None)
                days = _run(
                    module.sweep,
                    largest,
                    validators,
                    lambda done, total: progress.update(task, completed=done, total=total),
                )
            module.write(out, days)
        module.draw(out)
    except OSError as error:
        file_trouble(error)
    except module.SweepError as error:
        messages().print("error:", error, markup=False)
        raise typer.Exit(EXIT_FAILED) from error


@contextmanager
def _long_turns() -> Iterator[None]:
    """In the block threads take long turns. Not for a process that serves: its callers wait."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_TURN_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@contextmanager
def served(sandbox: Sandbox) -> Iterator[int]:
    """Serves a sandbox on a free port of this machine; the sandbox ends with it."""
    server = server_of(create_app(sandbox), "127.0.0.1", 0)
    thread = Thread(target=server.run, name="server")
    thread.start()
    try:
        while not server.started and thread.is_alive():
            pause(_START_SECONDS)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


def _run(measure: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401 # loaded by name
    """What is measured; ends with status 1 when the day does not come to its end."""
    troubles = (
        import_module("loadtests.benchmarks.day_arrow").DayError,
        import_module("loadtests.benchmarks.day_venue").VenueError,
    )
    try:
        return measured(measure, *arguments)
    except StateFolderError as error:
        bad_input(str(error))
    except troubles as error:
        messages().print("error:", error, markup=False)
        raise typer.Exit(EXIT_FAILED) from error


def _show(result: Mapping[str, Any]) -> None:
    """The result as people read it."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(justify="right")
    for title, rows in _sections(result):
        table.add_row(title, style="bold")
        for name, value in rows:
            table.add_row(f" {name}", value)
    output().print(table)
    for fault in result["faults"]:
        output().print("wrong:", fault, markup=False)
    end(result)


def _sections(result: Mapping[str, Any]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    peer = result.get("peer")
    latency = result["cycle_latency_ms"]
    yield (
        "The day",
        [
            ("trades", f"{result['trades']:,}"),
            ("brokers, instruments", f"{result['participants']:,}, {result['instruments']:,}"),
            ("validators, replicas", f"{result['validators']}, {result['replicas']}"),
            ("brokers attest", "here, each by its own books" if result["attested"] else "by proxy"),
            ("every trade signed", "by both brokers" if result["signed"] else "no"),
            ("came as", result["ingest"]),
            ("cycles", f"{result['cycles']:,} of up to {result['cycle_trades_max']:,} trades"),
            ("net lines", f"{result['net_lines']:,}, of {result['compression']:,} trades each"),
            ("seconds, until reconciled", f"{result['seconds']:,.2f}"),
            ("seconds, until kept as segments", f"{result['kept_seconds']:,.2f}"),
        ],
    )
    yield (
        "Trades a second, from the first one made until all are",
        [(_RATE_WORDS[name], f"{rate:,.0f}") for name, rate in result["rates"].items()],
    )
    yield (
        "Seconds of work; venue, capture and clearing work at the same time",
        [(_STAGE_WORDS[name], f"{each:,.2f}") for name, each in result["stage_seconds"].items()],
    )
    yield (
        "Beside",
        [
            ("a cycle, from closing to final", f"p50 {latency['p50']} ms, p99 {latency['p99']} ms"),
            ("peak memory", f"{result['peak_memory_bytes'] / 2**20:,.0f} MiB"),
            *_on_disk(result),
            *([(f"{peer['name']}, one by one", f"{peer['rate']:,.0f} a second")] if peer else []),
            *([("times as many final here", f"{peer['ratio']:,}")] if peer else []),
            ("seed", str(result["seed"])),
            *((name, text) for name, text in result["environment"].items()),
            ("verified", "yes" if result["verified"] else "NO: the figures are void"),
        ],
    )


def _on_disk(result: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a trade takes on the disk, where the day took more than its set-up gave back."""
    if "bytes_on_disk_a_trade" in result:
        yield "on disk", f"{result['bytes_on_disk_a_trade']:,} bytes a trade"
