"""``novate day``: settle a market day from a file. ``novate make-day``: make such a file."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from api.cli.chain_options import DEFAULT_STATE, FOLDER_NAMES
from api.cli.database import DatabaseOption, database_of
from api.cli.day_summary import show_day
from api.cli.day_verify import verify
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
from api.cli.terminal import (
    EXIT_FAILED,
    bad_input,
    counted,
    file_trouble,
    messages,
    progress_bar,
)
from ledger.books.database import BooksLostError, StorageError
from ledger.domain.errors import MalformedError
from ledger.domain.rules import MARKET_DAY_RULES
from nodes.books_place import StatePlace
from nodes.clock import SimulatedClock
from nodes.consortium import Consortium
from nodes.folder_meta import PinnedPlan, StateFolderError
from nodes.founding import open_consortium
from nodes.market_day.day import OPENING_SECOND, DayError, DayPlan, MarketDay
from nodes.market_day.day_network import day_network
from nodes.market_day.faults import FAULT_FORMS, check_faults, parse_fault, with_shortages
from nodes.market_day.made_day import MADE_DAY_SEED, MadeDay, write_made_day
from nodes.market_day.opening import derived_opening, read_opening
from nodes.market_day.summary import DaySummary, summarise
from nodes.market_day.survey import Survey, survey
from nodes.network import Network
from nodes.trade_files.reader import TradeFile, TradeFileError

_RESUME = "Run the same command again: it goes on where it stopped."
_FAULT_HELP = "Make something go wrong; may be repeated. The forms stand above."
DAY_HELP = """Settle a market day: capture, affirm, net, attest, settle, project, reconcile.

Ends with status 1 if an invariant or a reconciliation fails; with 2 if the input is not valid, or
not what the state folder was begun with, or the engine cannot be used. What fails on the way
resumes when the same command is given again.

A --fault is a broker's desk that gets a trade wrong, or a share or cash that is not there:

""" + "\n\n".join(FAULT_FORMS.values())


@dataclass(frozen=True, slots=True)
class _Input:
    """A day as it was asked for, checked."""

    plan: DayPlan
    network: Network
    pinned: PinnedPlan


def day(
    context: typer.Context,
    trades: Annotated[
        Path | None,
        typer.Option(help="Trades (required): Novate CSV or B3 trade-by-trade, plain or zipped."),
    ] = None,
    state: Annotated[
        Path,
        typer.Option(*FOLDER_NAMES, help="State folder; run the same command again to resume."),
    ] = DEFAULT_STATE,
    opening: Annotated[
        Path | None, typer.Option(help="Opening positions (CSV: account,asset,amount).")
    ] = None,
    write_opening: Annotated[
        Path | None, typer.Option(help="Write the opening positions that were used to this file.")
    ] = None,
    seed: Annotated[str, typer.Option(help="Seed of the sandbox keys.")] = "novate",
    cycle_trades: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="Strike a cycle at this many trades.")
    ] = MARKET_DAY_RULES.cycle_trades_max,
    fault: Annotated[list[str] | None, typer.Option(help=_FAULT_HELP)] = None,
    validators: ValidatorsOption = None,
    executor: ExecutorOption = None,
    engine: EngineOption = EMBEDDED,
    finality: FinalityOption = "0",
    patience: PatienceOption = PATIENCE_SECONDS,
    database: DatabaseOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Settles a market day. What the command says of itself is DAY_HELP."""
    if context.invoked_subcommand:
        _refuse_options(context)
        return
    if trades is None:
        bad_input("--trades is missing", "Name the file of the day's trades.")
    chain = open_engine(engine, finality, patience)
    seats = seating(engine, validators, executor)
    place = StatePlace(state, database_of(database))
    try:
        given = _read(trades, opening, seed, fault or [])
        rules = replace(MARKET_DAY_RULES, cycle_trades_max=cycle_trades)
        clock = SimulatedClock.at(given.network.business_date, OPENING_SECOND)
        if write_opening:
            given.plan.opening.write(write_opening)
        with engine_failures(_RESUME):
            consortium = open_consortium(
                given.network, rules, clock, place, chain, seats, plan=given.pinned
            )
    except TradeFileError as error:
        bad_input(str(error), "Nothing was loaded. Correct the line and run the command again.")
    except (MalformedError, StateFolderError) as error:
        bad_input(str(error))
    except OSError as error:
        file_trouble(error)
    try:
        with engine_failures(_RESUME):
            summary = _run(given.plan, consortium, clock)
    except (DayError, BooksLostError, StorageError) as error:
        messages().print("error:", error, markup=False)
        raise typer.Exit(EXIT_FAILED) from error
    finally:
        consortium.close()
    if as_json:
        typer.echo(json.dumps(asdict(summary), indent=1))
    else:
        show_day(summary, state, engine)
    if not summary.is_sound:
        raise typer.Exit(EXIT_FAILED)


