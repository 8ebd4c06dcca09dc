"""``novate up``: a sandbox that stays up, with REST interface, JSON-RPC and pages."""

from pathlib import Path
from typing import Annotated

import typer

from api.access.access import RateOptions
from api.access.rate_limits import RATE, RATE_MAX
from api.cli.chain_options import DEFAULT_STATE, FOLDER_NAMES
from api.cli.database import DatabaseOption, database_of
from api.cli.engines import (
    EMBEDDED,
    PATIENCE_SECONDS,
    EngineOption,
    ExecutorOption,
    FinalityOption,
    PatienceOption,
    ValidatorsOption,
    engine_failures,
    open_engine,
    seating,
)
from api.cli.listening import listen
from api.cli.log_options import LogFileOption, LogFormOption, LogLevelOption, logged
from api.cli.loopback import LoopbackOption
from api.cli.processes import ENTRIES, ServedAt, run_processes
from api.cli.serving import address_of, application, greeting, webhook_rules
from api.cli.terminal import bad_input, file_trouble, output, say
from api.hosting import Hosting
from api.server import server_of
from ledger.domain.errors import MalformedError
from nodes.books_place import IN_ONE_PROCESS, require_files
from nodes.clock import WallClock
from nodes.engine import Engine
from nodes.folder_meta import StateFolderError, read_meta
from nodes.process_memory import spare_what_stands
from nodes.processes.children import Children
from nodes.sandbox.home import SandboxHome
from nodes.sandbox.sandbox import (
    CYCLE_SECONDS,
    DEFAULT_SEED,
    Sandbox,
    SandboxOptions,
    open_sandbox,
)
from nodes.validators import Seating


def up(
    state: Annotated[
        Path, typer.Option(*FOLDER_NAMES, help="State folder; made when it is missing.")
    ] = DEFAULT_STATE,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    seed: Annotated[
        str | None,
        typer.Option(help=f"Seed of the keys; {DEFAULT_SEED} for a new sandbox."),
    ] = None,
    validators: ValidatorsOption = None,
    executor: ExecutorOption = None,
    engine: EngineOption = EMBEDDED,
    finality: FinalityOption = "0",
    patience: PatienceOption = PATIENCE_SECONDS,
    cycle_trades: Annotated[
        int | None,
        typer.Option(min=1, max=1_000_000, help="Strike a cycle at so many trades; new folder."),
    ] = None,
    cycle_seconds: Annotated[
        float,
        typer.Option(min=0, max=86_400, help="And when trades waited so long; 0: not by time."),
    ] = CYCLE_SECONDS,
    dense_sequence: Annotated[
        bool | None,
        typer.Option(
            "--dense-sequence", help="Numbers run 1, 2, 3 an instrument: report gaps; new folder."
        ),
    ] = None,
    rate: Annotated[
        int, typer.Option(min=1, max=RATE_MAX, help="Requests a second that one key may make.")
    ] = RATE,
    burst: Annotated[
        int | None,
        typer.Option(min=1, max=RATE_MAX, help="And at once; two seconds' worth if not given."),
    ] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="A rule (see novate rules), such as partial=on or gridlock=fifo; new folder.",
        ),
    ] = None,
    webhooks_to_loopback: LoopbackOption = None,
    database: DatabaseOption = None,
    processes: Annotated[
        bool,
        typer.Option("--processes", help="Each node a process with key, database and port."),
    ] = False,
    log_file: LogFileOption = None,
    log_level: LogLevelOption = None,
    log_format: LogFormOption = None,
) -> None:
    """Serve a sandbox: the one in the state folder, or a new one with three funded brokers."""
    if seed == "":
        bad_input("--seed: expected at least one character")
    logs = logged(log_file, log_level, log_format)
    chain = open_engine(engine, finality, patience)
    seats = seating(engine, validators, executor)
    options = SandboxOptions(
        cycle_seconds=cycle_seconds,
        cycle_trades=cycle_trades,
        dense_sequence=dense_sequence,
        rules=tuple(rule or ()),
        database=database_of(database),
    )
    rates = RateOptions(rate, burst)
    if processes:
        if chain is not None:
            bad_input("--processes: expected the chain in the state folder, found --engine")
        if options.database is not None:
            bad_input(f"--processes: expected the books in files, found {options.database.shown}")
        _require_files(state)
        # What the processes need is imported while the folder is founded.
        with Children(ENTRIES) as children:
            with listen(host, port):
                _open(state, seed, chain, seats, options).stop()
            at = ServedAt(host, port, cycle_seconds, rates, webhooks_to_loopback, logs)
            run_processes(state, at, children)
        return
    with listen(host, port) as listener:
        home = SandboxHome(state, lambda other: _open(state, other or seed, chain, seats, options))
        webhooks = webhook_rules(listener, to_loopback=webhooks_to_loopback)
        hosting = Hosting(home, lambda sandbox: application(state, sandbox, rates, webhooks))
        words = greeting(hosting.sandbox, hosting.application.state.access, address_of(host, port))
        output().print(words, markup=False, soft_wrap=True)
        server = server_of(hosting, host, port, say)
        spare_what_stands()
        server.run(sockets=[listener])


def _require_files(state: Path) -> None:
    try:
        require_files(state, read_meta(state), IN_ONE_PROCESS)
    except StateFolderError as error:
        bad_input(str(error))


def _open(
    state: Path,
    seed: str | None,
    chain: Engine | None,
    seats: Seating | None,
    options: SandboxOptions,
) -> Sandbox:
    today = WallClock().business_time().date()
    try:
        with engine_failures("Run the same command again: it goes on where it stopped."):
            return open_sandbox(state, seed, today, chain, seats, options)
    except MalformedError as error:
        bad_input(f"--rule: {error}")
    except StateFolderError as error:
        bad_input(str(error))
    except OSError as error:
        file_trouble(error)
