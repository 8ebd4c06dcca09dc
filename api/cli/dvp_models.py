"""``novate dvp-models``: the same trades under DvP models 1, 2 and 3, side by side."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table

from api.cli.scenario import load_stories
from api.cli.terminal import EXIT_FAILED, bad_input, output
from ledger.domain.reasons import Reason
from nodes.dvp_models.comparison import MODELS, Comparison, UnderModel, compare
from nodes.scenario.bundled import PACK

A_DAY: Final = PACK / "dvp" / "dvp-models-over-a-day.yaml"
_NAMES: Final = {
    1: "1: gross, gross",
    2: "2: securities gross, cash net",
    3: "3: net, net",
}
_SECONDS_A_MINUTE: Final = 60


def dvp_models(
    file: Annotated[
        Path, typer.Argument(help="A scenario file with trades; a bundled one if left out.")
    ] = A_DAY,
    default: Annotated[
        str | None,
        typer.Option(
            "--default",
            help="Who has no cash in the second part; if left out, who owes the most on balance.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Play the trades of one story under DvP models 1, 2 and 3 (CPMI 1992) and compare.

    End positions, register movements, what everybody needed at hand, how long the trades waited for
    finality, and what happens when one participant cannot pay. Ends with status 1 when an invariant
    does not hold under a model, 2 for a file that cannot be compared.
    """
    [story] = load_stories([file])
    try:
        comparison = compare(story, default)
    except ValueError as error:
        bad_input(str(error))
    if as_json:
        ends = {"ends_are_equal": comparison.ends_are_equal}
        typer.echo(json.dumps(ends | asdict(comparison)))
    else:
        _show(comparison)
    if any(each.violations for each in (*comparison.under, *comparison.default.under)):
        raise typer.Exit(EXIT_FAILED)


def _show(comparison: Comparison) -> None:
    console, under = output(), {each.model: each for each in comparison.under}
    table = _table(f"{comparison.story} under three models")
    _row(table, "trades settled", under, lambda each: str(len(each.waits_seconds)))
    _row(table, "waiting", under, _waiting)
    _row(table, "movements, securities", under, lambda each: str(each.movements["securities"]))
    _row(table, "movements, cash", under, lambda each: str(each.movements["cash"]))
    _row(table, "cash needed at hand", under, lambda each: _listed(each.peak_cash))
    _row(table, "securities needed at hand", under, lambda each: _listed(each.peak_securities))
    _row(table, "capture to finality, mean", under, lambda each: _minutes(_mean(each)))
    _row(table, "capture to finality, longest", under, lambda each: _minutes(_longest(each)))
    _row(table, "blocks", under, lambda each: str(each.blocks))
    console.print(table)
    equal = "the same" if comparison.ends_are_equal else "[yellow]not the same[/yellow]"
    console.print(f"End positions: {equal} under all three.\n")

    default = comparison.default
    under = {each.model: each for each in default.under}
    table = _table(f"and when {default.participant} has no cash")
    _row(table, "trades settled", under, lambda each: str(len(each.waits_seconds)))
    _row(table, "waiting", under, _waiting)
    _row(table, "others hit", under, lambda each: ", ".join(default.hit[each.model]) or "-")
    console.print(table)
    for reason in sorted({why for each in default.under for why in each.waiting.values()}):
        if reason in Reason.__members__:
            console.print(f"{reason}: {Reason[reason].explanation.cause}", markup=False)
    console.print("Nobody delivers unpaid under any of them: both legs settle, or neither does.")


def _table(title: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("")
    for model in MODELS:
        table.add_column(_NAMES[model], justify="right")
    return table


def _row(
    table: Table, name: str, under: Mapping[int, UnderModel], cell: Callable[[UnderModel], str]
) -> None:
    table.add_row(name, *(cell(under[model]) for model in MODELS))


def _waiting(under: UnderModel) -> str:
    return ", ".join(f"{id} {reason}" for id, reason in under.waiting.items()) or "-"


def _listed(amounts: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {amount}" for name, amount in amounts.items()) or "-"


def _mean(under: UnderModel) -> int:
    waits = under.waits_seconds
    return sum(waits) // len(waits) if waits else 0


def _longest(under: UnderModel) -> int:
    return max(under.waits_seconds, default=0)


def _minutes(seconds: int) -> str:
    minutes, rest = divmod(seconds, _SECONDS_A_MINUTE)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"