def make_day(
    file: Annotated[Path, typer.Argument(help="Where to write; a name in .zip is zipped.")],
    trades: Annotated[
        int, typer.Option(min=1, max=10_000_000, help="Trades; cancellations come on top.")
    ] = 100_000,
    participants: Annotated[int, typer.Option(min=2, max=500, help="Brokers.")] = 60,
    instruments: Annotated[int, typer.Option(min=1, max=10_000, help="Symbols.")] = 300,
    seed: Annotated[
        int, typer.Option(min=0, help="The same seed makes the same file.")
    ] = MADE_DAY_SEED,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file if there is one.")
    ] = False,
) -> None:
    """Make a market day in B3's format. It is made: nothing in it ever happened."""
    if file.exists() and not overwrite:
        bad_input(f"{file} is there already", "Name another file, or give --overwrite.")
    try:
        cancelled = write_made_day(MadeDay(trades, participants, instruments, seed), file)
    except OSError as error:
        file_trouble(error)
    content = f"{counted(trades, 'trade')} and {counted(cancelled, 'cancellation')}"
    messages().print(f"{file}: a made day of {content}, seed {seed}")


def _refuse_options(context: typer.Context) -> None:
    """Options before the name of another command would change nothing."""
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if source and source.name == "COMMANDLINE":
            remedy = f"Give it after the command: novate day {context.invoked_subcommand} ..."
            bad_input(f"{'/'.join(parameter.opts)} settles a day", remedy)


def _read(trades: Path, opening: Path | None, seed: str, faults: list[str]) -> _Input:
    """Everything that can be wrong with the input is found here, before anything is kept."""
    parsed_faults = [parse_fault(text) for text in faults]
    file = TradeFile(trades)
    surveyed = _survey(file)
    network = day_network(surveyed, file.format, seed)
    if opening:
        positions = read_opening(opening, network)
    else:
        positions = derived_opening(surveyed, network.currencies[0])
    check_faults(file, parsed_faults)
    left = with_shortages(positions, parsed_faults)
    return _Input(
        plan=DayPlan(file, surveyed, left, parsed_faults),
        network=network,
        pinned=PinnedPlan(
            trades=surveyed.digest.hex(),
            opening=positions.digest().hex(),
            faults=tuple(map(str, parsed_faults)),
        ),
    )


def _survey(file: TradeFile) -> Survey:
    with progress_bar() as progress:
        task = progress.add_task("read and check", unit="lines", total=None)
        surveyed = survey(file, lambda lines: progress.update(task, completed=lines))
        progress.update(task, total=surveyed.counts.lines)
    return surveyed


def _run(plan: DayPlan, consortium: Consortium, clock: SimulatedClock) -> DaySummary:
    with progress_bar() as progress:
        total = plan.survey.counts.clearable
        task = progress.add_task("clear and settle", unit="trades", total=total)
        market_day = MarketDay(
            plan, consortium, clock, lambda _, cleared: progress.update(task, completed=cleared)
        )
        outcome = market_day.run()
        progress.update(task, completed=total)
    return summarise(consortium, plan.survey, plan.opening, outcome)


day_app = typer.Typer(help=DAY_HELP, invoke_without_command=True, callback=day)
day_app.command("verify")(verify)
