"""``novate day``: settle a market day from a file. ``novate make-day``: make such a file."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from api.cli.day_summary import show_day
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
from api.cli.terminal import EXIT_FAILED, bad_input, messages, progress_bar
from ledger.domain.amounts import MINOR_DIGITS_BY_CURRENCY
from ledger.domain.errors import MalformedError
from ledger.domain.identifiers import owner_of
from ledger.domain.rules import MARKET_DAY_RULES
from nodes.clock import SimulatedClock
from nodes.consortium import Consortium, open_consortium
from nodes.market_day.day import OPENING_SECOND, DayError, DayPlan, MarketDay
from nodes.market_day.day_network import day_network
from nodes.market_day.faults import FAULT_FORMS, parse_fault, with_shortages
from nodes.market_day.made_day import MADE_DAY_SEED, MadeDay, write_made_day
from nodes.market_day.opening import Opening, derived_opening, read_opening
from nodes.market_day.summary import DaySummary, summarise
from nodes.market_day.survey import Survey, survey
from nodes.network import Network
from nodes.state_folder import StateFolderError
from nodes.trade_files.reader import TradeFile, TradeFileError

_RESUME = "Run the same command again: it goes on where it stopped."
_FAULT_HELP = "Make something go wrong; may be repeated. " + "; ".join(FAULT_FORMS.values())


def day(
    trades: Annotated[
        Path, typer.Option(help="Trades: Novate CSV or B3 trade-by-trade, plain or zipped.")
    ],
    state: Annotated[
        Path, typer.Option(help="State folder; run the same command again to resume.")
    ] = Path(".novate"),
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
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Settle a market day: capture, affirm, net, attest, settle, project, reconcile.

    Ends with status 1 if an invariant or a reconciliation fails or the engine does (run the same
    command again to resume), 2 if a file is not valid or the engine cannot be used.
    """
    chain = open_engine(engine, finality, patience)
    seats = seating(validators, executor)
    try:
        plan, network = _plan(trades, opening, seed, fault or [])
        if write_opening:
            plan.opening.write(write_opening)
        rules = replace(MARKET_DAY_RULES, cycle_trades_max=cycle_trades)
        clock = SimulatedClock.at(network.business_date, OPENING_SECOND)
        with engine_failures(_RESUME):
            consortium = open_consortium(network, rules, clock, state, chain, seats)
    except TradeFileError as error:
        bad_input(str(error), "Nothing was loaded. Correct the line and run the command again.")
    except FileNotFoundError as error:
        bad_input(f"{error.filename} does not exist")
    except MalformedError as error:
        bad_input(str(error))
    except StateFolderError as error:
        bad_input(str(error))
    try:
        with engine_failures(_RESUME):
            summary = _run(plan, consortium, clock)
    except DayError as error:
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
    trades: Annotated[int, typer.Option(min=1, max=10_000_000)] = 100_000,
    participants: Annotated[int, typer.Option(min=2, max=500)] = 60,
    instruments: Annotated[int, typer.Option(min=1, max=10_000)] = 300,
    seed: Annotated[int, typer.Option(help="The same seed makes the same file.")] = MADE_DAY_SEED,
) -> None:
    """Make a market day in B3's format. It is made: nothing in it ever happened."""
    write_made_day(MadeDay(trades, participants, instruments, seed), file)
    messages().print(f"{file}: a made day of {trades:,} trades, seed {seed}")


def _plan(
    trades: Path, opening: Path | None, seed: str, faults: list[str]
) -> tuple[DayPlan, Network]:
    """Everything that can be wrong with the input is found here, before anything is kept."""
    parsed_faults = [parse_fault(text) for text in faults]
    file = TradeFile(trades)
    with progress_bar() as progress:
        task = progress.add_task("read and check", unit="lines", total=None)
        surveyed = survey(file, lambda lines: progress.update(task, completed=lines))
        progress.update(task, total=surveyed.counts.lines)
    network = day_network(surveyed, file.format, seed)
    positions = _opening(opening, surveyed, network)
    positions = with_shortages(positions, parsed_faults)
    return DayPlan(file, surveyed, positions, parsed_faults), network


def _opening(path: Path | None, surveyed: Survey, network: Network) -> Opening:
    if path is None:
        return derived_opening(surveyed, network.currencies[0])
    positions = read_opening(path, MINOR_DIGITS_BY_CURRENCY)
    known = {participant.id for participant in network.participants}
    isins = {instrument.isin for instrument in network.instruments} | set(network.currencies)
    for account, asset in [*positions.securities, *positions.cash]:
        if owner_of(account) not in known:
            raise MalformedError(f"in {path} accounts of participants of the trade file", account)
        if asset not in isins:
            raise MalformedError(f"in {path} assets of the trade file", asset)
    return positions


def _run(plan: DayPlan, consortium: Consortium, clock: SimulatedClock) -> DaySummary:
    with progress_bar() as progress:
        total = plan.survey.counts.clearable
        task = progress.add_task("clear and settle", unit="trades", total=total)
        market_day = MarketDay(plan, consortium, clock)
        market_day.run(lambda trades: progress.update(task, completed=trades))
        progress.update(task, completed=total)
    return summarise(consortium, plan.survey, plan.opening)
