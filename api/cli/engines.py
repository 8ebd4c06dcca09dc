"""The options that choose the engine of the chain, and what is said when it cannot be used."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Final

import typer

from api.cli.terminal import EXIT_FAILED, bad_input, messages
from ledger.books.projection import ProjectionError
from ledger.chain.executors import DEFAULT_EXECUTOR, EXECUTOR_NAMES
from nodes.bootstrap import BootstrapError
from nodes.endpoint import shown
from nodes.engine import Engine, EngineError, UnfitEngineError
from nodes.external_engine import OUTAGE_PATIENCE_SECONDS, ExternalEngine, Finality
from nodes.validators import ALONE, VALIDATORS, Seating

EMBEDDED: Final = "revm"
PATIENCE_SECONDS: Final = OUTAGE_PATIENCE_SECONDS

EngineOption = Annotated[
    str,
    typer.Option(
        "--engine",
        metavar="revm|URL",
        help="The engine of the chain: revm in this process, or the URL of a JSON-RPC endpoint.",
    ),
]
StoryEngineOption = Annotated[
    str,
    typer.Option(
        "--engine",
        metavar="|".join([*EXECUTOR_NAMES, "URL"]),
        help="What the chain runs on: an executor in this process, or the URL of a JSON-RPC"
        " endpoint.",
    ),
]
FinalityOption = Annotated[
    str,
    typer.Option(
        "--finality",
        metavar="N|finalized",
        help="With a URL: a block is final under N further blocks (0: at once, as under QBFT), or"
        " when the node calls it finalized.",
    ),
]
ValidatorsOption = Annotated[
    int | None,
    typer.Option(
        "--validators",
        min=1,
        max=64,
        help="Validators of a new chain: exchange, banks, brokers (1: the clearing house alone).",
    ),
]
ExecutorOption = Annotated[
    list[str] | None,
    typer.Option(
        "--executor",
        metavar="|".join(EXECUTOR_NAMES),
        help="What the validators of a new chain run, in turn when repeated.",
    ),
]
PatienceOption = Annotated[
    float,
    typer.Option(
        "--patience",
        min=0.0,
        max=3600.0,
        help="With a URL: seconds that its node may be down before the command gives up.",
    ),
]


def open_engine(
    engine: str, finality: str, patience_seconds: float, embedded: Sequence[str] = (EMBEDDED,)
) -> Engine | None:
    """The engine behind a URL; None for the one in this process. Ends with status 2 on a fault."""
    rule = _finality(finality)
    if engine == EMBEDDED:
        if rule != 0:
            bad_input("--finality is for a chain at a URL: here validators make blocks final")
        return None
    if not engine.startswith(("http://", "https://")):
        words = f"{' or '.join(embedded)} or the http(s) URL of a JSON-RPC endpoint"
        bad_input(f"--engine: expected {words}, found {shown(engine)!r}")
    try:
        return ExternalEngine(engine, rule, patience_seconds=patience_seconds)
    except EngineError as error:
        bad_input(str(error), "Nothing was changed.")


@dataclass(frozen=True, slots=True)
class StoryEngine:
    """What stories are played on: an engine at a URL, or a chain in this process."""

    engine: Engine | None
    seating: Seating


def open_story_engine(engine: str, finality: str, patience_seconds: float) -> StoryEngine:
    """What stories are played on. Ends with status 2 on a fault."""
    if engine in EXECUTOR_NAMES:
        open_engine(EMBEDDED, finality, patience_seconds)
        return StoryEngine(None, Seating(1, (engine,)))
    return StoryEngine(open_engine(engine, finality, patience_seconds, EXECUTOR_NAMES), ALONE)


def seating(engine: str, validators: int | None, executors: list[str] | None) -> Seating | None:
    """How a new chain is to be validated; None for the usual. Ends with status 2 on a fault."""
    if validators is None and not executors:
        return None
    if engine != EMBEDDED:
        bad_input(
            "--validators and --executor are for the chain in this process, not for one at a URL"
        )
    for name in executors or ():
        if name not in EXECUTOR_NAMES:
            bad_input(f"--executor: expected {' or '.join(EXECUTOR_NAMES)}, found {name!r}")
    return Seating(validators or VALIDATORS, tuple(executors or (DEFAULT_EXECUTOR,)))


@contextmanager
def engine_failures(remedy: str) -> Iterator[None]:
    """Says what happened to the engine and what to do; ends with status 1, 2 when it is unfit."""
    try:
        yield
    except UnfitEngineError as error:
        bad_input(str(error), "Nothing was changed.")
    except (EngineError, BootstrapError, ProjectionError) as error:
        messages().print("error:", error, markup=False)
        messages().print(remedy, markup=False)
        raise typer.Exit(EXIT_FAILED) from error


def _finality(text: str) -> Finality:
    if text == "finalized":
        return "finalized"
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        bad_input(f"--finality: expected a number of blocks or finalized, found {text!r}")
    return int(text)
